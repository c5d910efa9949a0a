"""A lock on a file: the system takes it back from a process that has died, however it died (flock(2))."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

POLL = 0.05
"""Seconds between two attempts."""


@contextlib.contextmanager
def locked(path: Path, patient: Callable[[], bool], *, alone: bool) -> Iterator[bool]:
    """Hold the lock on a file, by ourselves or with others who do not ask for more; yield whether it is held.

    Raises:
        ImportError, OSError: files cannot be locked here.
    """
    import fcntl

    file = _open(path)
    try:
        while not (taken := _taken(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)) and patient():
            time.sleep(POLL)
        if taken and not _is(file, path):  # somebody tidied the folder up meanwhile
            with locked(path, patient, alone=alone) as again:
                yield again
            return
        yield taken
    finally:
        # Not by closing alone: a process forked meanwhile has the file open, too.
        fcntl.flock(file, fcntl.LOCK_UN)
        os.close(file)


def _open(path: Path) -> int:
    """Open a lock file, for reading only, so that it may be another user's."""
    try:
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        with contextlib.suppress(FileExistsError):
            return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CREAT | os.O_EXCL, 0o644)
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW)


def _taken(file: int, mode: int) -> bool:
    import fcntl

    try:
        fcntl.flock(file, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
