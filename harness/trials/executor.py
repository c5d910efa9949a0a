"""Where trials run: in this process, or spread over processes of one thread each."""

from __future__ import annotations

import contextlib
import math
import time
from collections import Counter
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Protocol

from harness.errors import TrialError
from harness.trials.experiment import CPU, CUDA, load_experiment, run_task
from harness.trials.pool import Pool
from harness.trials.worker import Worker, device_of, one_thread

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.trials.worker import Job, Result


class Executor(Protocol):
    """Runs jobs and yields each task's outcomes as soon as they are there.

    Attributes:
        elsewhere: whether it measures on other machines, which see to it themselves who else measures there.
    """

    elsewhere: bool

    def run(
        self, jobs: Sequence[Job], at_once: Mapping[str, int] | None = None, peaks: Mapping[str, int] | None = None
    ) -> Iterator[Result]:
        """Yield one result per task, in any order.

        Args:
            jobs: what to run.
            at_once: device -> how many jobs may run there side by side, as many as there are workers where it is left out.
            peaks: device -> bytes that a job takes there at its height, as far as somebody knows; of use elsewhere, where
                only the executor knows what memory there is.
        """
        ...

    def stop(self) -> None:
        """Begin nothing any more: what runs is finished, and the results end there."""
        ...

    def close(self) -> None:
        """End what it started."""
        ...


class Inline:
    """Runs everything here, on one thread: the reference for bitwise repetition.

    Calls that have a limit run in one process beside this one, which can be ended.
    """

    elsewhere = False

    def __init__(self) -> None:
        self._stopped = False
        self._beside: Processes | None = None

    def run(
        self,
        jobs: Sequence[Job],
        at_once: Mapping[str, int] | None = None,  # noqa: ARG002 - one job it is
        peaks: Mapping[str, int] | None = None,  # noqa: ARG002
    ) -> Iterator[Result]:
        """Yield results in the order of the jobs."""
        for job in jobs:
            if any(task.limited for task in job):
                self._beside = self._beside or Processes(1)
                yield from self._beside.run([job])
                continue
            for task in job:
                if self._stopped:
                    return
                # Loading comes first: only a torch that is imported can be held to one thread.
                with contextlib.suppress(TrialError):
                    load_experiment(task.experiment, task.project)
                with one_thread():
                    outcomes = run_task(task)
                yield task, outcomes

    def stop(self) -> None:
        """Begin no further task."""
        self._stopped = True
        if self._beside:
            self._beside.stop()

    def close(self) -> None:
        """End the process beside this one, if there is one."""
        if self._beside:
            self._beside.close()


class Processes(Pool[Worker]):
    """Runs jobs in processes of one thread each: those on GPUs in some, all others beside them in `workers` that see no GPU.

    Workers are spawned, so they share no state with the caller. One that dies, or takes longer than a call may, fails the
    task that it was at. Whatever a call has started ends with its worker.
    """

    elsewhere = False

    def __init__(self, workers: int, gpus: Sequence[str] = (), on_gpus: int | None = None) -> None:
        """Start none yet.

        Args:
            workers: the most processes on the processor; without GPUs, of all.
            gpus: names of GPUs as CUDA_VISIBLE_DEVICES has them, which processes share out and see one each.
            on_gpus: the most processes on them, one each by default.
        """
        super().__init__()
        self._most = {CPU: workers, CUDA: (on_gpus or len(gpus)) if gpus else 0}
        self._at_once: Mapping[str, int] = {}
        self._gpus = gpus

    def _place(self, job: Job) -> str:
        return device_of(job) if self._gpus else CPU

    def _open(self, jobs: Sequence[Job], at_once: Mapping[str, int], peaks: Mapping[str, int]) -> None:  # noqa: ARG002
        self._at_once = at_once

    def _take(self, device: str, busy: Sequence[Worker], waiting: int) -> Worker | None:  # noqa: ARG002 - no start is waited for
        most = min(self._most[device], self._at_once.get(device, self._most[device]))
        if sum(worker.device == device for worker in busy) >= most:
            return None
        idle = next((worker for worker in reversed(self._idle) if worker.device == device), None)
        if idle:
            self._idle.remove(idle)
            return idle
        # A new one, on the GPU that the fewest see.
        taken = Counter(worker.gpu for worker in busy)
        unseen = "" if self._gpus else None
        return Worker(min(self._gpus, key=lambda gpu: taken[gpu]) if device == CUDA else unseen)

    def _receive(self, busy: Sequence[Worker]) -> Iterator[Result]:
        by_connection: dict[object, Worker] = {worker.connection: worker for worker in busy}
        due = min(worker.deadline for worker in busy)
        seconds = None if due == math.inf else max(0.0, due - time.monotonic())
        for connection in wait([worker.connection for worker in busy], seconds):
            yield from by_connection[connection].receive()
        for worker in busy:
            if worker.late:
                yield from worker.overdue()


def executor_for(workers: int, gpus: Sequence[str] = (), on_gpus: int | None = None) -> Executor:
    """Return an executor of `workers` processes, and of some on GPUs; one process means this one, but for GPUs.

    An error in a kernel ends all work of its process on the GPU, and must not end the run's.
    """
    return Processes(workers, gpus, on_gpus) if workers > 1 or gpus else Inline()
