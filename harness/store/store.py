"""Runs and records, beside the trials: all that is kept of a project."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from harness._clock import now
from harness.errors import UsageError
from harness.specification.profiles import NO_VERDICT_PROFILE
from harness.store.beside import Beside
from harness.store.trials import Trials
from harness.trials.identity import PARTS
from harness.trials.provenance import canonical

if TYPE_CHECKING:
    from harness.store.records.claim import ClaimRecord, KnownReplication, ProblemRecord
    from harness.store.records.last import LastVerdicts
    from harness.store.records.run import Head

_JUDGED = (
    f"json_extract(record, '$.profile') != '{NO_VERDICT_PROFILE}' AND EXISTS "
    "(SELECT 1 FROM json_each(record, '$.readings') WHERE json_extract(value, '$.verdict') != 'NOT_RUN')"
)
"""Of a record: it has a verdict, be it that others of its readings were not run."""

_LATEST_FIRST = (
    "SELECT id FROM run WHERE EXISTS (SELECT 1 FROM record WHERE record.run = run.id) "
    "ORDER BY started <= ? DESC, started DESC, rowid DESC"
)
"""Runs with a record by the time when they were begun; those of the future, of a clock that went wrong, come last."""


def _soon() -> str:
    """Return the time a day from now: so far clocks of machines may differ, and be set, without a run being of the future."""
    return (datetime.fromisoformat(now()) + timedelta(days=1)).isoformat(timespec="milliseconds")


class Store(Trials, Beside):
    """An open store; see `Database` for what opening it raises."""

    def start_run(self, run: str, options: dict[str, Any], machine: dict[str, Any]) -> None:
        """Note that a run begins; a run that is known already stays as it is."""
        self._write(
            "INSERT OR IGNORE INTO run (id, started, options, machine) VALUES (?, ?, ?, ?)",
            (run, now(), canonical(options), canonical(machine)),
        )

    def finish_run(self, run: str) -> None:
        """Note that a run has ended."""
        self._write("UPDATE run SET finished = ? WHERE id = ?", (now(), run))

    def save_record(self, run: str, record: ClaimRecord | ProblemRecord) -> None:
        """Commit what a run says of a claim; a later record of the same run replaces it."""
        values = (run, record.id, json.dumps(record.model_dump(mode="json")), now())
        self._write("INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?)", values)

    def records(self, run: str) -> list[ClaimRecord | ProblemRecord]:
        """Return the records of a run, in the order of the claims' ids.

        Raises:
            UsageError: one of them is none; so do all that return records, unless they say otherwise.
        """
        rows = self._read("SELECT claim, record FROM record WHERE run = ? ORDER BY claim", (run,))
        return [self._record(text, run, claim) for claim, text in rows]

    def unsound(self) -> list[str]:
        """Return of every record that cannot be read where it stands, and why; of the latest thousand."""
        found = []
        for run, claim, text in self._read("SELECT run, claim, record FROM record ORDER BY rowid DESC LIMIT 1000"):
            try:
                self._record(text, run, claim)
            except UsageError as error:
                found.append(str(error).removeprefix(f"{self.path}: "))
        return found

    def _record(self, text: str, run: str, claim: str) -> ClaimRecord | ProblemRecord:
        """Return a record.

        Raises:
            UsageError: it is none, or is of another claim than its row says.
        """
        # Late: the models take longer to import than most commands take.
        from harness.store.records.parsing import parse_claim

        return parse_claim(self._plain(text), f"{self.path}: run {run}, claim {claim}", claim)

    def replications(self, claim: str, profile: str) -> list[KnownReplication]:
        """Return what is known of every base seed that a claim was run with, the earliest first."""
        from harness.store.records.claim import KnownReplication
        from harness.store.records.parsing import parse

        columns = ", ".join(f"json_quote(json_extract(record.record, '$.{name}'))" for name in PARTS)
        query = (
            f"SELECT json_extract(record.record, '$.base_seed'), record.finished, {columns} FROM record "
            "WHERE record.claim = ? AND json_extract(record.record, '$.profile') = ? ORDER BY record.rowid"
        )
        found: dict[int, KnownReplication] = {}
        for base_seed, finished, *parts in self._read(query, (claim, profile)):
            first = found[base_seed].first if base_seed in found else finished
            values = {name: json.loads(part) for name, part in zip(PARTS, parts, strict=True)}
            replication = {"base_seed": base_seed, "first": first, "last": finished, **values}
            found[base_seed] = parse(KnownReplication, replication, f"{self.path}: {claim}, record of {finished}")
        return list(found.values())

    def last_records(self, claim: str, profile: str) -> dict[int, ClaimRecord]:
        """Return the last record of a claim for every base seed that it was run with, the earliest first."""
        query = "SELECT run, record FROM record WHERE claim = ? AND json_extract(record, '$.profile') = ? ORDER BY record.rowid"
        records = [self._claim(text, run, claim) for run, text in self._read(query, (claim, profile))]
        return {record.base_seed: record for record in records}

    def _claim(self, text: str, run: str, claim: str) -> ClaimRecord:
        """Return the record of a claim that was run: it has a profile.

        Raises:
            UsageError: it is something else.
        """
        from harness.store.records.claim import ClaimRecord
        from harness.store.records.parsing import REMEDY

        found = self._record(text, run, claim)
        if not isinstance(found, ClaimRecord):
            raise UsageError(
                f"{self.path}: run {run}, claim {claim}: problem: should not be there beside a profile; {REMEDY}"
            )
        return found

    def past_records(
        self, claim: str, profile: str, device: str, until: str, most: int
    ) -> list[tuple[Head, ClaimRecord]]:
        """Return the latest runs of a claim under a profile on a device, begun no later than `until`, the earliest first.

        Each with the claim's record in it; a record that cannot be read, is left out.
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
                found.append((self.run(run), self._claim(text, run, claim)))
        return found

    def last_record(self, claim: str) -> tuple[str, ClaimRecord] | None:
        """Return a claim's last record that has verdicts, of whatever profile and base seed, after the id of its run."""
        query = f"SELECT run, record FROM record WHERE claim = ? AND {_JUDGED} ORDER BY rowid DESC LIMIT 1"
        return next(((run, self._claim(record, run, claim)) for run, record in self._read(query, (claim,))), None)

    def last_verdicts(self) -> dict[str, LastVerdicts]:
        """Return of every claim with verdicts what its last record says in short, without reading the values."""
        from harness.store.records.last import LastVerdicts
        from harness.store.records.parsing import parse

        reading = ", ".join(
            f"'{name}', json(CASE json_extract(value, '$.{name}') WHEN 1 THEN 'true' WHEN 0 THEN 'false' END)"
            for name in ("as_expected", "waived")
        )
        query = (
            "SELECT claim, json_extract(record, '$.profile'), json_extract(record, '$.base_seed'), finished, "
            f"(SELECT json_group_object(key, json_object('verdict', json_extract(value, '$.verdict'), {reading})) "
            "FROM json_each(record.record, '$.readings')) "
            f"FROM record WHERE rowid IN (SELECT MAX(rowid) FROM record WHERE {_JUDGED} GROUP BY claim)"
        )
        names = ("profile", "base_seed", "finished")
        return {
            claim: parse(
                LastVerdicts,
                {**dict(zip(names, row, strict=True)), "readings": self._plain(readings)},
                f"{self.path}: claim {claim}: its last record",
            )
            for claim, *row, readings in self._read(query)
        }

    def knows_run(self, run: str) -> bool:
        """Whether there is a run of that id, with records or without."""
        return self._database.execute("SELECT 1 FROM run WHERE id = ?", (run,)).fetchone() is not None

    def run(self, run: str) -> Head:
        """Return a run without its claims."""
        from harness.store.records.parsing import parse
        from harness.store.records.run import Head

        rows = self._read("SELECT started, finished, options, machine FROM run WHERE id = ?", (run,))
        if not rows:
            raise UsageError(f"{self.path}: has no run {run!r}")
        started, finished, options, machine = rows[0]
        values = {"options": self._plain(options), "machine": self._plain(machine)}
        head = {"id": run, "started": started, "finished": finished, **values}
        return parse(Head, head, f"{self.path}: run {run}")

    def runs(self) -> list[Head]:
        """Return the runs that have a record, the latest first."""
        return [self.run(row[0]) for row in self._read(_LATEST_FIRST, (_soon(),))]

    def latest_run(self) -> str | None:
        """Return the id of the run that was begun last and has a record, be it of another machine; None if there is none."""
        rows = self._read(_LATEST_FIRST, (_soon(),))
        return str(rows[0][0]) if rows else None
