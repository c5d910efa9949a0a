"""Runs and records, beside the trials: all that is kept of a project."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime, timedelta
from typing import Any

from harness._clock import now
from harness.errors import UsageError
from harness.specification.profiles import NO_VERDICT_PROFILE
from harness.store.beside import Beside
from harness.store.cells import check_short
from harness.store.trials import Trials
from harness.trials.identity import PARTS
from harness.trials.provenance import canonical

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

    def save_record(self, run: str, claim: str, record: dict[str, Any]) -> None:
        """Commit what a run says of a claim; a later record of the same run replaces it."""
        self._write("INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?)", (run, claim, json.dumps(record), now()))

    def records(self, run: str) -> list[dict[str, Any]]:
        """Return the records of a run, in the order of the claims' ids."""
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

        Each has base_seed, first and last time of a record, and of its last record the parts that a series hangs on
        (`Identity.of_record`).
        """
        from harness.store.soundness import check_night

        columns = ", ".join(f"json_quote(json_extract(record.record, '$.{name}'))" for name in PARTS)
        query = (
            f"SELECT json_extract(record.record, '$.base_seed'), record.finished, {columns} FROM record "
            "WHERE record.claim = ? AND json_extract(record.record, '$.profile') = ? ORDER BY record.rowid"
        )
        found: dict[int, dict[str, Any]] = {}
        for base_seed, finished, *parts in self._read(query, (claim, profile)):
            first = found.get(base_seed, {"first": finished})["first"]
            values = {name: json.loads(part) for name, part in zip(PARTS, parts, strict=True)}
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
