"""Who measures on this machine: one trial alone, whose durations count, or several beside each other.

Two empty files in the system's folder for temporary ones are locked (flock(2)): while trials are measured that may have
company, shared; while a duration is measured, by one process alone. The system takes a lock back from a process that has
died, however it died. Who asks to be alone closes the gate behind those that are there, so that no stream of others keeps
it waiting for ever.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness.trials.file_lock import locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Company = Literal["alone", "beside others"]

FOLDER = "CLAIMS_LOCKS"
"""Variable of the environment: the folder of the two files, for machines on which runs do not share one for temporary files."""

INSIDE = "CLAIMS_INSIDE"
"""Variable of the environment of a call of measure(): in whose company it is, for runs that are begun by it."""

TRIALS, GATE = "claims-harness-trials.lock", "claims-harness-gate.lock"


@contextlib.contextmanager
def occupied(*, alone: bool, patient: Callable[[], bool]) -> Iterator[Company | None]:
    """Hold the machine while trials are measured, once nobody does who may not be beside them.

    Yields in whose company that is, None if it could not be held. A run within a call of measure() waits for nobody, least
    of all for that call: it is in its company. Where files cannot be locked, nobody can tell, and everybody counts as alone.

    Args:
        alone: durations are measured, so nothing else may be.
        patient: asked as long as somebody else holds the machine; False gives up.
    """
    if os.environ.get(INSIDE):
        yield "alone" if alone and os.environ[INSIDE] == "alone" else "beside others"
        return
    wanted: Company = "alone" if alone else "beside others"
    with contextlib.ExitStack() as held:
        try:
            folder = Path(os.environ.get(FOLDER) or tempfile.gettempdir())
            with locked(folder / GATE, patient, alone=alone) as inside:
                holds = inside and held.enter_context(locked(folder / TRIALS, patient, alone=alone))
        except (ImportError, OSError):
            holds = True
        yield wanted if holds else None


def waiting(say: Callable[[str], None], words: str, still: Callable[[], bool] = lambda: True) -> Callable[[], bool]:
    """Return what is asked while somebody waits: the first time `words` are said; False as soon as `still` is."""
    told = False

    def patient() -> bool:
        nonlocal told
        if not still():
            return False
        if not told:
            say(words)
        told = True
        return True

    return patient


@contextlib.contextmanager
def calling(*, alone: bool) -> Iterator[None]:
    """Tell runs that are begun inside in whose company they are."""
    before = os.environ.get(INSIDE)
    os.environ[INSIDE] = "alone" if alone else "beside others"
    try:
        yield
    finally:
        os.environ.pop(INSIDE)
        if before is not None:
            os.environ[INSIDE] = before
