"""How far the harness reaches: `python -m tests.scale [claims] [store] [schedule]` prints tables for docs/scale.md.

Nothing is trained. `claims` times check, collection and run of a thousand tiny claims, so it wants an idle machine; `store` fills a store
with a million trials and asks it everything that a run asks; `schedule` runs the driver on workers whose time is simulated.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from tests.scale.million import ask_a_million
from tests.scale.schedule import simulate
from tests.scale.thousand import time_a_thousand

PARTS = ("claims", "store", "schedule")


def main() -> None:
    """Run the named parts, all by default."""
    parser = argparse.ArgumentParser(prog="python -m tests.scale", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument(
        "--times",
        type=Path,
        default=Path(".claims/store.sqlite3"),
        help="store whose trials' seconds the schedule takes",
    )
    parser.add_argument("--trials", type=int, default=1_000_000, help="trials of the store")
    parser.add_argument("--claims", type=int, default=1000, help="claims that are timed")
    parser.add_argument(
        "--commit", type=float, metavar="MS", help="count the driver's processor time, and so much for each commit"
    )
    parser.add_argument("--folder", type=Path, help="where to work, and leave what was made; by default it is deleted")
    asked = parser.parse_args()
    parts = asked.parts or PARTS
    if asked.folder and asked.folder.exists():
        parser.error(f"--folder: {asked.folder} is there already; give a new one")
    with tempfile.TemporaryDirectory() as temporary:
        folder = (asked.folder or Path(temporary)).resolve()
        os.environ["CLAIMS_LOCKS"] = str(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if "claims" in parts:
            time_a_thousand(folder / "claims", asked.claims)
        if "store" in parts:
            ask_a_million(folder / "store", asked.trials)
        if "schedule" in parts:
            simulate(folder / "schedule", asked.times, None if asked.commit is None else asked.commit / 1e3)


if __name__ == "__main__":
    main()
