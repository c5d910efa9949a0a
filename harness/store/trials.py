"""The trials of a store; what is finished is never lost: when `save_trial` returns, the trial is on disk."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from harness._clock import now
from harness.errors import UsageError
from harness.seeds import Seed
from harness.store.cells import batch_seeds_of, batch_text, metrics_of, names_of, object_of
from harness.store.database import REMEDY, TABLES, Database
from harness.trials.inputs import Inputs
from harness.trials.place import Place
from harness.trials.provenance import canonical
from harness.trials.rows import Measured, PastTrial, StoredTrial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from harness.trials.rows import TrialRow
    from harness.trials.task import Metrics, Task

Shared = TypeVar("Shared", Inputs, Place)
"""What many trials have in common: it is stored once, and each of them names it by its digest."""

_MORE_METRICS = "(SELECT count(*) FROM json_each(excluded.metrics)) > (SELECT count(*) FROM json_each(trial.metrics))"

_REPLACING = " ON CONFLICT (key) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in TABLES["trial"] if name != "key"
)

_SAVE_TRIAL = f"INSERT INTO trial VALUES ({', '.join('?' * len(TABLES['trial']))}){_REPLACING}"

_UNLESS_DONE = f" WHERE trial.status = 'failed' OR {_MORE_METRICS}"
"""A failed trial gives way to any other, a finished one only to one that says more."""

_OF_FINISHED = "key, metrics, seconds, choices, place, run, inputs"
_OF_PAST = (
    "key, claim, arm, base_seed, seed, seconds, error, run, finished, condition, settings, metrics, environment, batch_seeds, "
    "place, inputs, log"
)


class Trials(Database):
    """The tables of a store that hold trials and what they rest on."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._shared: dict[tuple[str, str], Any] = {}

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Commit what is written inside together, which takes as long as one trial does; or, after an error, nothing of it."""
        self._write("BEGIN IMMEDIATE")
        try:
            yield
            self._write("COMMIT")
        except BaseException:
            # SQLite may have done so itself: where the disk is full, say.
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            self._shared.clear()
            raise

    def save_trial(self, row: TrialRow, run: str, *, replace: bool = False) -> None:
        """Commit one trial.

        A failed one gives way to a new one, a finished one only to one with more metrics (durations, which a trial
        measured beside others has not), or if `replace` (durations by the present clock).
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
            # Sums over a batch of other seeds round otherwise: to the last bit a trial repeats in its batch alone.
            batch_text([seed.index for seed in task.seeds]),
            self._share("place", outcome.place),
            self._share("inputs", row.inputs),
            "\n".join(outcome.log),
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
            for key, metrics, seconds, choices, place, by, inputs in self._read(query, part):
                if run is None or run == by:
                    own = self._metrics(key, metrics)
                    found[key] = Measured(own, seconds, tuple(choices.split()), self.place(place), by, inputs)
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
        return self._named("inputs", digest, Inputs.of)

    def place(self, digest: str | None) -> Place | None:
        """Return where the trials with a digest of a place ran, None where nobody knows."""
        return self._named("place", digest, Place.of)

    def _share(self, table: Literal["inputs", "place"], part: Inputs | Place | None) -> str | None:
        """Return the digest of what many trials have in common; the first of them writes it down."""
        if part is None:
            return None
        digest = part.digest
        if (table, digest) not in self._shared:
            self._write(f"INSERT OR IGNORE INTO {table} VALUES (?, ?)", (digest, part.text))
            self._shared[table, digest] = part
        return digest

    def _named(
        self, table: Literal["inputs", "place"], digest: str | None, of: Callable[[Any], Shared]
    ) -> Shared | None:
        if digest is None:
            return None
        if (table, digest) not in self._shared:
            for (text,) in self._read(f"SELECT content FROM {table} WHERE digest = ?", (digest,)):
                try:
                    found = of(json.loads(text))
                    if found.digest != digest:
                        raise ValueError("not what the digest says")
                except ValueError as error:
                    raise UsageError(f"{self.path}: {table} {digest[:12]}: {error}; {REMEDY}") from None
                self._shared[table, digest] = found
        known: Shared | None = self._shared.get((table, digest))
        return known

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
        # A range, so that the index of the keys finds them.
        query = f"SELECT {_OF_PAST} FROM trial WHERE key >= ? AND key < ? ORDER BY finished DESC, rowid DESC LIMIT ?"
        return [self._past(row) for row in self._read(query, (prefix, f"{prefix}\U0010ffff", most))]

    def measured(self, run: str, claim: str) -> list[PastTrial]:
        """Return the finished trials of a claim that a run measured, in the order in which it did."""
        query = f"SELECT {_OF_PAST} FROM trial WHERE run = ? AND claim = ? AND status = 'finished' ORDER BY rowid"
        return [self._past(row) for row in self._read(query, (run, claim))]

    def _past(self, row: tuple[Any, ...]) -> PastTrial:
        """Return a trial of the columns _OF_PAST."""
        key, claim, arm, base, index, seconds, error, run, finished, *rest = row
        condition, settings, metrics, around, batch, place, inputs, log = rest
        where = f"{self.path}: trial {key[:12]}"
        plain = (
            object_of(condition, f"{where}: condition"),
            object_of(settings, f"{where}: settings"),
            self._metrics(key, metrics),
            names_of(around, f"{where}: environment"),
            batch_seeds_of(batch, index, f"{where}: batch_seeds"),
            self.place(place),
            inputs,
            log,
        )
        return PastTrial(key, Seed(base, claim, index), arm, seconds, error, run, finished, *plain)

    def _metrics(self, key: str, text: str) -> Metrics:
        return metrics_of(text, f"{self.path}: trial {key[:12]}: metrics")

    def has_trials(self, claim: str) -> bool:
        """Whether there is any trial of a claim."""
        return bool(self._read("SELECT 1 FROM trial WHERE claim = ? LIMIT 1", (claim,)))

    def peak(self, claim: str, task: Task) -> tuple[int | None, Place | None]:
        """Return the most bytes that a stored trial of a task's arm, condition and settings took, and where; None if unknown."""
        # Of the row that has the maximum SQLite gives the other columns, too.
        query = (
            "SELECT MAX(peak_bytes), place FROM trial WHERE claim = ? AND arm = ? AND condition = ? AND settings = ?"
        )
        wanted = (claim, task.arm, canonical(task.condition), canonical(task.settings))
        peak, place = self._read(query, wanted)[0]
        return peak, self.place(place)

    def usual_seconds(self, claim: str, task: Task) -> float | None:
        """Return the mean time of stored trials of a task's arm under its settings, None where there is none."""
        query = "SELECT AVG(seconds) FROM trial WHERE status = 'finished' AND claim = ? AND arm = ? AND settings = ?"
        found: float | None = self._read(query, (claim, task.arm, canonical(task.settings)))[0][0]
        return found

    def merge(self, path: Path) -> dict[str, int]:
        """Add what another store holds, all or nothing, and return how many rows of each table were new or said more.

        Trials are merged by key as `save_trial` does it: a finished one gives way only to one with more metrics.

        Raises:
            UsageError: it is no store, is damaged, or the store cannot be written.
        """
        if not path.is_file():
            raise UsageError(f"{path}: no such file; give a store, or what `claims export --sqlite` wrote")
        if self.path.exists() and path.samefile(self.path):
            raise UsageError(f"{path}: is the store itself; give another")
        try:
            self._write("ATTACH ? AS other", (str(path),))
            try:
                self._check("other", path)
                return self._take_all()
            finally:
                self._database.execute("DETACH other")
        except (UsageError, sqlite3.Error) as error:
            here = str(error).startswith(str(path))
            raise error if here else UsageError(f"{path}: nothing of it was taken: {error}") from None

    def _take_all(self) -> dict[str, int]:
        with self.at_once():
            return {table: self._write(self._taking(table)) for table in TABLES}

    @staticmethod
    def _taking(table: str) -> str:
        """Return the statement that adds the rows of a table of `other`."""
        columns = ", ".join(TABLES[table])
        otherwise = _REPLACING + _UNLESS_DONE if table == "trial" else " ON CONFLICT DO NOTHING"
        # SQLite reads the ON of a SELECT without WHERE as that of a join.
        return (
            f"INSERT INTO {table} ({columns}) SELECT {columns} FROM other.{table} WHERE true ORDER BY rowid{otherwise}"
        )

    def discard(self, keys: Iterable[str]) -> int:
        """Delete trials by key, give the room back to the system, and return how many there were."""
        number = sum(self._write("DELETE FROM trial WHERE key = ?", (key,)) for key in list(keys))
        for table in ("inputs", "place"):
            self._write(
                f"DELETE FROM {table} WHERE digest NOT IN (SELECT {table} FROM trial WHERE {table} IS NOT NULL)"
            )
        self._write("VACUUM")
        return number
