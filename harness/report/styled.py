"""Text with rich's marks of style: `[green]ok[/]`; what others wrote is escaped first."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from harness._text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable


def safe(text: object) -> str:
    """Return one line of text that others wrote, harmless in a terminal and free of marks of style."""
    from rich.markup import escape

    line = one_line(text)
    whole = line.rstrip("\\")
    # Backslashes at the end would escape the mark that comes next; before one of our own, two stand for one.
    end = "\\\\" * (len(line) - len(whole))
    return escape(whole) + (f"{end}[none][/none]" if end else "")


def plain(marked: str) -> str:
    """Return text without its marks."""
    from rich.text import Text

    return Text.from_markup(marked).plain


def styled(marked: str, width: int) -> str:
    """Return text as a terminal reads it, cut at `width` columns; without colours where NO_COLOR is set."""
    from io import StringIO

    from rich.console import Console
    from rich.text import Text

    bare = bool(os.environ.get("NO_COLOR"))
    console = Console(
        file=StringIO(), force_terminal=True, no_color=bare, width=width, highlight=False, legacy_windows=False
    )
    text = Text.from_markup(marked)
    # A line that the terminal breaks would be two, and a view that is drawn anew would climb.
    text.truncate(width, overflow="ellipsis")
    with console.capture() as captured:
        console.print(text, end="")
    return captured.get()


def show(lines: Iterable[str]) -> None:
    """Print lines: with style in a terminal, as plain text elsewhere; none is cut."""
    coloured = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    for line in lines:
        print(styled(line, max(1, 4 * len(line))) if coloured else plain(line))
