"""Where trials run: in this process, or spread over processes of one thread each."""

from __future__ import annotations

import contextlib
import math
import time
from collections import Counter, deque
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Protocol

from harness.errors import TrialError
from harness.trials.experiment import load_experiment, run_task
from harness.trials.worker import Worker, one_thread

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.trials.worker import Job, Result


class Executor(Protocol):
    """Runs jobs and yields each task's outcomes as soon as they are there."""

    workers: int

    def run(self, jobs: Sequence[Job], at_once: int | None = None) -> Iterator[Result]:
        """Yield one result per task, in any order; at most `at_once` jobs run side by side, for want of memory."""
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

    def __init__(self) -> None:
        self._stopped = False
        self._beside: Processes | None = None

    def run(self, jobs: Sequence[Job], at_once: int | None = None) -> Iterator[Result]:  # noqa: ARG002 - one job it is
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


class Processes:
    """Runs jobs in `workers` processes of one thread each.

    Workers are spawned, so they share no state with the caller, and live until
    `close`, so that each imports torch once. A worker that dies, or takes longer
    than a call may, fails the task that it was at; what is left of its job goes
    to another. Whatever a call has started ends with its worker.
    """

    def __init__(self, workers: int, gpus: Sequence[str] = ()) -> None:
        """Start none yet; workers share out `gpus`, as CUDA_VISIBLE_DEVICES names them, and see one each."""
        self.workers = workers
        self._gpus = gpus
        self._idle: list[Worker] = []
        self._stopped = False

    def run(self, jobs: Sequence[Job], at_once: int | None = None) -> Iterator[Result]:
        """Yield results as they arrive."""
        waiting, most = deque(jobs), min(self.workers, at_once or self.workers)
        busy: dict[Connection, Worker] = {}
        try:
            while busy or (waiting and not self._stopped):
                while waiting and len(busy) < most and not self._stopped:
                    worker = self._idle.pop() if self._idle else Worker(self._free_gpu(list(busy.values())))
                    worker.start(waiting.popleft())
                    busy[worker.connection] = worker
                due = min(worker.deadline for worker in busy.values())
                ready = wait(list(busy), None if due == math.inf else max(0.0, due - time.monotonic()))
                for connection in ready:
                    assert isinstance(connection, Connection)
                    yield from busy[connection].receive()
                for worker in [worker for worker in busy.values() if worker.late]:
                    yield from worker.overdue()
                for connection, worker in list(busy.items()):
                    if worker.alive and not worker.done and not (self._stopped and worker.between):
                        continue
                    del busy[connection]
                    if worker.alive and worker.done:
                        self._idle.append(worker)
                        continue
                    if worker.alive:
                        worker.kill()
                    elif not worker.done:
                        waiting.appendleft(worker.left)
        finally:
            # Left early (an interruption): what runs is of no use any more.
            for worker in busy.values():
                worker.kill()

    def _free_gpu(self, busy: Sequence[Worker]) -> str | None:
        """Return the GPU that the fewest workers see, None where there is none."""
        taken = Counter(worker.gpu for worker in busy)
        return min(self._gpus, key=lambda gpu: taken[gpu], default=None)

    def stop(self) -> None:
        """Hand out no further job; of those that run only the present task is finished."""
        self._stopped = True

    def close(self) -> None:
        """End the workers."""
        while self._idle:
            self._idle.pop().kill()


def executor_for(workers: int, gpus: Sequence[str] = ()) -> Executor:
    """Return an executor of `workers` processes; one means this process, but for GPUs.

    An error in a kernel ends all work of its process on the GPU, and must not end the run's.
    """
    return Processes(workers, gpus) if workers > 1 or gpus else Inline()
