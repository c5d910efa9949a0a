"""Where trials run: in this process, or spread over processes of one thread each."""

from __future__ import annotations

import contextlib
import math
import time
from collections import Counter
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Protocol

from harness.errors import TrialError
from harness.trials.experiment import load_experiment, run_task
from harness.trials.memory import affordable
from harness.trials.pool import Pool
from harness.trials.worker import Worker, one_thread

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.trials.worker import Job, Result


class Executor(Protocol):
    """Runs jobs and yields each task's outcomes as soon as they are there.

    Attributes:
        workers: how many jobs it can run side by side.
        elsewhere: whether it measures on other machines, which keep watch themselves over who else measures there.
    """

    workers: int
    elsewhere: bool

    def run(self, jobs: Sequence[Job], at_once: int | None = None, peak: int | None = None) -> Iterator[Result]:
        """Yield one result per task, in any order.

        Args:
            jobs: what to run.
            at_once: how many jobs may run side by side, None for as many as there are workers.
            peak: bytes that one of them may take, None if nobody knows: no more run side by side than have room.
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

    workers = 1
    elsewhere = False

    def __init__(self) -> None:
        self._stopped = False
        self._beside: Processes | None = None

    def run(self, jobs: Sequence[Job], at_once: int | None = None, peak: int | None = None) -> Iterator[Result]:  # noqa: ARG002 - one job it is
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
    """Runs jobs in `workers` processes of one thread each.

    Workers are spawned, so they share no state with the caller. One that dies, or takes longer than a call may, fails the
    task that it was at. Whatever a call has started ends with its worker.
    """

    elsewhere = False

    def __init__(self, workers: int, gpus: Sequence[str] = ()) -> None:
        """Start none yet; workers share out `gpus`, as CUDA_VISIBLE_DEVICES names them, and see one each."""
        super().__init__()
        self.workers = workers
        self._gpus = gpus
        self._most = workers

    def _open(self, jobs: Sequence[Job], at_once: int | None, peak: int | None) -> None:  # noqa: ARG002 - all are alike
        self._most = affordable(min(self.workers, at_once or self.workers), peak)

    def _take(self, busy: Sequence[Worker], waiting: int) -> Worker | None:  # noqa: ARG002 - a start is not waited for
        if len(busy) >= self._most:
            return None
        return self._idle.pop() if self._idle else Worker(self._free_gpu(busy))

    def _receive(self, busy: Sequence[Worker]) -> Iterator[Result]:
        by_connection: dict[object, Worker] = {worker.connection: worker for worker in busy}
        due = min(worker.deadline for worker in busy)
        ready = wait(
            [worker.connection for worker in busy], None if due == math.inf else max(0.0, due - time.monotonic())
        )
        for connection in ready:
            yield from by_connection[connection].receive()
        for worker in busy:
            if worker.late:
                yield from worker.overdue()

    def _free_gpu(self, busy: Sequence[Worker]) -> str | None:
        """Return the GPU that the fewest workers see, None where there is none."""
        taken = Counter(worker.gpu for worker in busy)
        return min(self._gpus, key=lambda gpu: taken[gpu], default=None)


def executor_for(workers: int, gpus: Sequence[str] = ()) -> Executor:
    """Return an executor of `workers` processes; one means this process, but for GPUs.

    An error in a kernel ends all work of its process on the GPU, and must not end the run's.
    """
    return Processes(workers, gpus) if workers > 1 or gpus else Inline()
