"""`python -m tests.fuzz`: broken files by the thousand, each accepted or refused in words, and properties on new examples."""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.campaign import Counts, fuzz_digits, fuzz_specs, shown


def main(arguments: list[str] | None = None) -> int:
    """Run the campaign; return 1 if anything went wrong, else 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "--specs", type=int, default=10_000, metavar="N", help="broken claim.yaml files (default 10000)"
    )
    parser.add_argument("--digits", type=int, default=2000, metavar="N", help="broken data files (default 2000)")
    parser.add_argument("--properties", default="tests", metavar="PATH", help="where to look for property tests")
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(2**32), metavar="S", help="all follows from it"
    )
    parser.add_argument("--keep", type=Path, default=Path("reports/fuzz"), help="folder for the files that went wrong")
    options = parser.parse_args(arguments)
    print(f"nox -s fuzz -- --seed {options.seed} does the same again", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        found: list[Counts] = [
            fuzz_specs(Path(folder), options.specs, options.seed, options.keep),
            fuzz_digits(Path(folder), options.digits, options.seed, options.keep),
        ]
    print("\n".join(shown(found, options.seed)), flush=True)
    return int(any(counts.wrong for counts in found) or explore(options.properties, options.seed))


def explore(path: str, seed: int) -> int:
    """Run the property tests below `path` on examples that follow from the seed; return 0 if all hold."""
    command = [sys.executable, "-m", "pytest", path, "-m", "hypothesis", "--hypothesis-profile=explore"]
    command += [f"--hypothesis-seed={seed}", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
    print(" ".join(["pytest", *command[3:]]), flush=True)
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
