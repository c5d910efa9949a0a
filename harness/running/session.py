"""One invocation: options, store and processes, shared by all claims that it runs."""

from __future__ import annotations

import contextlib
import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness._clock import now
from harness._text import escape_unprintable, without_ci_commands
from harness.errors import ClaimsError, DataError, SpecError, TrialError, UsageError
from harness.running.claim_run import TIMING, pilot, run_claim
from harness.running.context import Context
from harness.running.cost import remaining_seconds
from harness.running.progress import verdicts_of
from harness.running.time_budget import Budget
from harness.store.records.beside import Timed, TimingRecord
from harness.store.records.claim import Home, Problem, ProblemKind, ProblemRecord
from harness.store.store import Store
from harness.trials.catalogue import load_claim
from harness.trials.executor import executor_for
from harness.trials.options import resolve_device, resolve_workers, visible_gpus
from harness.trials.plan import fingerprint, make_plan
from harness.trials.provenance import machine, processor
from harness.trials.ray_pool import pool_elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from harness.running.progress import Progress, Step
    from harness.store.records.claim import ClaimRecord
    from harness.trials.catalogue import ClaimFolder
    from harness.trials.executor import Executor
    from harness.trials.options import Options
    from harness.trials.plan import Plan

KINDS: dict[type[Exception], ProblemKind] = {
    SpecError: "specification",
    UsageError: "usage",
    DataError: "data",
    TrialError: "trial",
}


ESTIMATING = 3.0
"""Seconds that may be spent at once on estimating how long claims take; those that are left are estimated when they begin."""

STALE = 2.0
"""Seconds after which an estimate is made again."""


class Session:
    """Runs claims, each once, and keeps their records.

    Args:
        options: what the user chose.
        run: id of the run.
        project: folder that holds `claims/`.
        say: is told one line per finished batch.
        deadline: `time.monotonic()` after which no batch begins.
        progress: is kept up to date, with estimates of the time that is left; None where nobody looks.
        log: is told the last lines that the commands of trials wrote; None where nobody asks.

    Raises:
        UsageError: the store cannot be used.
    """

    def __init__(
        self,
        options: Options,
        run: str,
        project: Path,
        say: Callable[[str], None],
        deadline: float = math.inf,
        progress: Progress | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        self.run = run
        self.store = Store(options.store)
        self.store.start_run(run, options.record(), machine(project))
        self._say = _harmless(say)
        self._log = _harmless(log or (lambda _: None))
        elsewhere = pool_elsewhere(options, project, self._say)
        self.options = replace(options, slots=elsewhere.slots) if elsewhere else options
        self._records: dict[Path, ClaimRecord | ProblemRecord] = {}
        self._shared: Executor | None = elsewhere
        self._budget = Budget(deadline)
        self._progress = progress
        self._estimated = -math.inf
        self._folders: dict[Path, ClaimFolder] = {}
        self._plans: dict[Path, Plan] = {}

    def arrange(self, folders: list[Path]) -> list[Path]:
        """Return claims in the order in which a limited time decides most of them, the cheapest first."""
        by_id = {folder.name: folder for folder in folders}
        seconds = {name: self._remaining(folder) for name, folder in by_id.items()}
        return [by_id[name] for name in self._budget.arrange(seconds)]

    def estimate_durations(self, folders: Iterable[Path]) -> None:
        """Estimate how long claims take, as far as there are trials to tell and not for long; without a progress, do nothing."""
        end = time.monotonic() + ESTIMATING
        for folder in folders:
            if self._progress is not None and folder.name not in self._progress.estimates and time.monotonic() < end:
                self._remaining(folder)

    def _watcher(self, folder: Path) -> Callable[[Step], None]:
        """Return what is told of every step of a claim."""

        def watch(step: Step) -> None:
            if self._progress is None:
                return
            self._progress.step = step
            if step.done == step.trials and time.monotonic() > self._estimated + STALE:
                self._remaining(folder)

        return watch

    def _remaining(self, folder: Path) -> float | None:
        """Return the seconds that a claim still takes, None where nobody knows, and tell the progress."""
        seconds = None
        # Without trials nobody knows, and its experiment need not be loaded to say so. Of an error, be it ours or the
        # experiment's, its own test will say what is wrong.
        with contextlib.suppress(Exception):
            if self.store.has_trials(folder.name):
                seconds = remaining_seconds(self.plan(folder), self.options, self.store, self.run)
        if self._progress is not None:
            self._progress.estimate(folder.name, seconds)
            self._estimated = time.monotonic()
        return seconds

    def claim(self, folder: Path) -> ClaimFolder:
        """Return the claim in `folder` as it was when the session first asked.

        Raises:
            SpecError: every error of claim.yaml at once.
        """
        if folder not in self._folders:
            self._folders[folder] = load_claim(folder)
        return self._folders[folder]

    def plan(self, folder: Path) -> Plan:
        """Return the plan of that claim under the session's options; a run of the claim makes its own.

        Raises:
            ClaimsError: the claim cannot be loaded or planned.
        """
        if folder not in self._plans:
            self._plans[folder] = make_plan(self.claim(folder), self.options)
        return self._plans[folder]

    def record_of(self, folder: Path) -> ClaimRecord | ProblemRecord:
        """Return the record of the claim in `folder`; it is run at the first call.

        A claim that cannot be run has a record too: `problem` says what is wrong.
        """
        if folder not in self._records:
            if self._progress is not None:
                self._progress.begin(folder.name)
            self.estimate_durations([folder])
            try:
                self._records[folder] = self._run(folder)
            except ClaimsError as error:
                self._records[folder] = self._problem(folder, error)
            if self._progress is not None:
                self._progress.judge(folder.name, verdicts_of(self._records[folder]))
        return self._records[folder]

    @property
    def context(self) -> Context:
        """What the claims of this run share."""
        return Context(self.options, self.store, self._executor, self.run, self._say, self._budget, log=self._log)

    def _run(self, folder: Path) -> ClaimRecord:
        return run_claim(load_claim(folder), replace(self.context, watch=self._watcher(folder)))

    def pilot(self, folder: ClaimFolder, profile: str) -> None:
        """Measure a few seeds of a claim under a profile, so that its cost can be foreseen; see `claim_run.pilot`."""
        pilot(folder, replace(self.context, options=replace(self.options, profile=profile)))

    def keep_timing(self, plan: Plan, what: Timed, arm: str, benchmark: Any) -> None:
        """Keep what pytest-benchmark measured of an arm beside the claim's trials, for the reports."""
        found, extra = benchmark.stats.stats, benchmark.extra_info
        record = TimingRecord(
            what=what,
            arm=arm,
            median=found.median,
            iqr=found.iqr,
            rounds=found.rounds,
            condition=extra["condition"],
            device=extra["device"],
            processor=processor(),
            finished=now(),
        )
        self.store.save_beside(plan.claim.id, f"{TIMING} {what} {arm}", fingerprint(plan), record)

    def _executor(self, _workers: int) -> Executor:
        """Return the executor of all claims; it lives as long as the session, so torch is imported once."""
        if self._shared is None:
            device = resolve_device(self.options.device)
            on_cores, on_gpus = (resolve_workers(self.options, name) for name in ("cpu", device))
            self._shared = executor_for(on_cores, visible_gpus(device), on_gpus)
        return self._shared

    def _problem(self, folder: Path, error: ClaimsError) -> ProblemRecord:
        record = problem_record(folder, error)
        self.store.save_record(self.run, record)
        return record

    def stop(self) -> None:
        """Let what runs be finished and nothing begin any more; records then say what was left."""
        self._budget.stopped = True
        if self._shared:
            self._shared.stop()

    @property
    def stopped(self) -> bool:
        """Whether an end was asked for."""
        return self._budget.stopped

    def close(self) -> None:
        """End the processes and close the store."""
        if self._shared:
            self._shared.close()
        self.store.finish_run(self.run)
        self.store.close()


def _harmless(say: Callable[[str], None]) -> Callable[[str], None]:
    """Return what says lines that may quote anything, an exception or a script included."""
    return lambda line: say(without_ci_commands(escape_unprintable(line)))


def problem_record(folder: Path, error: ClaimsError) -> ProblemRecord:
    """Return the record of a claim that cannot be run: what kind of error, and its lines."""
    lines = str(error).splitlines() or [f"{type(error).__name__}, without a word"]
    problem = Problem(kind=KINDS.get(type(error), "error"), lines=lines)
    return ProblemRecord(id=folder.name, document=Home(id=folder.parent.name), problem=problem, finished=now())
