"""The driver on 1 to 1,000 workers: plan, store and judge are real and take the time they take; workers measure in simulated time.

A trial takes as long as stored ones took on average, times what one of them took beside the mean of its arm, condition and settings: so trials of
one claim differ as they did, and all claims are of one size. The driver's clock goes on by the time that
it really works between two results, and jumps to the next result where it would wait for one. What passes the pipe to a worker is pickled
as it would be; to look through the pipes of all workers costs nothing here. On a machine that is busy otherwise the driver's clock counts its
processor time, and a given time for each commit.
"""

from __future__ import annotations

import contextlib
import heapq
import pickle
import sqlite3
import time
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.store.store import Store
from harness.trials.catalogue import load_claim
from harness.trials.experiment import load_experiment, run_task
from harness.trials.options import Options
from harness.trials.provenance import machine
from harness.trials.task import CPU
from tests.tiny_project import write_claim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.trials.rows import TrialRow
    from harness.trials.task import Outcome, Task
    from harness.trials.worker import Job, Result

WORKERS = (1, 2, 10, 100, 1000)

PLANS = {
    "1,000 seeds at one look": (3, 1.0, "first: 1000, cap: 1000"),
    "looks at 50, 100, ..., 1,000, never decided": (3, 0.5, "first: 50, step: 50, cap: 1000"),
    "looks at 6, 8, ..., 24, never decided": (60, 0.5, "first: 6, step: 2, cap: 24"),
    "decided at the first look of 6": (100, 1.0, "first: 6, step: 2, cap: 24"),
}
"""Words for a plan -> claims that are run of the thousand, for they follow each other and cost the same; the gap of the tiny claim,
whose band is on the edge at 0.5; its seeds."""


class Simulated:
    """An executor whose workers take stored times.

    Attributes:
        workers: how many.
        now: seconds on the driver's clock, those that it waited without waiting included.
        measuring: seconds of all trials.
        working: seconds that the driver really worked.
    """

    def __init__(self, workers: int, seconds: Callable[[], float], clock: Callable[[], float]) -> None:
        self.workers = workers
        self.now = self.measuring = self.working = 0.0
        self._seconds, self._clock = seconds, clock
        self.goes_on()

    def works(self) -> None:
        """Count the time since the driver went on."""
        passed = self._clock() - self._since
        self.working += passed
        self.now += passed
        self.goes_on()

    def goes_on(self) -> None:
        """Let the driver's time count from here."""
        self._since = self._clock()

    elsewhere = False

    def run(
        self, jobs: Sequence[Job], at_once: Mapping[str, int] | None = None, peaks: Mapping[str, int] | None = None
    ) -> Iterator[Result]:
        """Yield results in the order in which simulated workers have them."""
        waiting, most = deque(jobs), min(self.workers, (at_once or {}).get(CPU, self.workers))
        busy, events = 0, []
        self.works()
        while waiting or events:
            while waiting and busy < most:
                job = waiting.popleft()
                self.goes_on()
                pickle.dumps(job)
                self.works()
                busy += 1
                events += self._events(job)
                heapq.heapify(events)
            due, _, task, outcomes, last = heapq.heappop(events)
            busy -= last
            sent = pickle.dumps(outcomes)
            self.now = max(self.now, due)
            self.goes_on()
            yield task, pickle.loads(sent)
            self.works()

    def _events(self, job: Job) -> list[tuple[float, int, Task, list[Outcome], bool]]:
        """Return the results of a job, each with when it is there and whether its worker is free then."""
        due, found = self.now, []
        for task in job:
            seconds = sum(self._seconds() for _ in task.seeds)
            due += seconds
            self.measuring += seconds
            found.append((due, id(task), task, run_task(task), task is job[-1]))
        return found

    def stop(self) -> None:
        """Nothing stops it."""

    def close(self) -> None:
        """It started nothing."""


class Watched(Store):
    """A store that counts what it writes, and how long that takes.

    Attributes:
        commit: seconds that a commit counts beside the processor's time; None for the time that passes.
        trials: how many were stored.
        commits: how many transactions there were of them.
        seconds: what they took.
    """

    def __init__(self, path: Path, commit: float | None) -> None:
        super().__init__(path)
        self.commit, self.trials, self.commits, self.seconds = commit, 0, 0, 0.0

    def clock(self) -> float:
        """Return the time of this process, in seconds from any beginning."""
        return time.perf_counter() if self.commit is None else time.process_time() + self.commit * self.commits

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Commit trials together, and count them and their time."""
        started = self.clock()
        with super().at_once():
            yield
        self.commits += 1
        self.seconds += self.clock() - started

    def save_trial(self, row: TrialRow, run: str, *, replace: bool = False) -> None:
        """Write one trial, and count it."""
        super().save_trial(row, run, replace=replace)
        self.trials += 1


@dataclass(frozen=True)
class Row:
    """What came of one plan on so many workers, for the sample of claims."""

    claims: int
    workers: int
    trials: int
    makespan: float
    measuring: float
    driver: float
    storing: float

    @property
    def efficiency(self) -> float:
        """Share of the workers' time that went into trials."""
        return self.measuring / self.workers / self.makespan

    def cells(self) -> list[str]:
        """Return it as cells of a table."""
        return [
            f"{self.workers:,}",
            f"{self.trials / self.claims * 1000:,.0f}",
            f"{self.makespan / self.claims * 1000 / 3600:.2f}",
            f"{100 * self.efficiency:.1f} %",
            f"{self.trials / self.makespan:,.0f}",
            f"{1e3 * self.driver / self.trials:.2f}",
            f"{self.trials / self.driver:,.0f}",
            f"{self.trials / self.storing:,.0f}",
        ]


HEAD = (
    "workers", "trials of 1,000 claims", "hours", "efficiency", "trials/s", "driver, ms a trial", "driver's most trials/s",
    "store's most trials/s",
)  # fmt: skip


def simulate(folder: Path, times: Path, commit: float | None) -> None:
    """Print a table for each plan."""
    seconds = stored_seconds(times)
    mean, median, most = seconds.mean(), np.median(seconds), seconds.max()
    print(
        f"{seconds.size:,} stored trials took {mean:.3f} s on average, {median:.3f} s in the middle, {most:.1f} s at most"
    )
    for number, (words, plan) in enumerate(PLANS.items()):
        print(f"\n{words}\n\n| {' | '.join(HEAD)} |\n|{'---:|' * len(HEAD)}")
        for workers in WORKERS:
            row = simulated(folder / f"plan_{number}" / str(workers), workers, plan, seconds, commit)
            print(f"| {' | '.join(row.cells())} |", flush=True)


def stored_seconds(times: Path) -> np.ndarray:
    """Return the seconds that every finished trial of a store would have taken, were all arms and conditions as quick as their mean."""
    groups: dict[tuple[str, ...], list[float]] = {}
    with closing(sqlite3.connect(f"{times.resolve().as_uri()}?mode=ro", uri=True)) as store:
        for seconds, *group in store.execute(
            "SELECT seconds, claim, arm, condition, settings FROM trial WHERE status = 'finished'"
        ):
            groups.setdefault(tuple(group), []).append(seconds)
    mean = np.mean([seconds for group in groups.values() for seconds in group])
    return np.array([mean * seconds / np.mean(group) for group in groups.values() for seconds in group])


def simulated(
    folder: Path, workers: int, plan: tuple[int, float, str], seconds: np.ndarray, commit: float | None
) -> Row:
    """Run the sample of claims on so many workers."""
    generator = np.random.default_rng(0)
    number, gap, seeds = plan
    replace = {"first: 6, step: 2, cap: 12": seeds}
    claims = [load_claim(write_claim(folder, f"claim_{n}", gap=gap, replace=replace)) for n in range(number)]
    for claim in claims:
        load_experiment(claim.experiment, claim.project)
    with closing(Watched(folder / "store.sqlite3", commit)) as store:
        store.start_run("run", Options().record(), machine(folder))
        executor = Simulated(workers, lambda: float(generator.choice(seconds)), store.clock)
        for claim in claims:
            run_claim(claim, Context(Options(workers=workers), store, lambda _: executor, "run"))
        executor.works()
        return Row(number, workers, store.trials, executor.now, executor.measuring, executor.working, store.seconds)
