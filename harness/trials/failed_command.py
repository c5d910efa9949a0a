"""What a command that failed wrote last: the exception says its exit code only."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from harness._text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

LINES = 5
LONGEST = 1000
"""Lines and characters that are shown, the last ones."""

CAPTURE = "subprocess.run(..., check=True, capture_output=True, text=True) brings its last lines here"


def last_words(error: BaseException) -> str:
    """Return the end of what a command said before an exception, on one line; nothing if no command failed."""
    for each in _chain(error):
        if isinstance(each, subprocess.CalledProcessError | subprocess.TimeoutExpired):
            name, said = ("stderr", each.stderr) if each.stderr else ("output", each.output)
            if said:
                return f"; the command's {name} ends: {_end(said)}"
            captured = each.stderr is not None or each.output is not None
            return "; the command said nothing" if captured else f"; its stderr was not captured: {CAPTURE}"
    return ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those that led to it."""
    seen: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in seen:
        seen.append(each)
        yield each
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)


def _end(said: str | bytes) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    lines = [one_line(line) for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-LINES:])[-LONGEST:]
