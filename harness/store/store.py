"""Trials, runs and records; what is finished is never lost: when `save_trial` returns, the trial is on disk."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from harness._clock import now
from harness.errors import UsageError
from harness.seeds import Seed
from harness.specification.profiles import NO_VERDICT_PROFILE
from harness.store.beside import Beside
from harness.store.cells import check_short, company_of, metrics_of, names_of, object_of
from harness.store.database import REMEDY, TABLES
from harness.trials.clock import clock_of
from harness.trials.inputs import Inputs
from harness.trials.provenance import canonical
from harness.trials.rows import Measured, PastTrial, StoredTrial

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.trials.experiment import Metrics, Task
    from harness.trials.rows import TrialRow

_MORE_METRICS = "(SELECT count(*) FROM json_each(excluded.metrics)) > (SELECT count(*) FROM json_each(trial.metrics))"

_SAVE_TRIAL = (
    f"INSERT INTO trial VALUES ({', '.join('?' * len(TABLES['trial']))}) ON CONFLICT (key) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in TABLES["trial"] if name != "key")
)

_UNLESS_DONE = f" WHERE trial.status = 'failed' OR {_MORE_METRICS}"
"""A failed trial gives way to any other, a finished one only to one that says more."""

_JUDGED = (
    f"json_extract(record, '$.profile') != '{NO_VERDICT_PROFILE}' AND EXISTS "
    "(SELECT 1 FROM json_each(record, '$.readings') WHERE json_extract(value, '$.verdict') != 'NOT_RUN')"
)
"""Of a record: it has a verdict, be it that others of its readings were not run."""

_OF_FINISHED = "key, metrics, seconds, choices, clock, run, inputs"
_OF_PAST = (
    "key, claim, arm, base_seed, seed, seconds, error, run, finished, condition, settings, metrics, environment, company, "
    "clock, inputs"
)

_LATEST_FIRST = (
    "SELECT id FROM run WHERE EXISTS (SELECT 1 FROM record WHERE record.run = run.id) "
    "ORDER BY started <= ? DESC, started DESC, rowid DESC"
)
"""Runs with a record by the time when they were begun; those of the future, of a clock that went wrong, come last."""

_SERIES_PARTS = ("data", "environment", "settings", "arms", "conditions")
"""Fields of a record that, besides the code, name the series of a night."""


def _soon() -> str:
    """Return the time a day from now: so far clocks of machines may differ, and be set, without a run being of the future."""
    return (datetime.fromisoformat(now()) + timedelta(days=1)).isoformat(timespec="milliseconds")


class Store(Beside):
    """An open store; see `Database` for what opening it raises."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._inputs: dict[str | None, Inputs] = {}

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
        measured beside others has not), or if `replace` (durations by the present clock).
        """
        outcome, task = row.outcome, row.task
        digest = row.inputs.digest if row.inputs else None
        if row.inputs and digest not in self._inputs:
            self._write("INSERT OR IGNORE INTO inputs VALUES (?, ?)", (digest, row.inputs.text))
            self._inputs[digest] = row.inputs
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
            outcome.clock,
            digest,
        )
        self._write(_SAVE_TRIAL + ("" if replace else _UNLESS_DONE), values)

    def finished(self, keys: Iterable[str], run: str | None = None) -> dict[str, Measured]:
        """Return what was measured for those keys whose trial is finished (in `run`, if given).

        Failed trials are never reused.
        """
        found: dict[str, Measured] = {}
        wanted = list(keys)
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            places = ", ".join("?" * len(part))
            query = f"SELECT {_OF_FINISHED} FROM trial WHERE status = 'finished' AND key IN ({places})"
            for key, metrics, seconds, choices, clock, by, inputs in self._read(query, part):
                if run is None or run == by:
                    own = self._metrics(key, metrics)
                    found[key] = Measured(own, seconds, tuple(choices.split()), clock, by, inputs)
        return found

    def alike(self, claim: str, task: Task, most: int) -> list[StoredTrial]:
        """Return the finished trials with the arm, condition and settings of `task`, newest first, at most `most`.

        Whatever their seeds: and whatever code, data and versions measured them, which the keys tell apart.
        """
        query = (
            "SELECT key, base_seed, seed, metrics, seconds, peak_bytes, run, inputs FROM trial WHERE status = 'finished' AND "
            "claim = ? AND arm = ? AND condition = ? AND settings = ? ORDER BY finished DESC LIMIT ?"
        )
        wanted = (claim, task.arm, canonical(task.condition), canonical(task.settings), most)
        return [
            StoredTrial(key, Seed(base, claim, index), self._metrics(key, metrics), seconds, peak, run, inputs)
            for key, base, index, metrics, seconds, peak, run, inputs in self._read(query, wanted)
        ]

    def inputs(self, digest: str | None) -> Inputs | None:
        """Return what the trials with a digest of inputs rest on, None where nobody knows."""
        if digest is not None and digest not in self._inputs:
            for (text,) in self._read("SELECT content FROM inputs WHERE digest = ?", (digest,)):
                try:
                    self._inputs[digest] = Inputs.of(json.loads(text))
                except ValueError as error:
                    raise UsageError(f"{self.path}: inputs {digest[:12]}: {error}; {REMEDY}") from None
        return self._inputs.get(digest)

    def commands(self, claim: str) -> set[str]:
        """Return the commands that trials of a claim started whose inputs nobody declared."""
        digests = self._read("SELECT DISTINCT inputs FROM trial WHERE claim = ? AND inputs IS NOT NULL", (claim,))
        known = [found for (digest,) in digests if (found := self.inputs(digest)) and not found.declared]
        return {command for inputs in known for command in inputs.commands}

    def predecessor(self, claim: str, task: Task, seed: Seed) -> PastTrial | None:
        """Return the last finished trial of a seed with the arm, condition and settings of `task`, whatever its key."""
        query = (
            f"SELECT {_OF_PAST} FROM trial WHERE status = 'finished' AND claim = ? AND seed = ? AND base_seed = ? AND "
            "arm = ? AND condition = ? AND settings = ? ORDER BY finished DESC, rowid DESC LIMIT 1"
        )
        wanted = (claim, seed.index, seed.base, task.arm, canonical(task.condition), canonical(task.settings))
        return next((self._past(row) for row in self._read(query, wanted)), None)

    def past(self, prefix: str, most: int) -> list[PastTrial]:
        """Return the trials whose key begins with `prefix`, the latest first, at most `most`."""
        query = f"SELECT {_OF_PAST} FROM trial WHERE substr(key, 1, ?) = ? ORDER BY finished DESC, rowid DESC LIMIT ?"
        return [self._past(row) for row in self._read(query, (len(prefix), prefix, most))]

    def measured(self, run: str, claim: str) -> list[PastTrial]:
        """Return the finished trials of a claim that a run measured, in the order in which it did."""
        query = f"SELECT {_OF_PAST} FROM trial WHERE run = ? AND claim = ? AND status = 'finished' ORDER BY rowid"
        return [self._past(row) for row in self._read(query, (run, claim))]

    def _past(self, row: tuple[Any, ...]) -> PastTrial:
        """Return a trial of the columns _OF_PAST."""
        key, claim, arm, base, index, seconds, error, run, finished, *rest = row
        condition, settings, metrics, around, company, clock, inputs = rest
        where = f"{self.path}: trial {key[:12]}"
        plain = (
            object_of(condition, f"{where}: condition"),
            object_of(settings, f"{where}: settings"),
            self._metrics(key, metrics),
            names_of(around, f"{where}: environment"),
            company_of(company, f"{where}: company"),
            asdict(known) if (known := clock_of(clock)) else None,
            inputs,
        )
        return PastTrial(key, Seed(base, claim, index), arm, seconds, error, run, finished, *plain)

    def _metrics(self, key: str, text: str) -> Metrics:
        return metrics_of(text, f"{self.path}: trial {key[:12]}: metrics")

    def has_trials(self, claim: str) -> bool:
        """Whether there is any trial of a claim."""
        return bool(self._read("SELECT 1 FROM trial WHERE claim = ? LIMIT 1", (claim,)))

    def peak_bytes(self, claim: str, task: Task) -> int | None:
        """Return the most memory that a stored trial of a task's arm, condition and settings took, None if unknown."""
        query = "SELECT MAX(peak_bytes) FROM trial WHERE claim = ? AND arm = ? AND condition = ? AND settings = ?"
        wanted = (claim, task.arm, canonical(task.condition), canonical(task.settings))
        found: int | None = self._read(query, wanted)[0][0]
        return found

    def usual_seconds(self, claim: str, task: Task) -> float | None:
        """Return the mean time of stored trials of a task's arm under its settings, None where there is none."""
        query = "SELECT AVG(seconds) FROM trial WHERE status = 'finished' AND claim = ? AND arm = ? AND settings = ?"
        found: float | None = self._read(query, (claim, task.arm, canonical(task.settings)))[0][0]
        return found

    def save_record(self, run: str, claim: str, record: dict[str, Any]) -> None:
        """Commit what a run says of a claim; a later record of the same run replaces it."""
        self._write("INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?)", (run, claim, json.dumps(record), now()))

    def records(self, run: str) -> list[dict[str, Any]]:
        """Return the records of a run, in the order of the claims' ids."""
        rows = self._read("SELECT claim, record FROM record WHERE run = ? ORDER BY claim", (run,))
        return [self._record(text, run, claim) for claim, text in rows]

    def _record(self, text: str, run: str, claim: str) -> dict[str, Any]:
        """Return a record as plain values; whoever reads one may count on its shape.

        Raises:
            UsageError: it is none, or is of another claim than its row says.
        """
        # Late: the models of the report take longer to build than most commands take.
        from harness.store.soundness import check_claim

        found = self._plain(text)
        check_claim(found, f"{self.path}: run {run}, claim {claim}", claim)
        return found

    def nights(self, claim: str, profile: str) -> list[dict[str, Any]]:
        """Return what is known of every base seed that a claim was run with, the earliest first.

        Each has base_seed, first and last time of a record, and of its last record the parts that a series hangs on:
        code, data, environment, settings, arms, conditions.
        """
        from harness.store.soundness import check_night

        paths = {"code": "$.code.digest", **{name: f"$.{name}" for name in _SERIES_PARTS}}
        columns = ", ".join(f"json_quote(json_extract(record.record, '{path}'))" for path in paths.values())
        query = (
            f"SELECT json_extract(record.record, '$.base_seed'), record.finished, {columns} FROM record "
            "WHERE record.claim = ? AND json_extract(record.record, '$.profile') = ? ORDER BY record.rowid"
        )
        found: dict[int, dict[str, Any]] = {}
        for base_seed, finished, *parts in self._read(query, (claim, profile)):
            first = found.get(base_seed, {"first": finished})["first"]
            values = {name: json.loads(part) for name, part in zip(paths, parts, strict=True)}
            night = {"base_seed": base_seed, "first": first, "last": finished, **values}
            check_night(night, f"{self.path}: {claim}, record of {finished}")
            found[base_seed] = night
        return list(found.values())

    def last_records(self, claim: str, profile: str) -> dict[int, dict[str, Any]]:
        """Return the last record of a claim for every base seed that it was run with, the earliest first."""
        query = "SELECT run, record FROM record WHERE claim = ? AND json_extract(record, '$.profile') = ? ORDER BY record.rowid"
        records = [self._record(text, run, claim) for run, text in self._read(query, (claim, profile))]
        return {record["base_seed"]: record for record in records if "problem" not in record}

    def past_records(
        self, claim: str, profile: str, device: str, until: str, most: int
    ) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Return the latest runs of a claim under a profile on a device, begun no later than `until`, the earliest first.

        Each with the claim's record in it; a record that cannot be read, of an earlier version say, is left out.
        """
        query = (
            "SELECT run.id, record.record FROM record JOIN run ON run.id = record.run WHERE record.claim = ? AND "
            "json_extract(record.record, '$.profile') = ? AND json_extract(record.record, '$.device') = ? AND "
            "run.started <= ? ORDER BY run.started DESC, record.rowid DESC LIMIT ?"
        )
        rows = self._read(query, (claim, profile, device, until, most))
        found = []
        for run, text in reversed(rows):
            with contextlib.suppress(UsageError):
                found.append((self.run(run), self._record(text, run, claim)))
        return found

    def last_record(self, claim: str) -> tuple[str, dict[str, Any]] | None:
        """Return a claim's last record that has verdicts, of whatever profile and base seed, after the id of its run."""
        query = f"SELECT run, record FROM record WHERE claim = ? AND {_JUDGED} ORDER BY rowid DESC LIMIT 1"
        return next(((run, self._record(record, run, claim)) for run, record in self._read(query, (claim,))), None)

    def last_verdicts(self) -> dict[str, dict[str, Any]]:
        """Return of every claim with verdicts what its last record says in short, without reading the values.

        Each has profile, base_seed, finished, and readings: name -> {verdict, as_expected, waived}.
        """
        reading = ", ".join(
            f"'{name}', json_extract(value, '$.{name}')" for name in ("verdict", "as_expected", "waived")
        )
        query = (
            "SELECT claim, json_extract(record, '$.profile'), json_extract(record, '$.base_seed'), finished, "
            f"(SELECT json_group_object(key, json_object({reading})) FROM json_each(record.record, '$.readings')) "
            f"FROM record WHERE rowid IN (SELECT MAX(rowid) FROM record WHERE {_JUDGED} GROUP BY claim)"
        )
        found = {
            claim: {"profile": profile, "base_seed": base_seed, "finished": finished, "readings": self._plain(readings)}
            for claim, profile, base_seed, finished, readings in self._read(query)
        }
        for claim, short in found.items():
            check_short(short, f"{self.path}: claim {claim}")
        return found

    def knows_run(self, run: str) -> bool:
        """Whether there is a run of that id, with records or without."""
        return self._database.execute("SELECT 1 FROM run WHERE id = ?", (run,)).fetchone() is not None

    def run(self, run: str) -> dict[str, Any]:
        """Return a run: id, started, finished, options, machine."""
        rows = self._read("SELECT started, finished, options, machine FROM run WHERE id = ?", (run,))
        if not rows:
            raise UsageError(f"{self.path}: has no run {run!r}")
        row = rows[0]
        return {
            "id": run,
            "started": row[0],
            "finished": row[1],
            "options": self._plain(row[2]),
            "machine": self._plain(row[3]),
        }

    def runs(self) -> list[dict[str, Any]]:
        """Return the runs that have a record, the latest first; see `run`."""
        return [self.run(row[0]) for row in self._read(_LATEST_FIRST, (_soon(),))]

    def latest_run(self) -> str | None:
        """Return the id of the run that was begun last and has a record, be it of another machine; None if there is none."""
        rows = self._read(_LATEST_FIRST, (_soon(),))
        return str(rows[0][0]) if rows else None

    def add(self, rows: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, int]:
        """Add rows of another store, all or none, and return how many of each table were new or said more.

        Raises:
            UsageError: a row lacks a column or has a value that its column cannot hold, or the store cannot be written.
        """
        counts = dict.fromkeys(TABLES, 0)
        self._write("BEGIN IMMEDIATE")
        try:
            for table, row in rows:
                values = tuple(row.get(name) for name in TABLES[table])
                places = ", ".join("?" * len(values))
                insert = f"INSERT INTO {table} VALUES ({places}) ON CONFLICT DO NOTHING"
                counts[table] += self._write(_SAVE_TRIAL + _UNLESS_DONE if table == "trial" else insert, values)
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._write("COMMIT")
        return counts

    def discard(self, keys: Iterable[str]) -> int:
        """Delete trials by key, give the room back to the system, and return how many there were."""
        number = sum(self._write("DELETE FROM trial WHERE key = ?", (key,)) for key in list(keys))
        self._write("DELETE FROM inputs WHERE digest NOT IN (SELECT inputs FROM trial WHERE inputs IS NOT NULL)")
        self._write("VACUUM")
        return number
