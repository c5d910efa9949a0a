"""Which lines of some files run: a broken line that nothing runs can be noticed by nothing."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from types import FrameType


@contextlib.contextmanager
def lines_reached(files: Collection[str]) -> Iterator[dict[str, set[int]]]:
    """Yield file -> the lines that this thread runs inside, filled as they run; what traced before traces again afterwards.

    Args:
        files: absolute paths, as modules are imported from them; without any nothing is traced.
    """
    found: dict[str, set[int]] = {path: set() for path in files}

    def called(frame: FrameType, _event: str, _argument: object) -> object:
        return within if frame.f_code.co_filename in found else None

    def within(frame: FrameType, event: str, _argument: object) -> object:
        if event == "line":
            found[frame.f_code.co_filename].add(frame.f_lineno)
        return within

    before = sys.gettrace()
    if found:
        sys.settrace(called)  # type: ignore[arg-type]
    try:
        yield found
    finally:
        sys.settrace(before)
