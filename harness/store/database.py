"""One SQLite file with the tables of a store: opening, migrating, reading, writing.

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

SCHEMA_VERSION = 6

REMEDY = "put a sound copy there, or give another with --claims-store"

_STEPS = (
    """
CREATE TABLE run (
    id TEXT PRIMARY KEY, started TEXT NOT NULL, options TEXT NOT NULL, machine TEXT NOT NULL, finished TEXT
) STRICT;
CREATE TABLE trial (
    key TEXT PRIMARY KEY, claim TEXT NOT NULL, arm TEXT NOT NULL, condition TEXT NOT NULL, settings TEXT NOT NULL,
    base_seed INTEGER NOT NULL, seed INTEGER NOT NULL, status TEXT NOT NULL CHECK (status IN ('finished', 'failed')),
    metrics TEXT NOT NULL, seconds REAL NOT NULL, error TEXT, environment TEXT NOT NULL, run TEXT NOT NULL,
    finished TEXT NOT NULL
) STRICT;
CREATE INDEX trial_of_claim ON trial (claim, seed);
CREATE TABLE record (
    run TEXT NOT NULL, claim TEXT NOT NULL, record TEXT NOT NULL, finished TEXT NOT NULL, PRIMARY KEY (run, claim)
) STRICT;
""",
    """
ALTER TABLE trial ADD COLUMN peak_bytes INTEGER;
CREATE TABLE noise (
    claim TEXT NOT NULL, fingerprint TEXT NOT NULL, record TEXT NOT NULL, finished TEXT NOT NULL,
    PRIMARY KEY (claim, fingerprint)
) STRICT;
""",
    """
ALTER TABLE trial ADD COLUMN choices TEXT NOT NULL DEFAULT '';
""",
    """
ALTER TABLE trial ADD COLUMN company TEXT;
""",
    """
CREATE TABLE beside (
    claim TEXT NOT NULL, kind TEXT NOT NULL, fingerprint TEXT NOT NULL, record TEXT NOT NULL, finished TEXT NOT NULL,
    PRIMARY KEY (claim, kind, fingerprint)
) STRICT;
""",
    """
ALTER TABLE trial ADD COLUMN clock TEXT;
CREATE TABLE inputs (digest TEXT PRIMARY KEY, content TEXT NOT NULL) STRICT;
ALTER TABLE trial ADD COLUMN inputs TEXT;
""",
)
"""What leads from each schema version to the next; the first from an empty file."""


BUSY_SECONDS = 30.0
"""How long to wait for another process that writes."""

TABLES = {
    "run": ("id", "started", "options", "machine", "finished"),
    "trial": (
        "key", "claim", "arm", "condition", "settings", "base_seed", "seed", "status", "metrics", "seconds", "error",
        "environment", "run", "finished", "peak_bytes", "choices", "company", "clock", "inputs",
    ),
    "record": ("run", "claim", "record", "finished"),
    "noise": ("claim", "fingerprint", "record", "finished"),
    "beside": ("claim", "kind", "fingerprint", "record", "finished"),
    "inputs": ("digest", "content"),
}  # fmt: skip
"""The columns of each table, in order."""

ROWS = {
    "run": "runs",
    "trial": "trials",
    "record": "records",
    "noise": "noise floors",
    "beside": "pictures and timings",
    "inputs": "sets of inputs",
}
"""What the rows of each table are."""


class Database:
    """An open file, brought to this version's schema.

    Raises:
        UsageError: it cannot be opened, is no store, or is of a later schema.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = DELETE")
            self._database.execute("PRAGMA synchronous = FULL")
            self._migrate()
        except (sqlite3.Error, OSError, ValueError) as error:
            raise UsageError(f"{path}: cannot be used as a store: {error}; give another with --claims-store") from None

    @classmethod
    def copy_of(cls, path: Path) -> Self:
        """Return a copy in memory of a store: it can be migrated, written and thrown away, and the file stays as it is.

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
            copy._migrate()
        except sqlite3.Error as error:
            copy.close()
            raise UsageError(f"{path}: cannot be read as a store: {error}; give another with --store") from None
        return copy

    def _migrate(self) -> None:
        """Bring the file to SCHEMA_VERSION; several processes may try at once.

        A file that is there already is not written to, so that it can be read where nothing can be written.
        """
        if self._database.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION:
            return
        self._database.execute("BEGIN IMMEDIATE")
        try:
            version = self._database.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise UsageError(
                    f"{self.path}: was written by a later version (schema {version}, this is {SCHEMA_VERSION}); upgrade claims-harness"
                )
            for step in _STEPS[version:]:
                for statement in filter(str.strip, step.split(";\n")):
                    self._database.execute(statement)
            self._database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the table and the columns of every row."""
        for table, columns in TABLES.items():
            for row in self._read(f"SELECT {', '.join(columns)} FROM {table} ORDER BY rowid"):
                yield table, dict(zip(columns, row, strict=True))

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
