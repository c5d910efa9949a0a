"""Turns: of several runs on one store one measures a claim at a time, so that the others find its trials there."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filelock import BaseFileLock

POLL = 0.1
"""Seconds between two attempts."""


def folder_of(store: Path) -> Path:
    """Return the folder beside a store where its turns are taken, an empty file for each claim."""
    return store.with_name(f"{store.name}.turns")


@contextlib.contextmanager
def turn(store: Path, claim: str, patient: Callable[[], bool]) -> Iterator[None]:
    """Hold the turn of a claim on a store, once no other process holds it.

    The system takes a turn back from a process that has died, however it died. Where files cannot be locked all
    measure, and the store keeps each trial once.

    Args:
        store: file of the store.
        claim: id of the claim.
        patient: asked as long as another process has the turn; False goes on without it.
    """
    # Late: most commands measure nothing.
    from filelock import FileLock

    lock = FileLock(folder_of(store) / f"{claim}.lock")
    while not _taken(lock) and patient():
        time.sleep(POLL)
    try:
        yield
    finally:
        lock.release()


def _taken(lock: BaseFileLock) -> bool:
    """Whether the turn is ours now, or nobody's because there are no locks here."""
    from filelock import Timeout

    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    except (OSError, NotImplementedError):
        return True
    return True
