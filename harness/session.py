"""One invocation: options, store and processes, shared by all claims that it runs."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from harness.catalogue import load_claim
from harness.dates import now
from harness.errors import ClaimsError, DataError, SpecError, TrialError, UsageError
from harness.executor import executor_for
from harness.provenance import machine
from harness.runner import Context, run_claim
from harness.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.executor import Executor
    from harness.options import Options
    from harness.record import Record

KINDS = {SpecError: "specification", UsageError: "usage", DataError: "data", TrialError: "trial"}


class Session:
    """Runs claims, each once, and keeps their records.

    Raises:
        UsageError: the store cannot be used.
    """

    def __init__(self, options: Options, run: str, project: Path, say: Callable[[str], None]) -> None:
        self.options = options
        self.run = run
        self.store = Store(options.store)
        self.store.start_run(run, options.record(), machine(project))
        self._say = say
        self._records: dict[Path, Record] = {}
        self._executors: dict[int, Executor] = {}
        self._deadline = math.inf if options.max_seconds is None else time.monotonic() + options.max_seconds

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
        return Context(self.options, self.store, self._executor, self.run, self._say, self._deadline)

    def _run(self, folder: Path) -> Record:
        return run_claim(load_claim(folder), self.context)

    def _executor(self, workers: int) -> Executor:
        """Return the executor of `workers` processes; it lives as long as the session, so torch is imported once."""
        if workers not in self._executors:
            self._executors[workers] = executor_for(workers)
        return self._executors[workers]

    def _problem(self, folder: Path, error: ClaimsError) -> Record:
        record: dict[str, Any] = {
            "id": folder.name,
            "problem": {"kind": KINDS.get(type(error), "error"), "lines": str(error).splitlines()},
            "finished": now(),
        }
        self.store.save_record(self.run, folder.name, record)
        return record

    def close(self) -> None:
        """End the processes and close the store."""
        for executor in self._executors.values():
            executor.close()
        self.store.finish_run(self.run)
        self.store.close()
