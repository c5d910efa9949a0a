"""Specifications as an enemy, a careless editor or a broken disk would leave them.

Each is one of the real claim.yaml files, changed in one to four places; which, follows from the seed and the index alone.
"""

from __future__ import annotations

import copy
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from harness.errors import SpecError
from harness.trials.catalogue import load_claim
from tests.fuzz.loading import Outcome, one_problem, outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROJECT = Path(__file__).parents[2]

HOSTILE = (
    ".nan", "nan", ".inf", "-.inf", "inf", "1e999", "-1e999", "1e308", "-1e308", "5e-324", "0", "-0.0", "-1", "0x7f", "0o17",
    "1_000", "9" * 19, "9" * 400, "9" * 5000, "0." + "0" * 3000 + "1", "1:30:00", "2026-11-21", "2026-13-45", "2026-11-21T00:00:00Z",
    "true", "null", "~", "''", '"\\x1b[31mred\\x1b[0m"', '"\\x1b]0;title\\x07"', '"a\\0b"', '"\\u202egnp.exe"', '"\\ud800"', '"\\u2028"',
    "../x", "../../../../etc/passwd", "/etc/passwd", "C:\\x", "CON", ".", "..", "<script>alert(1)</script>", "'](javascript:alert(1))'",
    "'|'", "'```'", "']]>'", "'&lt;'", "!!python/object/apply:os.system ['true']", "!!python/name:os.system", "!!binary aGk=",
    "!!timestamp 2026-01-01", "!!float x", "!<tag:x> y", "! 12", "*a", "&a x", "&a [*a]", "[]", "{}", "[[[]]]", "{a: {b: {c: 1}}}",
    "[1, x, null, .nan]", "=", "<<", "@x", "`x`", "%x", "|", ">", "- x", "? x", "\x07", "\ufeff", "\u202e\u2066evil", "x" * 5000,
    "\U0001f600" * 50, "é" * 100, "\t", "#",
)  # fmt: skip
"""Scalars, and what stands where a scalar is meant."""

BYTES = (
    b"\x00",
    b"\xff",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    b"\xc0\xaf",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
    b"\x1b[2J",
    b"\xc2\x9b31m",
    b"\r",
    b"\x85",
    b"\xe2\x80\xa8",
)
"""What is no UTF-8, or no character that a text has."""

LAUGHS = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9) if i else 'ha'}]\n" for i in range(12))
"""A document of a few hundred bytes that would be 9 to the power of 11 values."""

_SCALAR = re.compile(rb"(?<=[:,\[\s-] )[^\s,\[\]{}#:][^,\[\]{}#:\n]*|(?<=[\[{])[^\s,\[\]{}#:]+")

_NAMED = re.compile(rb"[&*]\w")
"""Anchors and aliases: what they stand for may be endless."""


@dataclass(frozen=True)
class Original:
    """A real specification.

    Attributes:
        document: folder of its document.
        claim: its folder.
        text: claim.yaml.
        about: document.yaml.
    """

    document: str
    claim: str
    text: bytes
    about: bytes


def originals() -> list[Original]:
    """Return the real specifications of this project."""
    return [
        Original(
            path.parents[1].name, path.parent.name, path.read_bytes(), (path.parents[1] / "document.yaml").read_bytes()
        )
        for path in sorted((PROJECT / "claims").glob("*/*/claim.yaml"))
    ]


def mutated(seed: int, index: int, sources: list[Original]) -> tuple[Original, bytes]:
    """Return a real specification, and what became of its text."""
    chance = random.Random(f"{seed} {index}")
    source = chance.choice(sources)
    text = source.text
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        text = chance.choice(CHANGES)(text, chance)
    return source, text


def load(folder: Path, source: Original, text: bytes) -> Outcome:
    """Give a text to the loader in the place of a specification, below `folder`; return what becomes of it."""
    home = folder / source.document / source.claim
    home.mkdir(parents=True, exist_ok=True)
    (home.parent / "document.yaml").write_bytes(source.about)
    (home / "claim.yaml").write_bytes(text)
    return outcome_of(lambda: load_claim(home), SpecError, one_problem)


# Changes of the bytes.


def flip(text: bytes, chance: random.Random) -> bytes:
    """Flip bits here and there."""
    changed = bytearray(text or b"x")
    for _ in range(chance.randint(1, 8)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def insert_bytes(text: bytes, chance: random.Random) -> bytes:
    """Put what is no text into the text."""
    at = chance.randint(0, len(text))
    return text[:at] + chance.choice(BYTES) * chance.randint(1, 3) + text[at:]


def cut(text: bytes, chance: random.Random) -> bytes:
    """Lose the end, or a piece."""
    first, last = sorted((chance.randint(0, len(text)), chance.randint(0, len(text))))
    return text[:first] if chance.random() < 0.5 else text[:first] + text[last:]


# Changes of the lines.


def lines_changed(text: bytes, chance: random.Random) -> bytes:
    """Drop, repeat, swap or move lines."""
    lines = text.splitlines(keepends=True) or [b"\n"]
    one, two = chance.randrange(len(lines)), chance.randrange(len(lines))
    kind = chance.choice(("drop", "repeat", "swap", "move"))
    if kind == "drop":
        del lines[one]
    elif kind == "repeat":
        lines[one:one] = [lines[one]] * chance.choice((1, 2, 200))
    elif kind == "swap":
        lines[one], lines[two] = lines[two], lines[one]
    else:
        lines.insert(two, lines.pop(one))
    return b"".join(lines)


def indentation(text: bytes, chance: random.Random) -> bytes:
    """Indent a line by tabs, or otherwise than its neighbours."""
    lines = text.splitlines(keepends=True) or [b"\n"]
    at = chance.randrange(len(lines))
    lines[at] = chance.choice((b"\t", b" ", b"   ", b"\t\t", b"\xc2\xa0")) + lines[at].lstrip(
        chance.choice((b" ", b""))
    )
    return b"".join(lines)


def insert_line(text: bytes, chance: random.Random) -> bytes:
    """Put a line of YAML's cleverness among the others."""
    lines = text.splitlines(keepends=True)
    added = chance.choice(
        (
            LAUGHS, "<<: {title: merged}\n", "<<: *a\n", "id: again\n", "id: again\n" * 300, "---\n", "...\n", "%YAML 1.2\n---\n",
            "".join(f"%TAG !{i}! x\n" for i in range(5000)), "".join(f"key_{i}: {i}\n" for i in range(2500)), "? [a, b]\n: c\n",
            "[" * 5000 + "\n", "a: " + "{b: " * 5000 + "\n", "- " * 3000 + "x\n", "x: [" + "*a, " * 5000 + "]\n", f"x: {'y' * 90_000}\n",
            f"{'k' * 50_000}: 1\n", f"# {'c' * 90_000}\n", f"x: [{', '.join(map(str, range(2500)))}]\n", "x" * 200_000, "&a " * 1000,
            "arms: &a {x: {}}\ncontrols: *a\n", "conditions: {" + ", ".join(f"c{i}: [1, 2, 3, 4]" for i in range(40)) + "}\n",
        )
    )  # fmt: skip
    at = chance.randint(0, len(lines) - 1) if lines else 0
    # Mostly as deep as the line that follows, so that it is read and not only parsed.
    beside = len(lines[at]) - len(lines[at].lstrip(b" ")) if lines else 0
    indent = b" " * chance.choice((beside, beside, beside, 0, 3))
    block = b"".join(indent + line for line in added.encode().splitlines(keepends=True))
    return b"".join([*lines[:at], block, *lines[at:]])


def scalar(text: bytes, chance: random.Random) -> bytes:
    """Replace a scalar by a hostile one."""
    found = list(_SCALAR.finditer(text))
    if not found:
        return text
    at = chance.choice(found)
    return text[: at.start()] + chance.choice(HOSTILE).encode() + text[at.end() :]


# Changes of the values.

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**62, 2**64, -(2**70), 1e308, -1e308, 5e-324, float("nan"), float("inf"), "", "net", "take", "1/n_test",
    "../x", "/etc/passwd", "a\0b", "\x1b[31m", "\u202ex", "x" * 5000, [], {}, [[]], [None], [1, 1.0, True], list(range(1200)), {"x": 1},
    {"arm": "x"}, {"take": "mean"}, {"mean": "x"}, {"../x": 1}, {"values": [1, 2], "together": True},
)  # fmt: skip


def value(text: bytes, chance: random.Random) -> bytes:
    """Change the values that the text stands for, if it stands for any, and write them anew."""
    if len(text) > 50_000 or _NAMED.search(text):
        return text
    try:
        plain = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        where = [place for place in places(plain) if place]
    except Exception:
        return text
    if not where:
        return text
    changed = copy.deepcopy(plain)
    for _ in range(chance.randint(1, 3)):
        mutate(
            changed, chance.choice(where), chance.choice(("replace", "drop", "rename", "add")), chance.choice(VALUES)
        )
    return yaml.safe_dump(changed, allow_unicode=True, sort_keys=False).encode("utf-8", "surrogatepass")


def places(plain: Any, where: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the location of every part of a plain value."""
    yield where
    items = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    for key, part in items:
        yield from places(part, (*where, key))


def mutate(plain: Any, place: tuple[str | int, ...], change: str, odd: Any) -> None:
    """Replace, drop, rename or add something at a place, if it is still there."""
    holder = plain
    for key in place[:-1]:
        if not (isinstance(holder, dict) and key in holder) and not (
            isinstance(holder, list) and key in range(len(holder))
        ):
            return
        holder = holder[key]
    last = place[-1]
    if isinstance(holder, list) and isinstance(last, int) and last < len(holder):
        holder[last] = odd
    elif isinstance(holder, dict) and last in holder:
        if change == "replace":
            holder[last] = odd
        elif change == "drop":
            del holder[last]
        elif change == "rename":
            holder[f"{last}x"] = holder.pop(last)
        else:
            holder[odd if isinstance(odd, str) else "added"] = odd


CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    flip, insert_bytes, cut, lines_changed, lines_changed, indentation, insert_line, scalar, scalar, value, value,
)  # fmt: skip
