"""What the engine chose while it trained, for the record of a trial; free of torch, so that anything may ask."""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_noted: ContextVar[set[str] | None] = ContextVar("choices", default=None)


def note(choice: str) -> None:
    """Add a choice to those being recorded, if any are."""
    noted = _noted.get()
    if noted is not None:
        noted.add(choice)


@contextlib.contextmanager
def recorded() -> Iterator[set[str]]:
    """Collect the choices that are noted inside."""
    noted: set[str] = set()
    token = _noted.set(noted)
    try:
        yield noted
    finally:
        _noted.reset(token)
