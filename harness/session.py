"""One invocation: options, store and processes, shared by all claims that it runs."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.budget import Budget
from harness.catalogue import load_claim
from harness.dates import now
from harness.errors import ClaimsError, DataError, SpecError, TrialError, UsageError
from harness.executor import executor_for
from harness.outlook import remaining_seconds
from harness.plaintext import inert, visible
from harness.plan import make_plan
from harness.provenance import machine
from harness.runner import Context, pilot, run_claim
from harness.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.catalogue import ClaimFolder
    from harness.executor import Executor
    from harness.options import Options
    from harness.record import Record

KINDS = {SpecError: "specification", UsageError: "usage", DataError: "data", TrialError: "trial"}


class Session:
    """Runs claims, each once, and keeps their records.

    Args:
        options: what the user chose.
        run: id of the run.
        project: folder that holds `claims/`.
        say: is told one line per finished batch.
        deadline: `time.monotonic()` after which no batch begins.

    Raises:
        UsageError: the store cannot be used.
    """

    def __init__(
        self, options: Options, run: str, project: Path, say: Callable[[str], None], deadline: float = math.inf
    ) -> None:
        self.options = options
        self.run = run
        self.store = Store(options.store)
        self.store.start_run(run, options.record(), machine(project))
        # What is said may quote anything, an exception included.
        self._say = lambda line: say(inert(visible(line)))
        self._records: dict[Path, Record] = {}
        self._executors: dict[int, Executor] = {}
        self._budget = Budget(deadline)

    def arrange(self, folders: list[Path]) -> list[Path]:
        """Return claims in the order in which a limited time decides most of them, the cheapest first."""
        by_id = {folder.name: folder for folder in folders}
        return [by_id[name] for name in self._budget.arrange({name: self._remaining(f) for name, f in by_id.items()})]

    def _remaining(self, folder: Path) -> float | None:
        """Return the seconds that a claim still takes, None where nobody knows."""
        try:
            plan = make_plan(load_claim(folder), self.options)
        except ClaimsError:
            # Its own test will say what is wrong.
            return None
        return remaining_seconds(plan, self.options, self.store, self.run)

    def record_of(self, folder: Path) -> Record:
        """Return the record of the claim in `folder`; it is run at the first call.

        A claim that cannot be run has a record too: `problem` says what is wrong.
        """
        if folder not in self._records:
            try:
                self._records[folder] = self._run(folder)
            except ClaimsError as error:
                self._records[folder] = self._problem(folder, error)
        return self._records[folder]

    @property
    def context(self) -> Context:
        """What the claims of this run share."""
        return Context(self.options, self.store, self._executor, self.run, self._say, self._budget)

    def _run(self, folder: Path) -> Record:
        return run_claim(load_claim(folder), self.context)

    def pilot(self, folder: ClaimFolder, profile: str) -> None:
        """Measure a few seeds of a claim under a profile, so that its cost can be foreseen; see `runner.pilot`."""
        pilot(folder, replace(self.context, options=replace(self.options, profile=profile)))

    def _executor(self, workers: int) -> Executor:
        """Return the executor of `workers` processes; it lives as long as the session, so torch is imported once."""
        if workers not in self._executors:
            self._executors[workers] = executor_for(workers)
        return self._executors[workers]

    def _problem(self, folder: Path, error: ClaimsError) -> Record:
        record = problem_record(folder, error)
        self.store.save_record(self.run, folder.name, record)
        return record

    def stop(self) -> None:
        """Let what runs be finished and nothing begin any more; records then say what was left."""
        self._budget.stopped = True
        for executor in self._executors.values():
            executor.stop()

    @property
    def stopped(self) -> bool:
        """Whether an end was asked for."""
        return self._budget.stopped

    def close(self) -> None:
        """End the processes and close the store."""
        for executor in self._executors.values():
            executor.close()
        self.store.finish_run(self.run)
        self.store.close()


def problem_record(folder: Path, error: ClaimsError) -> Record:
    """Return the record of a claim that cannot be run: what kind of error, and its lines."""
    return {
        "id": folder.name,
        "document": {"id": folder.parent.name},
        "problem": {
            "kind": KINDS.get(type(error), "error"),
            "lines": str(error).splitlines() or [f"{type(error).__name__}, without a word"],
        },
        "finished": now(),
    }
