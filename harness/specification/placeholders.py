"""Text with placeholders: `{seed}`, `{out}`, `{learning_rate}`; a literal brace is doubled."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_PART = re.compile(r"\{\{|\}\}|\{(?P<name>[a-z][a-z0-9_]*)\}|[{}]")


def names_in(text: str) -> list[str]:
    """Return the names between braces, in order.

    Raises:
        ValueError: a brace that is neither doubled nor around a name.
    """
    parts = list(_PART.finditer(text))
    for part in parts:
        if part[0] in ("{", "}"):
            raise ValueError(
                f"a single {part[0]!r} after {part.start()} characters: a placeholder is {{name}} in small letters, and literal "
                "braces are doubled, {{ and }}"
            )
    return [part["name"] for part in parts if part["name"]]


def filled(text: str, values: Mapping[str, Any]) -> str:
    """Return the text with values in the place of names: text as it is, all else as JSON writes it (0.1, true, [1, 2])."""

    def put(part: re.Match[str]) -> str:
        if part["name"] is None:
            return part[0][0]
        value = values[part["name"]]
        return value if isinstance(value, str) else json.dumps(value)

    return _PART.sub(put, text)
