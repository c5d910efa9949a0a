"""Text that others wrote, made harmless where it is shown: in a terminal, in Markdown, in XML, in JSON.

A specification, an exception, a store or a path may say anything: codes that move a terminal's cursor, marks that turn
the direction of writing, HTML, characters that no file can hold. It is stored as it is, and passes through here on its
way out; what cannot be shown as itself shows as U+FFFD.
"""

from __future__ import annotations

import html
import json
import re
import string
from typing import Any

REPLACEMENT = "\ufffd"

LONGEST = 2000
"""Characters of a message that is shown; an exception may bring megabytes."""

JOINERS = frozenset("\u00ad\u200c\u200d")
"""Soft hyphen, non-joiner, joiner: invisible, but words of some languages are not spelt without them."""

_COMMAND = re.compile(r"^([^\S\n]*):(?=:)", re.MULTILINE)

_INLINE = re.compile(r"([\\`*_\[\]|~$])")
_PUNCTUATION = frozenset(string.punctuation) - frozenset(".,;()?!")

_LEADING = re.compile(r"^([#=]|[+-](?=[\s+-]|$)|\d{1,9}(?=[.)](?:\s|$)))(.?)")


def escape_unprintable(value: object, keep: str = "") -> str:
    """Return text of which every character shows; the characters of `keep` are left as they are.

    Space of any kind becomes a blank. Controls (C0, C1, ESC among them), marks of direction, other invisible formats,
    surrogates, private and unassigned characters become U+FFFD.
    """
    text = str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep or c in JOINERS else _shown(c) for c in text)


def _shown(character: str) -> str:
    return " " if character.isspace() else REPLACEMENT


def one_line(value: object) -> str:
    """Return text on one line, with single blanks between its words."""
    return " ".join(escape_unprintable(value).split())


def block(value: object) -> str:
    """Return text of several lines, each harmless in a terminal and in the log of a CI job; tabs stay."""
    return without_ci_commands(escape_unprintable(value, "\n\t"))


def without_ci_commands(text: str) -> str:
    """Return text of which GitHub's runner, which reads what a job prints, takes no line for a command."""
    return _COMMAND.sub(r"\1: ", text).replace("##[", "## [")


def shortened(text: str, longest: int = LONGEST) -> str:
    """Return text of at most `longest` characters, the last an ellipsis if there were more."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def message_of(error: BaseException) -> str:
    """Return what an exception says, on one line of bounded length; an exception may fail even to say it."""
    try:
        return shortened(one_line(error))
    except Exception:
        return "(an exception that cannot say what it is)"


def in_markdown(value: object) -> str:
    """Return one line that Markdown and HTML show as it is, at the beginning of a line as within it."""
    text = _INLINE.sub(r"\\\1", html.escape(one_line(value), quote=False))
    return _LEADING.sub(_escaped_start, text)


def in_html(value: object) -> str:
    """Return one line that HTML shows as it is, and Markdown around it takes for text: its marks are written as numbers."""
    return "".join(f"&#{ord(c)};" if c in _PUNCTUATION else c for c in one_line(value))


def _escaped_start(found: re.Match[str]) -> str:
    mark, after = found.groups()
    # Of `1. x` the full stop makes the list, of `# x` the first character itself.
    return f"{mark}\\{after}" if mark.isdigit() else f"\\{mark}{after}"


def in_xml(value: object) -> str:
    """Return text that XML 1.0 can hold; the writer of the XML escapes markup."""
    return escape_unprintable(value, "\n\t")


def as_json(value: Any, indent: int | None = None) -> str:
    """Return JSON whose file is harmless in a terminal and within HTML; what it holds is unchanged.

    Raises:
        ValueError: a number is not finite.
    """
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    return "\n".join(line if line.isprintable() else "".join(map(_escaped, line)) for line in text.split("\n"))


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    # json.dumps leaves DEL as it is.
    return "\\u007f" if character == "\x7f" else json.dumps(character)[1:-1]
