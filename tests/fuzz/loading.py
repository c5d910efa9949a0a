"""What becomes of a file that is given to a loader: accepted, refused in words, or neither; and how long it took."""

from __future__ import annotations

import contextlib
import re
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 0.2
"""Seconds of processor time in which a file is accepted or refused."""

LINE = re.compile(r"\S+/(?:claim|document)\.yaml:\d+:\d+: [^\n]+: [^\n]+")
"""A problem of a specification: `file:line:column: field: what`."""


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Attributes:
        word: accepted, refused, or traceback (an error of another kind, or a refusal that names no place).
        seconds: processor time.
        detail: what was said of it.
    """

    word: str
    seconds: float
    detail: str = ""

    @property
    def slow(self) -> bool:
        """Whether it took too long."""
        return self.seconds >= LIMIT

    @property
    def wrong(self) -> bool:
        """Whether this must not happen."""
        return self.slow or self.word == "traceback"


def outcome_of(load: Callable[[], object], refusal: type[Exception], is_clear: Callable[[str], bool]) -> Outcome:
    """Return what becomes of a file: `refusal` is the error for the user, and each of its texts must be clear."""
    started = time.process_time()
    try:
        load()
        word, detail = "accepted", ""
    except refusal as error:
        texts = getattr(error, "problems", [str(error)])
        word, detail = "refused" if texts and all(map(is_clear, texts)) else "traceback", "\n".join(texts)
    except Exception:
        word, detail = "traceback", traceback.format_exc()
    seconds = time.process_time() - started
    return Outcome(word, seconds if seconds < LIMIT else seconds_of(lambda: _again(load)), detail)


def _again(load: Callable[[], object]) -> None:
    with contextlib.suppress(Exception):
        load()


def seconds_of(work: Callable[[], object]) -> float:
    """Return the shortest of three times: a pause of the garbage collector, on a full heap, is not the loader's."""
    times = []
    for _ in range(3):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def one_problem(text: str) -> bool:
    """Whether a text is a problem as an editor can jump to it."""
    return LINE.fullmatch(text) is not None


def one_sentence(text: str) -> bool:
    """Whether a text is one line that says something."""
    return bool(text.strip()) and "\n" not in text
