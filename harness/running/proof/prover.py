"""All checks of claims, with the store and the processes that they share."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from harness._text import escape_unprintable, without_ci_commands
from harness.running.context import Context
from harness.running.proof.declared import declared
from harness.running.proof.examiner import Examiner
from harness.running.proof.mutants import mutants
from harness.running.proof.repetition import repeated, timings_run
from harness.running.proof.request import Request
from harness.running.proof.sabotaged import sabotaged
from harness.store.store import Store
from harness.trials.executor import Processes
from harness.trials.occupancy import occupied, waiting
from harness.trials.options import resolve_device, resolve_workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.running.proof.check import Check
    from harness.store.records.proof import MutantsRecord
    from harness.trials.catalogue import ClaimFolder
    from harness.trials.executor import Executor
    from harness.trials.options import Options


class Prover:
    """Checks claims, one after another.

    Args:
        options: profile of verdicts, base seed, store, device, workers; `fresh` asks again for what is kept.
        say: is told one line now and then.

    Raises:
        UsageError: the store cannot be used.
    """

    def __init__(self, options: Options, say: Callable[[str], None]) -> None:
        self.options = options
        self.store = Store(options.store)
        self._say = lambda line: say(without_ci_commands(escape_unprintable(line)))
        self._executors: dict[int, Executor] = {}
        self.context = Context(options, self.store, self._executor, uuid.uuid4().hex[:12], self._say)
        self._device = resolve_device(options.device)
        self.examiner = Examiner(self.store, resolve_workers(options, self._device), options.fresh)

    def checks(self, folder: ClaimFolder) -> Iterator[Check]:
        """Yield the checks of a claim, the cheapest first."""
        yield from declared(folder)
        yield from repeated(folder, self.context)
        yield timings_run(folder, self.context)
        yield from self.sabotaged(folder)

    def sabotaged(self, folder: ClaimFolder) -> list[Check]:
        """Return the checks of a claim's broken lines."""
        with self._beside_others(folder):
            return sabotaged(folder, self.examiner, self._request(folder))

    def mutants(self, folder: ClaimFolder, n: int, seed: int) -> tuple[Check, MutantsRecord]:
        """Break a claim's experiment in `n` small ways; return the check and its record.

        Raises:
            UsageError, TrialError, DataError: as `mutants.mutants`.
        """
        with self._beside_others(folder):
            return mutants(folder, self.examiner, self._request(folder), n, seed, self._say)

    def _request(self, folder: ClaimFolder) -> Request:
        options = self.options
        return Request(str(folder.path), options.profile, options.base_seed, self._device)

    def _beside_others(self, folder: ClaimFolder) -> Any:
        """Hold the machine beside others: who measures durations waits until this is done."""
        words = f"{folder.claim.id}: another run measures durations, and needs the machine for itself; waiting"
        return occupied(alone=False, patient=waiting(self._say, words, lambda: True))

    def _executor(self, workers: int) -> Executor:
        """Return processes that live as long as this, so that torch is imported once; never this process."""
        if workers not in self._executors:
            self._executors[workers] = Processes(workers)
        return self._executors[workers]

    def close(self) -> None:
        """End the processes and close the store."""
        self.examiner.close()
        for executor in self._executors.values():
            executor.close()
        self.store.close()
