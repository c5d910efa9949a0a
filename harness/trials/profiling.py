"""Where the time of a trial goes, for those who ask."""

from __future__ import annotations

import contextlib
import cProfile
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "CLAIMS_CPROFILE"
"""Environment variable: a folder that gets cProfile's statistics of every call of measure()."""


@contextlib.contextmanager
def profiled(name: str) -> Iterator[None]:
    """Profile what is done inside, if the environment asks for it, to a file <name>.<process>.<clock>.pstats."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        yield
        return
    profile = cProfile.Profile()
    profile.enable()
    try:
        yield
    finally:
        profile.disable()
        Path(folder).mkdir(parents=True, exist_ok=True)
        profile.dump_stats(Path(folder) / f"{name}.{os.getpid()}.{time.monotonic_ns()}.pstats")
