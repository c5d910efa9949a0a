"""Jobs handed to workers that live on: what the processes of this machine and the actors of a cluster have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from harness.trials.experiment import CPU, CUDA
from harness.trials.worker import device_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harness.trials.worker import Job, Result


class PoolWorker(Protocol):
    """Works at a job, task by task.

    Attributes:
        alive: whether it can still work.
        between: whether it has given the result of a task and has not begun the next.
    """

    alive: bool
    between: bool

    @property
    def done(self) -> bool:
        """Whether every task of the job has a result."""
        ...

    @property
    def left(self) -> Job:
        """The tasks of the job that have no result."""
        ...

    def start(self, job: Job) -> None:
        """Hand over a job."""
        ...

    def kill(self) -> None:
        """End it at once, and what it has started."""
        ...


AnyWorker = TypeVar("AnyWorker", bound=PoolWorker)


class Pool(ABC, Generic[AnyWorker]):
    """Hands jobs to workers, one each; what is left of the job of one that ended goes to another.

    Workers live until `close`, so that each imports torch once.
    """

    def __init__(self) -> None:
        self._idle: list[AnyWorker] = []
        self._stopped = False

    @abstractmethod
    def _open(self, jobs: Sequence[Job], at_once: Mapping[str, int], peaks: Mapping[str, int]) -> None:
        """Prepare for jobs; see `run`."""

    @abstractmethod
    def _take(self, device: str, busy: Sequence[AnyWorker], waiting: int) -> AnyWorker | None:
        """Return a worker on a device that can begin now, for one of `waiting` jobs; None if none can, or no more may."""

    @abstractmethod
    def _receive(self, busy: Sequence[AnyWorker]) -> Iterator[Result]:
        """Wait until a worker has something to say, and yield the results in it."""

    def _place(self, job: Job) -> str:
        """Return the device that a job waits for."""
        return device_of(job)

    def run(
        self, jobs: Sequence[Job], at_once: Mapping[str, int] | None = None, peaks: Mapping[str, int] | None = None
    ) -> Iterator[Result]:
        """Yield results as they arrive; see `Executor`."""
        waiting: dict[str, deque[Job]] = {CPU: deque(), CUDA: deque()}
        busy: list[AnyWorker] = []
        for job in jobs:
            waiting[self._place(job)].append(job)
        self._open(jobs, at_once or {}, peaks or {})
        try:
            while busy or (any(waiting.values()) and not self._stopped):
                for device, own in waiting.items():
                    while own and not self._stopped and (worker := self._take(device, busy, len(own))):
                        worker.start(own.popleft())
                        busy.append(worker)
                yield from self._receive(busy)
                for left in self._settle(busy):
                    waiting[self._place(left)].appendleft(left)
        finally:
            # Left early (an interruption): what runs is of no use any more.
            for worker in busy:
                worker.kill()

    def _settle(self, busy: list[AnyWorker]) -> Iterable[Job]:
        """Let go of the workers that work no more; return what they leave to others."""
        for worker in list(busy):
            if worker.alive and not worker.done and not (self._stopped and worker.between):
                continue
            busy.remove(worker)
            if worker.alive and worker.done:
                self._idle.append(worker)
            elif worker.alive:
                worker.kill()
            elif not worker.done:
                yield worker.left

    def stop(self) -> None:
        """Hand out no further job; of those that run only the present task is finished."""
        self._stopped = True

    def close(self) -> None:
        """End the workers."""
        while self._idle:
            self._idle.pop().kill()
