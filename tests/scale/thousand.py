"""A thousand tiny claims: how long checking, collecting and running them takes, and what the pages weigh."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tests.tiny_project import write_claim

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MOST = {"check": 3.0, "collection": 6.0, "run": 60.0, "the same run again": 60.0}
"""Seconds that each may take on two cores."""


def time_a_thousand(root: Path, claims: int) -> None:
    """Write so many claims below `root`, and print the seconds of each command and the size of each page."""
    for number in range(claims):
        write_claim(root, f"claim_{number:04d}")
    claims_command = [sys.executable, "-m", "harness", "--root", str(root)]
    commands = {
        "check": [*claims_command, "check"],
        "collection": [sys.executable, "-m", "pytest", "--collect-only", "-q", "claims"],
        "run": [*claims_command, "run"],
        "the same run again": [*claims_command, "run"],
    }
    for name, command in commands.items():
        seconds = seconds_of(command, root)
        print(f"{name} of {claims:,} claims: {seconds:.1f} s (at most {MOST[name]:g} s for 1,000)", flush=True)
    for page in ("index.html", "history.html", "report.json"):
        size = (root / "reports" / "latest" / page).stat().st_size
        print(f"{page}: {size / 1e6:.1f} MB", flush=True)


def seconds_of(command: Sequence[str], folder: Path) -> float:
    """Return how long a command takes, and end with what it said if it fails."""
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return time.perf_counter() - started
