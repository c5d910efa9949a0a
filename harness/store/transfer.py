"""A store as lines of JSON, and back: for another machine's trials, for archives, for other tools."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError
from harness.store.cells import metrics_of, object_of
from harness.store.database import SCHEMA_VERSION, TABLES
from harness.trials.provenance import canonical, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.store.store import Store

_KEY = re.compile(r"[0-9a-f]{64}")

FORMAT = "claims-harness store"
"""What the first line of a file says that it is."""


def export(store: Store, path: Path) -> dict[str, int]:
    """Write everything in a store, a line of JSON each, and return how many rows of each table there are.

    The first line names the format and the schema version; each other one is {"table": name, "row": {column: value}}.

    Raises:
        UsageError: the file cannot be written.
    """
    counts = dict.fromkeys(TABLES, 0)
    try:
        with path.open("w", encoding="utf-8") as file:
            file.write(canonical({"format": FORMAT, "schema": SCHEMA_VERSION}) + "\n")
            for table, row in store.rows():
                file.write(canonical({"table": table, "row": row}) + "\n")
                counts[table] += 1
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}; give another file") from None
    return counts


def merge(store: Store, path: Path) -> dict[str, int]:
    """Add what a file of `export` holds to a store and return how many rows of each table were new.

    Trials are merged by key as `Store.save_trial` does it: a finished one gives way only to one with more metrics. Either
    all lines are taken or, if one is no such line, none.

    Raises:
        UsageError: the file cannot be read, or a line of it is not what it should be.
    """
    lines = _Lines(path)
    try:
        return store.add(lines)
    except UsageError as error:
        here = str(error).startswith(str(path))
        raise error if here else UsageError(f"{lines.where}: {error}") from None


class _Lines:
    """The rows in a file of `export`, each with its table, checked one after the other.

    Attributes:
        where: file and line of the last one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.where = str(path)

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for where, table, row in _checked(self._path):
            self.where = where
            yield table, row


def _checked(path: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield where every line but the first stands, its table and its row."""
    number = 0
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                where = f"{path}:{number}"
                found = _object(line, where)
                if number == 1:
                    _check_head(found, where)
                else:
                    yield where, *_row(found, where)
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path}:{number + 1}: is no UTF-8 ({error.reason} at byte {error.start} of a block)"
        ) from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; give a file that `claims export` wrote") from None
    if not number:
        raise UsageError(f"{path}: is empty; `claims export` writes a first line that names the format")


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where}: is no JSON ({error}); was the file cut off? export it again") from None
    if not isinstance(found, dict):
        raise UsageError(f"{where}: {type(found).__name__}, where an object is wanted; export it again")
    return found


def _check_head(found: dict[str, Any], where: str) -> None:
    if found.get("format") != FORMAT:
        raise UsageError(
            f"{where}: format: {found.get('format')!r}, not {FORMAT!r}; give a file that `claims export` wrote"
        )
    schema = found.get("schema")
    if not isinstance(schema, int) or schema > SCHEMA_VERSION:
        raise UsageError(f"{where}: schema: {schema!r} is later than {SCHEMA_VERSION}; upgrade claims-harness")


def _row(found: dict[str, Any], where: str) -> tuple[str, dict[str, Any]]:
    table, row = found.get("table"), found.get("row")
    if table not in TABLES:
        raise UsageError(f"{where}: table: {table!r}; there are {', '.join(TABLES)}")
    if not isinstance(row, dict):
        raise UsageError(f"{where}: row: {type(row).__name__}, where an object is wanted")
    unknown = sorted(set(row) - set(TABLES[table]))
    if unknown:
        raise UsageError(f"{where}: row: {unknown[0]!r} is no column of {table}")
    for name in _OBJECTS[table]:
        object_of(row.get(name), f"{where}: {name}")
    if table == "trial":
        _check_trial(row, where)
    if table == "inputs" and digest_of(object_of(row["content"], where)) != row.get("digest"):
        raise UsageError(f"{where}: content: is not what its digest says; export it again")
    return table, row


_OBJECTS = {
    "inputs": ("content",),
    "run": ("options", "machine"),
    "trial": ("condition", "settings", "metrics", "environment"),
    "record": ("record",),
    "noise": ("record",),
    "beside": ("record",),
}
"""Columns that hold objects as JSON."""


def _check_trial(row: dict[str, Any], where: str) -> None:
    """Refuse a trial under a key that is none, and a finished one without numbers."""
    key = row.get("key")
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise UsageError(f"{where}: key: {str(key)[:70]!r} is no SHA-256")
    if not metrics_of(row["metrics"], f"{where}: metrics") and row.get("status") == "finished":
        raise UsageError(f"{where}: metrics: {row['metrics'][:60]!r}, where a finished trial has numbers")
