"""Files of results, read: rows with where they stand, those of a cell by its columns' values."""

from __future__ import annotations

import csv
import hashlib
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.errors import DataError
from harness.specification.globs import matches
from harness.trials.command_output import cell, numbered, value_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PART = re.compile(r"\{(?P<name>[a-z][a-z0-9_]*)\}|(?P<folders>\*\*/)|(?P<any>\*)|(?P<one>\?)|(?P<text>.)", re.DOTALL)


class Row(NamedTuple):
    """A row of results.

    Attributes:
        place: where it stands: file:line:column, of a list in JSON with the number of its item.
        values: column -> value, those that the file's name holds among them.
    """

    place: str
    values: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Rows:
    """All rows of some files.

    Attributes:
        rows: in the order of the files' names, and within a file as they stand.
        sha256: of the files' names and contents.
        files: how many there are.
    """

    rows: list[Row]
    sha256: str
    files: int
    _by_columns: dict[tuple[str, ...], dict[tuple[str, ...], list[Row]]] = field(default_factory=dict, repr=False)

    def where(self, columns: Mapping[str, Any]) -> list[Row]:
        """Return the rows that have these values in these columns, compared as text."""
        names = tuple(columns)
        if names not in self._by_columns:
            found: dict[tuple[str, ...], list[Row]] = {}
            for row in self.rows:
                found.setdefault(tuple(as_text(value_at(row.values, name)) for name in names), []).append(row)
            self._by_columns[names] = found
        return self._by_columns[names].get(tuple(map(as_text, columns.values())), [])

    def values(self, column: str) -> list[str]:
        """Return the different values of a column, as text; none if no row has it."""
        found = (value_at(row.values, column) for row in self.rows)
        return list(dict.fromkeys(as_text(value) for value in found if value not in (None, "")))


def as_text(value: Any) -> str:
    """Return a value as files of all kinds write it: 3 for 3.0, true for Python's True; empty for nothing."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = "" if value is None else str(value)
    return text.lower() if text in ("True", "False") else text


def read_rows(pattern: str, project: Path) -> Rows:
    """Return the rows of the files that a pattern names; files that are as they were are read once in the life of a process.

    Raises:
        DataError: there is no such file, or one cannot be read, is not what its name's ending says, or changes meanwhile.
    """
    paths = matches(re.sub(r"\{\w+\}", "*", pattern), project)
    files = tuple((path, named.groupdict()) for path in paths if (named := _name(pattern).fullmatch(path)))
    if not files:
        raise DataError(f"{pattern!r} names no file below {project}; give one, or a glob with fields in braces")
    return _rows(project, tuple((path, tuple(fields.items()), _signature(project / path)) for path, fields in files))


@lru_cache(maxsize=16)
def _rows(project: Path, files: tuple[tuple[str, tuple[tuple[str, str], ...], tuple[int, int]], ...]) -> Rows:
    rows, digests = list[Row](), list[str]()
    for path, fields, signature in files:
        content = _content(project / path, path, signature)
        digests.append(f"{path}\0{hashlib.sha256(content).hexdigest()}")
        parse = _of_parquet if path.endswith(".parquet") else _parsed
        rows += parse(content, path, {name: cell(text) for name, text in fields})
    return Rows(rows, hashlib.sha256("\n".join(digests).encode()).hexdigest(), len(files))


def _content(file: Path, path: str, signature: tuple[int, int]) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    if _signature(file) != signature or len(content) != signature[1]:
        raise DataError(f"{path}: changed while it was read; wait until whatever writes it is done, and run again")
    return content


def _signature(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_mtime_ns, found.st_size


def _parsed(content: bytes, path: str, fields: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the rows of a file; of JSON the items of a list, or the one object."""
    ending = Path(path).suffix
    try:
        for line, value in numbered(content, ending):
            items = value if isinstance(value, list) else [value]
            for number, item in enumerate(items):
                place = f"{path}:{line}:1" + (f": [{number}]" if isinstance(value, list) else "")
                if not isinstance(item, dict):
                    raise DataError(f"{place}: is no object; write one for each row, {{column: value, ...}}")
                if None in item:
                    raise DataError(f"{place}: has more cells than the first line has names; write one for each")
                yield Row(place, {**item, **fields})
    except (ValueError, RecursionError, csv.Error) as error:
        raise DataError(f"{path}: is no {ending[1:].upper()} ({error}); write it whole") from None


def _of_parquet(content: bytes, path: str, fields: Mapping[str, Any]) -> Iterator[Row]:
    try:
        from pyarrow import ArrowException, BufferReader
        from pyarrow.parquet import read_table
    except ImportError:
        raise DataError(f"{path}: reading Parquet takes pyarrow; `pip install 'claims-harness[parquet]'`") from None
    try:
        items = read_table(BufferReader(content)).to_pylist()
    except ArrowException as error:
        raise DataError(f"{path}: is no Parquet ({error}); write it whole") from None
    for number, item in enumerate(items):
        yield Row(f"{path}: [{number}]", {**item, **fields})


def _name(pattern: str) -> re.Pattern[str]:
    """Return what the names of files match; of two readings of a name the one whose first fields are longest."""
    parts = {"folders": "(?:.*/)?", "any": "[^/]*", "one": "[^/]"}
    return re.compile(
        "".join(
            f"(?P<{part['name']}>[^/]+)"
            if part["name"]
            else parts.get(part.lastgroup or "", re.escape(part["text"] or ""))
            for part in _PART.finditer(pattern)
        )
    )
