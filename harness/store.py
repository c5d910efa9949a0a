"""Trials, runs and records in one SQLite file; what is finished is never lost.

journal_mode DELETE (SQLite before 3.51.3 can corrupt a database in WAL mode) and
synchronous FULL: when `save_trial` returns, the trial is on disk.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.dates import now
from harness.errors import UsageError
from harness.provenance import canonical
from harness.seeds import Seed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.experiment import Metrics, Outcome, Task

SCHEMA_VERSION = 4

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
)
"""What leads from each schema version to the next; the first from an empty file."""


_SERIES_PARTS = ("data", "environment", "settings", "arms", "conditions")
"""Fields of a record that, besides the code, name the series of a night."""


@dataclass(frozen=True)
class TrialRow:
    """One trial as it is stored.

    Attributes:
        key: names code, settings, data, environment, base seed and seed.
        claim: id of the claim.
        task: the call that measured it.
        seed: the trial's seed.
        outcome: what became of it.
        environment: device, precision and versions.
    """

    key: str
    claim: str
    task: Task
    seed: Seed
    outcome: Outcome
    environment: dict[str, str]


@dataclass(frozen=True)
class StoredTrial:
    """A finished trial as it is read again.

    Attributes:
        key: names code, settings, data, environment, base seed and seed.
        seed: the trial's seed.
        metrics: what was measured.
        seconds: its part of the time of the call that measured it.
        peak_bytes: the most memory during that call, None where nobody measured it.
        run: id of the run that measured it.
    """

    key: str
    seed: Seed
    metrics: Metrics
    seconds: float
    peak_bytes: int | None
    run: str


@dataclass(frozen=True)
class PastTrial:
    """A trial as a stranger asks for it, finished or failed.

    Attributes:
        key: names code, settings, data, environment, base seed and seed.
        seed: the trial's seed.
        arm: name of the arm.
        seconds: its part of the time of the call that measured it.
        error: why it failed, None if it did not.
        run: id of the run that measured it.
        finished: when, ISO 8601 in UTC.
        condition: condition -> value.
        settings: every keyword that measure() got; what was a tuple is a list.
        metrics: what was measured; empty for a failed trial.
        environment: device, precision and versions.
        company: indices of the seeds that were measured in one call, None where an earlier version did not note them.
    """

    key: str
    seed: Seed
    arm: str
    seconds: float
    error: str | None
    run: str
    finished: str
    condition: dict[str, Any]
    settings: dict[str, Any]
    metrics: Metrics
    environment: dict[str, str]
    company: list[int] | None

    @property
    def claim(self) -> str:
        """Id of the claim."""
        return self.seed.claim


class Measured(NamedTuple):
    """What a finished trial is reused for.

    Attributes:
        metrics: what was measured.
        seconds: its part of the time of the call that measured it.
        choices: what the engine chose meanwhile, sorted.
    """

    metrics: Metrics
    seconds: float
    choices: tuple[str, ...]


class Store:
    """An open store.

    Raises:
        UsageError: the file cannot be opened, is no store, or is of a later schema.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=30.0, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = DELETE")
            self._database.execute("PRAGMA synchronous = FULL")
            self._migrate()
        except (sqlite3.Error, OSError) as error:
            raise UsageError(f"{path}: cannot be used as a store: {error}; give another with --claims-store") from None

    @classmethod
    def copy_of(cls, path: Path) -> Store:
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
        """Bring the file to SCHEMA_VERSION; several processes may try at once."""
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
        finally:
            self._database.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def start_run(self, run: str, options: dict[str, Any], machine: dict[str, Any]) -> None:
        """Note that a run begins; a run that is known already stays as it is."""
        self._write(
            "INSERT OR IGNORE INTO run (id, started, options, machine) VALUES (?, ?, ?, ?)",
            (run, now(), canonical(options), canonical(machine)),
        )

    def finish_run(self, run: str) -> None:
        """Note that a run has ended."""
        self._write("UPDATE run SET finished = ? WHERE id = ?", (now(), run))

    def save_trial(self, row: TrialRow, run: str, *, replace: bool = False) -> None:
        """Commit one trial.

        A failed one gives way to a new one, a finished one only to one with more metrics (durations, which a trial
        measured beside others has not), or if `replace`.
        """
        outcome, task = row.outcome, row.task
        values = (
            row.key,
            row.claim,
            task.arm,
            canonical(task.condition),
            canonical(task.settings),
            row.seed.base,
            row.seed.index,
            "failed" if outcome.error else "finished",
            canonical(outcome.metrics),
            outcome.seconds,
            outcome.error,
            canonical(row.environment),
            run,
            now(),
            outcome.peak_bytes,
            " ".join(outcome.choices),
            # Sums over a batch of other seeds round otherwise: to the last bit a trial repeats in its company alone.
            canonical([seed.index for seed in task.seeds]),
        )
        more = "(SELECT count(*) FROM json_each(excluded.metrics)) > (SELECT count(*) FROM json_each(trial.metrics))"
        condition = "" if replace else f" WHERE trial.status = 'failed' OR {more}"
        self._write(
            f"INSERT INTO trial VALUES ({', '.join('?' * len(values))}) ON CONFLICT (key) DO UPDATE SET "
            "status = excluded.status, metrics = excluded.metrics, seconds = excluded.seconds, error = excluded.error, "
            f"run = excluded.run, finished = excluded.finished, peak_bytes = excluded.peak_bytes, "
            f"choices = excluded.choices, company = excluded.company{condition}",
            values,
        )

    def finished(self, keys: Iterable[str], run: str | None = None) -> dict[str, Measured]:
        """Return what was measured for those keys whose trial is finished (in `run`, if given).

        Failed trials are never reused.
        """
        found: dict[str, Measured] = {}
        wanted = list(keys)
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            query = f"SELECT key, metrics, seconds, choices, run FROM trial WHERE status = 'finished' AND key IN ({', '.join('?' * len(part))})"
            for key, metrics, seconds, choices, by in self._database.execute(query, part):
                if run is None or run == by:
                    found[key] = Measured(json.loads(metrics), seconds, tuple(choices.split()))
        return found

    def alike(self, claim: str, task: Task, most: int) -> list[StoredTrial]:
        """Return the finished trials with the arm, condition and settings of `task`, newest first, at most `most`.

        Whatever their seeds: and whatever code, data and versions measured them, which the keys tell apart.
        """
        query = (
            "SELECT key, base_seed, seed, metrics, seconds, peak_bytes, run FROM trial WHERE status = 'finished' AND "
            "claim = ? AND arm = ? AND condition = ? AND settings = ? ORDER BY finished DESC LIMIT ?"
        )
        wanted = (claim, task.arm, canonical(task.condition), canonical(task.settings), most)
        return [
            StoredTrial(key, Seed(base, claim, index), json.loads(metrics), seconds, peak, run)
            for key, base, index, metrics, seconds, peak, run in self._database.execute(query, wanted)
        ]

    def past(self, prefix: str, most: int) -> list[PastTrial]:
        """Return the trials whose key begins with `prefix`, the latest first, at most `most`."""
        query = (
            "SELECT key, claim, arm, base_seed, seed, seconds, error, run, finished, condition, settings, metrics, "
            "environment, company FROM trial WHERE substr(key, 1, ?) = ? ORDER BY finished DESC, rowid DESC LIMIT ?"
        )
        found = []
        for (
            key,
            claim,
            arm,
            base,
            index,
            *facts,
            condition,
            settings,
            metrics,
            environment,
            company,
        ) in self._database.execute(query, (len(prefix), prefix, most)):
            plain = [json.loads(text or "null") for text in (condition, settings, metrics, environment, company)]
            found.append(PastTrial(key, Seed(base, claim, index), arm, *facts, *plain))
        return found

    def peak_bytes(self, claim: str, task: Task) -> int | None:
        """Return the most memory that a stored trial of a task's arm, condition and settings took, None if unknown."""
        query = "SELECT MAX(peak_bytes) FROM trial WHERE claim = ? AND arm = ? AND condition = ? AND settings = ?"
        wanted = (claim, task.arm, canonical(task.condition), canonical(task.settings))
        found: int | None = self._database.execute(query, wanted).fetchone()[0]
        return found

    def usual_seconds(self, claim: str, task: Task) -> float | None:
        """Return the mean time of stored trials of a task's arm under its settings, None where there is none."""
        query = "SELECT AVG(seconds) FROM trial WHERE status = 'finished' AND claim = ? AND arm = ? AND settings = ?"
        found: float | None = self._database.execute(query, (claim, task.arm, canonical(task.settings))).fetchone()[0]
        return found

    def save_noise(self, claim: str, fingerprint: str, record: dict[str, Any]) -> None:
        """Commit what an A/A run says of a claim; a later one with the same fingerprint replaces it."""
        values = (claim, fingerprint, json.dumps(record, allow_nan=False), now())
        self._write("INSERT OR REPLACE INTO noise VALUES (?, ?, ?, ?)", values)

    def noise(self, claim: str, fingerprint: str) -> dict[str, Any] | None:
        """Return what the latest A/A run with a fingerprint says of a claim, None if there was none."""
        query = "SELECT record FROM noise WHERE claim = ? AND fingerprint = ?"
        row = self._database.execute(query, (claim, fingerprint)).fetchone()
        found: dict[str, Any] | None = None if row is None else json.loads(row[0])
        return found

    def save_record(self, run: str, claim: str, record: dict[str, Any]) -> None:
        """Commit what a run says of a claim; a later record of the same run replaces it."""
        self._write("INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?)", (run, claim, json.dumps(record), now()))

    def records(self, run: str) -> list[dict[str, Any]]:
        """Return the records of a run, in the order of the claims' ids."""
        rows = self._database.execute("SELECT record FROM record WHERE run = ? ORDER BY claim", (run,))
        return [json.loads(row[0]) for row in rows]

    def nights(self, claim: str, profile: str) -> list[dict[str, Any]]:
        """Return what is known of every base seed that a claim was run with, the earliest first.

        Each has base_seed, first and last time of a record, and of its last record the parts that a series hangs on:
        code, data, environment, settings, arms, conditions, and the machine's processor.
        """
        paths = {"code": "$.code.digest", **{name: f"$.{name}" for name in _SERIES_PARTS}}
        columns = ", ".join(f"json_extract(record.record, '{path}')" for path in paths.values())
        query = (
            f"SELECT json_extract(record.record, '$.base_seed'), record.finished, {columns}, "
            "json_extract(run.machine, '$.processor') FROM record LEFT JOIN run ON run.id = record.run "
            "WHERE record.claim = ? AND json_extract(record.record, '$.profile') = ? ORDER BY record.rowid"
        )
        found: dict[int, dict[str, Any]] = {}
        for base_seed, finished, code, *parts, processor in self._database.execute(query, (claim, profile)):
            first = found.get(base_seed, {"first": finished})["first"]
            values = {name: json.loads(part) for name, part in zip(_SERIES_PARTS, parts, strict=True)}
            night = {"base_seed": base_seed, "first": first, "last": finished, "code": code, **values}
            found[base_seed] = {**night, "processor": processor}
        return list(found.values())

    def last_records(self, claim: str, profile: str) -> dict[int, dict[str, Any]]:
        """Return the last record of a claim for every base seed that it was run with, the earliest first."""
        query = (
            "SELECT record FROM record WHERE claim = ? AND json_extract(record, '$.profile') = ? ORDER BY record.rowid"
        )
        records = [json.loads(row[0]) for row in self._database.execute(query, (claim, profile))]
        return {record["base_seed"]: record for record in records}

    def knows_run(self, run: str) -> bool:
        """Whether there is a run of that id, with records or without."""
        return self._database.execute("SELECT 1 FROM run WHERE id = ?", (run,)).fetchone() is not None

    def run(self, run: str) -> dict[str, Any]:
        """Return a run: id, started, finished, options, machine."""
        row = self._database.execute(
            "SELECT started, finished, options, machine FROM run WHERE id = ?", (run,)
        ).fetchone()
        if row is None:
            raise UsageError(f"{self.path}: has no run {run!r}")
        return {
            "id": run,
            "started": row[0],
            "finished": row[1],
            "options": json.loads(row[2]),
            "machine": json.loads(row[3]),
        }

    def runs(self) -> list[dict[str, Any]]:
        """Return the runs that have a record, the latest first; see `run`."""
        query = "SELECT id FROM run WHERE EXISTS (SELECT 1 FROM record WHERE record.run = run.id) ORDER BY started DESC"
        return [self.run(row[0]) for row in self._database.execute(query).fetchall()]

    def latest_run(self) -> str | None:
        """Return the id of the run that began last and has a record, None if there is none."""
        query = "SELECT id FROM run WHERE EXISTS (SELECT 1 FROM record WHERE record.run = run.id) ORDER BY started DESC LIMIT 1"
        row = self._database.execute(query).fetchone()
        return None if row is None else str(row[0])

    def _write(self, statement: str, values: tuple[Any, ...]) -> None:
        try:
            self._database.execute(statement, values)
        except sqlite3.Error as error:
            raise UsageError(f"{self.path}: cannot be written: {error}; everything finished before is kept") from None
