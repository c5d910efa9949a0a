"""One SQLite file with the tables of a store: opening, reading, writing, merging.

journal_mode DELETE (SQLite before 3.51.3 can corrupt a database in WAL mode) and synchronous FULL: what has been written
is on disk.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self

SCHEMA_VERSION = 2

APPLICATION = 0x434C4D53
"""What SQLite's header says that the file is (`CLMS`): a store, and none of the years before its first schema."""

REMEDY = "put a sound copy there, or give another with --claims-store"

_SCHEMA = """
CREATE TABLE run (
    id TEXT PRIMARY KEY, started TEXT NOT NULL, options TEXT NOT NULL, machine TEXT NOT NULL, finished TEXT
) STRICT;
CREATE TABLE trial (
    key TEXT PRIMARY KEY, claim TEXT NOT NULL, arm TEXT NOT NULL, condition TEXT NOT NULL, settings TEXT NOT NULL,
    base_seed INTEGER NOT NULL, seed INTEGER NOT NULL, status TEXT NOT NULL CHECK (status IN ('finished', 'failed')),
    metrics TEXT NOT NULL, seconds REAL NOT NULL, error TEXT, environment TEXT NOT NULL, run TEXT NOT NULL,
    finished TEXT NOT NULL, peak_bytes INTEGER, choices TEXT NOT NULL, batch_seeds TEXT NOT NULL, place TEXT, inputs TEXT,
    log TEXT NOT NULL
) STRICT;
CREATE INDEX trial_of_claim ON trial (claim, seed);
CREATE TABLE record (
    run TEXT NOT NULL, claim TEXT NOT NULL, record TEXT NOT NULL, finished TEXT NOT NULL, PRIMARY KEY (run, claim)
) STRICT;
CREATE INDEX record_of_claim ON record (claim);
CREATE TABLE beside (
    claim TEXT NOT NULL, kind TEXT NOT NULL, fingerprint TEXT NOT NULL, record TEXT NOT NULL, finished TEXT NOT NULL,
    PRIMARY KEY (claim, kind, fingerprint)
) STRICT;
CREATE TABLE inputs (digest TEXT PRIMARY KEY, content TEXT NOT NULL) STRICT;
CREATE TABLE place (digest TEXT PRIMARY KEY, content TEXT NOT NULL) STRICT;
"""

BUSY_SECONDS = 30.0
"""How long to wait for another process that writes."""

TABLES = {
    "run": ("id", "started", "options", "machine", "finished"),
    "trial": (
        "key", "claim", "arm", "condition", "settings", "base_seed", "seed", "status", "metrics", "seconds", "error",
        "environment", "run", "finished", "peak_bytes", "choices", "batch_seeds", "place", "inputs", "log",
    ),
    "record": ("run", "claim", "record", "finished"),
    "beside": ("claim", "kind", "fingerprint", "record", "finished"),
    "inputs": ("digest", "content"),
    "place": ("digest", "content"),
}  # fmt: skip
"""The columns of each table, in order."""

ROWS = {
    "run": "runs",
    "trial": "trials",
    "record": "records",
    "beside": "pictures, timings and noise floors",
    "inputs": "sets of inputs",
    "place": "places where trials ran",
}
"""What the rows of each table are."""


class Database:
    """An open file, with the tables of a store.

    Raises:
        UsageError: it cannot be opened, is no store, or is of another schema.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = DELETE")
            self._database.execute("PRAGMA synchronous = FULL")
            self._begin()
        except (sqlite3.Error, OSError, ValueError) as error:
            raise UsageError(f"{path}: cannot be used as a store: {error}; give another with --claims-store") from None

    @classmethod
    def copy_of(cls, path: Path) -> Self:
        """Return a copy in memory of a store: it can be written and thrown away, and the file stays as it is.

        Raises:
            UsageError: there is no such file, or it is no store.
        """
        if not path.is_file():
            raise UsageError(f"{path}: no such store; `claims run` makes one, or give another with --store")
        copy = cls(Path(":memory:"))
        copy.path = path
        try:
            with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=30.0)) as file:
                file.backup(copy._database)
            copy._check("main", path)
        except sqlite3.Error as error:
            copy.close()
            raise UsageError(f"{path}: cannot be read as a store: {error}; give another with --store") from None
        return copy

    def _begin(self) -> None:
        """Make the tables in an empty file; several processes may try at once.

        A file that is there already is not written to, so that it can be read where nothing can be written.
        """
        if self._database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            self._check("main", self.path)
            return
        self._database.execute("BEGIN IMMEDIATE")
        try:
            if not self._database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                for statement in filter(str.strip, _SCHEMA.split(";\n")):
                    self._database.execute(statement)
                self._database.execute(f"PRAGMA application_id = {APPLICATION}")
                self._database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def _check(self, name: str, path: Path) -> None:
        """Refuse a database, attached as `name`, that is no store of this schema.

        Raises:
            UsageError: names the file, what it is, and what to do.
        """
        application, schema = (
            self._database.execute(f"PRAGMA {name}.{what}").fetchone()[0] for what in ("application_id", "user_version")
        )
        if application != APPLICATION:
            raise UsageError(f"{path}: is no store, or one of before schema 1; move it away, or {REMEDY}")
        if schema != SCHEMA_VERSION:
            words = f"was written by another version (schema {schema}, this is {SCHEMA_VERSION})"
            raise UsageError(f"{path}: {words}; move it away, or take the version of claims-harness that wrote it")

    def save_copy(self, path: Path) -> None:
        """Write all that the store holds to a file of its own, whoever else is using the store.

        Raises:
            UsageError: the file is there already, or cannot be written.
        """
        try:
            self._database.execute("VACUUM INTO ?", (str(path),))
        except sqlite3.Error as error:
            raise UsageError(f"{path}: cannot be written: {error}; give another file") from None

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the table and the columns of every row, a few at a time: a million trials take a gigabyte."""
        for table, columns in TABLES.items():
            query, last = (
                f"SELECT rowid, {', '.join(columns)} FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT 1000",
                0,
            )
            while rows := self._read(query, (last,)):
                yield from ((table, dict(zip(columns, row[1:], strict=True))) for row in rows)
                last = rows[-1][0]

    def counts(self) -> dict[str, int]:
        """Return how many rows each table has."""
        return {table: self._read(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}

    def integrity(self) -> str:
        """Return what SQLite says of the file: `ok`, or what it first finds damaged."""
        return str(self._read("PRAGMA integrity_check(1)")[0][0])

    def _plain(self, text: str) -> dict[str, Any]:
        """Return a record as plain values."""
        try:
            found = json.loads(text)
        except ValueError as error:
            raise UsageError(f"{self.path}: holds a record that is no JSON ({error}); {REMEDY}") from None
        if not isinstance(found, dict):
            raise UsageError(f"{self.path}: holds a record that is none, but a {type(found).__name__}; {REMEDY}")
        return found

    def _read(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query; a file may be broken in one place and sound in others."""
        try:
            return self._database.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise UsageError(f"{self.path}: cannot be read: {error}; {REMEDY}") from None

    def _write(self, statement: str, values: tuple[Any, ...] = ()) -> int:
        """Execute a statement and return how many rows it changed."""
        try:
            return self._database.execute(statement, values).rowcount
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            raise UsageError(f"{self.path}: cannot be written: {error}; everything finished before is kept") from None
