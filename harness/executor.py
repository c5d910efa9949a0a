"""Where trials run: in this process, or spread over processes of one thread each."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
from collections import deque
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, Protocol

from harness.errors import TrialError
from harness.experiment import Outcome, Task, load_experiment, run_task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Job = list[Task]
"""Tasks that run one after another in one process, so that arms of a seed can share work."""

Result = tuple[Task, list[Outcome]]

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

WORKER_ENVIRONMENT = {
    **dict.fromkeys(THREAD_VARIABLES, "1"),
    # glibc gives memory back to the system at every step and has it cleared again at the next; a worker keeps blocks
    # up to 32 MiB (docs/performance.md has the figures). Other C libraries do not know these names.
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
}
"""What the environment of a worker says from its first import on."""


class Executor(Protocol):
    """Runs jobs and yields each task's outcomes as soon as they are there."""

    workers: int

    def run(self, jobs: Sequence[Job], at_once: int | None = None) -> Iterator[Result]:
        """Yield one result per task, in any order; at most `at_once` jobs run side by side, for want of memory."""
        ...

    def close(self) -> None:
        """End what it started."""
        ...


class Inline:
    """Runs everything here, on one thread: the reference for bitwise repetition."""

    workers = 1

    def run(self, jobs: Sequence[Job], at_once: int | None = None) -> Iterator[Result]:  # noqa: ARG002 - one job it is
        """Yield results in the order of the jobs."""
        for job in jobs:
            for task in job:
                # Loading comes first: only a torch that is imported can be held to one thread.
                with contextlib.suppress(TrialError):
                    load_experiment(task.experiment, task.project)
                with one_thread():
                    outcomes = run_task(task)
                yield task, outcomes

    def close(self) -> None:
        """Nothing was started."""


class Processes:
    """Runs jobs in `workers` processes of one thread each.

    Workers are spawned, so they share no state with the caller, and live until
    `close`, so that each imports torch once. A worker that dies fails the tasks
    of its job that had no result yet; the others go on.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._idle: list[_Worker] = []

    def run(self, jobs: Sequence[Job], at_once: int | None = None) -> Iterator[Result]:
        """Yield results as they arrive."""
        waiting, most = deque(jobs), min(self.workers, at_once or self.workers)
        busy: dict[Connection, _Worker] = {}
        try:
            while waiting or busy:
                while waiting and len(busy) < most:
                    worker = self._idle.pop() if self._idle else _Worker()
                    worker.start(waiting.popleft())
                    busy[worker.connection] = worker
                for connection in wait(list(busy)):
                    assert isinstance(connection, Connection)
                    worker = busy[connection]
                    yield from worker.receive()
                    if worker.done:
                        del busy[connection]
                        if worker.alive:
                            self._idle.append(worker)
        finally:
            # Left early (an interruption): what runs is of no use any more.
            for worker in busy.values():
                worker.kill()

    def close(self) -> None:
        """End the workers."""
        while self._idle:
            self._idle.pop().kill()


class _Worker:
    """One process and the job it is busy with."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        with _worker_environment():
            self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
            self._process.start()
        theirs.close()
        self._open: deque[Task] = deque()
        self.alive = True

    @property
    def done(self) -> bool:
        """Whether every task of the job has a result."""
        return not self._open

    def start(self, job: Job) -> None:
        """Hand over a job."""
        self._open = deque(job)
        # A worker that died meanwhile shows itself in `receive`.
        with contextlib.suppress(BrokenPipeError):
            self.connection.send(job)

    def receive(self) -> Iterator[Result]:
        """Yield the next result, or failures for all that is left if the process died."""
        try:
            outcomes: list[Outcome] = self.connection.recv()
            yield self._open.popleft(), outcomes
        except (EOFError, ConnectionResetError):
            self._process.join()
            self.alive = False
            text = f"the worker process ended with exit code {self._process.exitcode} (out of memory, or killed?)"
            while self._open:
                task = self._open.popleft()
                yield task, [Outcome({}, 0.0, text) for _ in task.seeds]

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.join()
        self.connection.close()


def _serve(connection: Connection) -> None:
    """Run jobs until the other end closes; a worker's whole life."""
    import signal

    # Ctrl-C goes to the whole group; the parent decides what ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError), one_thread():
        while True:
            for task in connection.recv():
                connection.send(run_task(task))


@contextlib.contextmanager
def _worker_environment() -> Iterator[None]:
    """Give child processes the environment of a worker."""
    before = {name: os.environ.get(name) for name in WORKER_ENVIRONMENT}
    os.environ.update(WORKER_ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread: BLAS by its environment and at run time, torch where it is loaded."""
    from threadpoolctl import threadpool_limits

    torch: Any = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else None
    if torch:
        torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        if torch and before:
            torch.set_num_threads(before)


def executor_for(workers: int) -> Executor:
    """Return an executor of `workers` processes; one means this process."""
    return Processes(workers) if workers > 1 else Inline()
