"""`python -m tests.fuzz`: broken files by the thousand, each of which is accepted or refused in words."""

from __future__ import annotations

import argparse
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
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="what is broken, and how, follows from it")
    parser.add_argument("--keep", type=Path, default=Path("reports/fuzz"), help="folder for the files that went wrong")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        found: list[Counts] = [
            fuzz_specs(Path(folder), options.specs, options.seed, options.keep),
            fuzz_digits(Path(folder), options.digits, options.seed, options.keep),
        ]
    print("\n".join(shown(found, options.seed)))
    return int(any(counts.wrong for counts in found))


if __name__ == "__main__":
    sys.exit(main())
