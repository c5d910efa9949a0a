"""`python -m tests.anywhere`: the tests in random order, as on other machines; each variation must pass.

`nox -s anywhere` runs it. What follows the names of variations goes to pytest, as in
`nox -s anywhere -- --only "locale C" tests/cli/test_main.py -k run`.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]

JOB = {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "/nowhere/summary.md", "NO_COLOR": "1"}

OPTIONS = ("--benchmark-disable", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-n", "2", "--dist", "worksteal")


@dataclass(frozen=True)
class Variation:
    """How another machine differs from this one.

    Attributes:
        environment: variables that are set there.
        umask: which permissions new files lack; -1 for those they lack here.
        cores: number of processor cores; None for those that are here.
    """

    environment: dict[str, str] = field(default_factory=dict)
    umask: int = -1
    cores: int | None = None


VARIATIONS = {
    "one thread": Variation({"OMP_NUM_THREADS": "1"}),
    "two threads": Variation({"OMP_NUM_THREADS": "2"}),
    **({"one core": Variation(cores=1)} if hasattr(os, "sched_setaffinity") else {}),
    "Seoul": Variation({"TZ": "Asia/Seoul"}),
    "locale C": Variation({"LANG": "C", "LC_ALL": "C"}),
    "ASCII": Variation({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
    "narrow terminal": Variation({"COLUMNS": "40", "LINES": "10"}),
    "private files": Variation(umask=0o077),
    "in a job": Variation(JOB),
}
"""Each has a home of its own, empty before and after, and hashes of strings that differ from run to run."""


def passes(variation: Variation, seed: int, arguments: list[str]) -> bool:
    """Return whether the tests pass under a variation, in the order that follows from the seed, and leave its home empty."""
    order = ["--random-order-bucket=module", f"--random-order-seed={seed}"]
    command = [sys.executable, "-m", "pytest", *OPTIONS, *order, *(arguments or ["tests"])]
    with tempfile.TemporaryDirectory() as home:
        own = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "random", "HOME": home}
        done = subprocess.run(
            command,
            cwd=PROJECT,
            env={**os.environ, **own, **variation.environment},
            umask=variation.umask,
            preexec_fn=lambda: _take(variation.cores),
            check=False,
        )
        left = sorted(str(path.relative_to(home)) for path in Path(home).rglob("*"))
    if left:
        print(f"left in the home: {', '.join(left)}")
    return done.returncode == 0 and not left


def _take(cores: int | None) -> None:
    if cores is not None:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def main(arguments: list[str] | None = None) -> int:
    """Run the tests under all variations; return 1 if any failed, else 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.anywhere", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=VARIATIONS, metavar="NAME", help=f"of {', '.join(VARIATIONS)}"
    )
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="of the order")
    options, rest = parser.parse_known_args(arguments)
    failed = []
    for name in options.only or VARIATIONS:
        print(f"\n{name}: seed {options.seed}", flush=True)
        if not passes(VARIATIONS[name], options.seed, rest):
            failed.append(f"failed: nox -s anywhere -- --only {name!r} --seed {options.seed} {' '.join(rest)}".rstrip())
    print("\n".join(["", *failed]) if failed else f"\nall {len(options.only or VARIATIONS)} variations pass")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
