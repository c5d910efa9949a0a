"""Where trials run: in this process, or spread over processes of one thread each."""

from __future__ import annotations

import contextlib
import math
import time
from collections import Counter, deque
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Protocol

from harness.errors import TrialError
from harness.trials.experiment import CPU, CUDA, load_experiment, run_task
from harness.trials.worker import Worker, device_of, one_thread

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.trials.worker import Job, Result


class Executor(Protocol):
    """Runs jobs and yields each task's outcomes as soon as they are there."""

    def run(self, jobs: Sequence[Job], at_once: Mapping[str, int] | None = None) -> Iterator[Result]:
        """Yield one result per task, in any order; on a device in `at_once` at most so many jobs run side by side."""
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

    def __init__(self) -> None:
        self._stopped = False
        self._beside: Processes | None = None

    def run(
        self,
        jobs: Sequence[Job],
        at_once: Mapping[str, int] | None = None,  # noqa: ARG002 - one job it is
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


class Processes:
    """Runs jobs in processes of one thread each: those on GPUs in some, all others beside them in `workers` that see no GPU.

    Workers are spawned, so they share no state with the caller, and live until
    `close`, so that each imports torch once. A worker that dies, or takes longer
    than a call may, fails the task that it was at; what is left of its job goes
    to another. Whatever a call has started ends with its worker.
    """

    def __init__(self, workers: int, gpus: Sequence[str] = (), on_gpus: int | None = None) -> None:
        """Start none yet.

        Args:
            workers: the most processes on the processor; without GPUs, of all.
            gpus: names of GPUs as CUDA_VISIBLE_DEVICES has them, which processes share out and see one each.
            on_gpus: the most processes on them, one each by default.
        """
        self._most = {CPU: workers, CUDA: (on_gpus or len(gpus)) if gpus else 0}
        self._gpus = gpus
        self._idle: dict[str, list[Worker]] = {CPU: [], CUDA: []}
        self._stopped = False

    def run(self, jobs: Sequence[Job], at_once: Mapping[str, int] | None = None) -> Iterator[Result]:
        """Yield results as they arrive."""
        waiting: dict[str, deque[Job]] = {CPU: deque(), CUDA: deque()}
        for job in jobs:
            waiting[device_of(job) if self._gpus else CPU].append(job)
        most = {device: min(number, (at_once or {}).get(device, number)) for device, number in self._most.items()}
        busy: dict[Connection, Worker] = {}
        try:
            while busy or (any(waiting.values()) and not self._stopped):
                for device, own in waiting.items() if not self._stopped else ():
                    while own and sum(worker.device == device for worker in busy.values()) < most[device]:
                        worker = self._worker(device, list(busy.values()))
                        worker.start(own.popleft())
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
                        self._idle[worker.device].append(worker)
                        continue
                    if worker.alive:
                        worker.kill()
                    elif not worker.done:
                        waiting[worker.device].appendleft(worker.left)
        finally:
            # Left early (an interruption): what runs is of no use any more.
            for worker in busy.values():
                worker.kill()

    def _worker(self, device: str, busy: Sequence[Worker]) -> Worker:
        """Return a worker for a device: one that is idle, else a new one, on the GPU that the fewest see."""
        if self._idle[device]:
            return self._idle[device].pop()
        taken = Counter(worker.gpu for worker in busy)
        unseen = "" if self._gpus else None
        return Worker(min(self._gpus, key=lambda gpu: taken[gpu]) if device == CUDA else unseen)

    def stop(self) -> None:
        """Hand out no further job; of those that run only the present task is finished."""
        self._stopped = True

    def close(self) -> None:
        """End the workers."""
        for idle in self._idle.values():
            while idle:
                idle.pop().kill()


def executor_for(workers: int, gpus: Sequence[str] = (), on_gpus: int | None = None) -> Executor:
    """Return an executor of `workers` processes, and of some on GPUs; one process means this one, but for GPUs.

    An error in a kernel ends all work of its process on the GPU, and must not end the run's.
    """
    return Processes(workers, gpus, on_gpus) if workers > 1 or gpus else Inline()
