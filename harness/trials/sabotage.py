"""sabotage.yaml beside a claim: read, and held against the files that it breaks."""

from __future__ import annotations

import ast
from importlib.util import decode_source
from typing import TYPE_CHECKING

from harness.errors import SpecError
from harness.specification.parsing import by_position, parse, suggestion
from harness.specification.sabotage import Sabotage
from harness.specification.yaml12 import first_of, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.specification.models import Claim
    from harness.specification.sabotage import BrokenLine

FILE = "sabotage.yaml"


def load_sabotage(folder: Path, claim: Claim) -> Sabotage | None:
    """Return what sabotage.yaml says, None if a claim has none.

    Args:
        folder: the claim's.
        claim: its specification, which names the readings.

    Raises:
        SpecError: every error at once: of the file, readings that are none, lines that do not stand there exactly once.
    """
    if not (folder / FILE).is_file():
        return None
    file = read_yaml(folder / FILE)
    if not claim.has_experiment:
        message = "breaks lines of a claim's own experiment.py, and this claim has none; remove it"
        raise SpecError([file.problem(("broken_lines",), message)])
    sabotage = parse(Sabotage, file)
    found = [
        file.problem(("broken_lines", number, field), message)
        for number, row in enumerate(sabotage.broken_lines)
        for field, message in _problems(row, folder, claim)
    ]
    if found:
        raise SpecError(first_of(by_position(found), file.path))
    return sabotage


def problems_of(folder: Path, claim: Claim) -> list[str]:
    """Return what is wrong with a claim's sabotage.yaml, one line each; nothing where it has none."""
    try:
        load_sabotage(folder, claim)
    except SpecError as error:
        return error.problems
    return []


def broken(row: BrokenLine, folder: Path) -> str:
    """Return the text of the file that a row breaks, with its line broken."""
    return source_of(folder / row.file).replace(row.old, row.new)


def source_of(path: Path) -> str:
    """Return the text of a module, in the encoding that it names.

    Raises:
        SyntaxError, UnicodeDecodeError: it is in none.
    """
    return decode_source(path.read_bytes())


def _problems(row: BrokenLine, folder: Path, claim: Claim) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a row, each with the field."""
    if row.reading not in claim.readings:
        yield "reading", f"no reading {row.reading!r} in claim.yaml; {suggestion(row.reading, claim.readings)}"
    path = folder / row.file
    if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
        yield "file", f"{row.file!r} is no file of the claim's folder; name the one whose line is broken"
        return
    try:
        times = source_of(path).count(row.old)
    except (SyntaxError, UnicodeDecodeError) as error:
        yield "file", f"{row.file!r} cannot be read: {error}; save it as UTF-8"
        return
    if times != 1:
        where = f"stands {times} times in {row.file}" if times else f"does not stand in {row.file}, which was edited"
        yield "old", f"{row.old!r} {where}; give a line, or a part of one, that stands there exactly once"
    elif row.old == row.new:
        yield "new", f"{row.new!r} is what stands there already; say what it is broken into"
    elif wrong := _syntax_error(broken(row, folder)):
        yield "new", f"{row.new!r} leaves no Python: {wrong}; break it into code that runs"


def _syntax_error(text: str) -> str:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError) as error:
        return str(error)
    return ""
