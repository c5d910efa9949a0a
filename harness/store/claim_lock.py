"""Turns: of several runs on one store one measures a claim at a time, so that the others find its trials there."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from harness.trials.file_lock import locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


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
    with contextlib.ExitStack() as held:
        with contextlib.suppress(ImportError, OSError):
            folder_of(store).mkdir(parents=True, exist_ok=True)
            held.enter_context(locked(folder_of(store) / f"{claim}.lock", patient, alone=True))
        yield
