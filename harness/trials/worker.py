"""A process of one thread that runs trials: its environment, its life, and how the caller hears of its end."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from harness._text import message_of
from harness.errors import TrialError
from harness.trials.experiment import CPU, CUDA, Outcome, Task, load_experiment, run_task
from harness.trials.handshake import refusal_of
from harness.trials.memory import at_most
from harness.trials.process_tree import end, end_session, ended_by, lead
from harness.trials.witness import install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

Job = list[Task]
"""Tasks that run one after another in one process, so that arms of a seed can share work."""

Result = tuple[Task, list[Outcome]]


def device_of(job: Job) -> str:
    """Return where a job belongs: to a GPU if any of its tasks computes there."""
    return CUDA if any(task.device == CUDA for task in job) else CPU


START_UP = 120.0
"""Seconds that a worker may take to start and to import an experiment before a call's own limit counts."""

PARTING = 5.0
"""Seconds that a process may take to end after it has hung up, so that it can say how it ended."""

BEGUN = "begun"
"""What a worker says when it starts on a call."""

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

WORKER_ENVIRONMENT = {
    **dict.fromkeys(THREAD_VARIABLES, "1"),
    # glibc gives memory back to the system at every step and has it cleared again at the next; a worker keeps blocks
    # up to 32 MiB (docs/performance.md has the figures). Other C libraries do not know these names.
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
    # cuBLAS repeats itself to the last bit only with a workspace of fixed size (its manual, "Results reproducibility").
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
}
"""What the environment of a worker says from its first import on."""


class Worker:
    """One process and the job it is busy with.

    Attributes:
        gpu: the GPU that it sees, as CUDA_VISIBLE_DEVICES names it; empty if it sees none, None if it sees what there is.
        connection: this end of the pipe to it.
        alive: whether the process still runs.
        between: whether it has given the result of a task and has not yet said that it begins the next.
        deadline: `time.monotonic()` at which the present call has taken longer than it may.
    """

    def __init__(self, gpu: str | None = None) -> None:
        """Start it; `gpu` names the one that it sees, as CUDA_VISIBLE_DEVICES does, None lets it see what there is."""
        self.gpu = gpu
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        with _worker_environment({} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu}):
            self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
            self._process.start()
        theirs.close()
        self._open: deque[Task] = deque()
        self.alive = True
        self.between = False
        self.deadline = math.inf
        self._served = False
        self._begun = False

    @property
    def device(self) -> str:
        """What it is there for."""
        return CUDA if self.gpu else CPU

    @property
    def done(self) -> bool:
        """Whether every task of the job has a result."""
        return not self._open

    @property
    def late(self) -> bool:
        """Whether the present call has taken longer than it may, and its result does not lie in the pipe either."""
        return self.alive and self.deadline < time.monotonic() and not self.connection.poll()

    @property
    def left(self) -> Job:
        """The tasks of the job that have no result."""
        return list(self._open)

    def start(self, job: Job) -> None:
        """Hand over a job."""
        self._open = deque(job)
        self.between = self._begun = False
        self.deadline = self._due(START_UP)
        # A worker that died meanwhile shows itself in `receive`.
        with contextlib.suppress(OSError):
            self.connection.send(job)

    def _due(self, grace: float = 0.0) -> float:
        """Return when the first open task will have taken too long, from now on."""
        task = self._open[0] if self._open else None
        if task is None or task.seconds is None:
            return math.inf
        # A command is ended by its own process, which tells what it said last.
        return time.monotonic() + grace + task.seconds * len(task.seeds) + (PARTING if task.command else 0.0)

    def receive(self) -> Iterator[Result]:
        """Yield the next result, or the failure of the present task if the process died."""
        try:
            message: list[Outcome] | str = self.connection.recv()
        except (EOFError, OSError):
            # Between two messages or within one: the process is gone, or about to be.
            self._process.join(PARTING)
            self._end()
            yield from self._fail(f"the worker process {_ended(self._process.exitcode)}")
            return
        except Exception as error:
            self._end()
            what = f"{type(error).__name__}: {message_of(error)}"
            yield from self._fail(f"the worker process sent what cannot be read: {what}")
            return
        if isinstance(message, str):
            self.between, self._begun, self.deadline = False, True, self._due()
            return
        task = self._open.popleft()
        self.between, self._begun, self._served, self.deadline = True, False, True, self._due(START_UP)
        yield task, message

    def overdue(self) -> Iterator[Result]:
        """End the process for the time that its present task has taken; yield the failure."""
        seconds = self._open[0].seconds
        self._end()
        yield from self._fail(f"took longer than {seconds:g} s a seed, its limit (limits: seconds), and was ended")

    def _fail(self, reason: str) -> Iterator[Result]:
        """Yield the failure of the task that the process was at when it ended."""
        self.alive, self.deadline = False, math.inf
        self.connection.close()
        # One that dies between two calls has done neither any harm. One that dies before its first may owe that to what
        # it imports, and so would the next.
        if self._open and (self._begun or not self._served):
            task = self._open.popleft()
            yield task, [Outcome({}, 0.0, reason) for _ in task.seeds]

    def kill(self) -> None:
        """End the process at once, and what it has started."""
        self._end()
        self.connection.close()

    def _end(self) -> None:
        assert self._process.pid is not None
        if self._process.exitcode is None:
            end(self._process.pid)
            self._process.kill()
            self._process.join()
        else:
            # What it left behind is still of its group.
            end_session(self._process.pid)


def _ended(code: int | None) -> str:
    """Return how a process ended, in words."""
    if code is None or code >= 0:
        return f"ended by itself with exit code {code}; does measure() call exit()?"
    return f"was ended by {ended_by(code)}"


def _serve(connection: Connection) -> None:
    """Run jobs until the other end closes; a worker's whole life."""
    lead()
    install()
    # The parent decides what ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # It hangs up at its end, whatever threads a call has left behind to wait for.
    with connection, contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError), one_thread():
        while True:
            for task in connection.recv():
                if task.foreign and (refused := refusal_of(task)):
                    connection.send(refused)
                    continue
                # What an import takes is no part of what a call may take; if it fails, the call will say so.
                with contextlib.suppress(TrialError):
                    load_experiment(task.experiment, task.project)
                if "torch" in sys.modules:
                    warm(task.device)
                connection.send(BEGUN)
                with at_most(task.gigabytes):
                    outcomes = run_task(task)
                connection.send(outcomes)
                if _gpu_is_lost():
                    # Nothing works there any more for this process; what is left of the job goes to another.
                    return


@lru_cache
def warm(device: str) -> None:
    """Have torch ready to compute on a device: a GPU's context and the first product are no part of what a call takes."""
    torch: Any = sys.modules["torch"]
    # Where the device is not to be had, the call will say so.
    with contextlib.suppress(RuntimeError, AssertionError):
        float(torch.ones(64, 64, device=device).matmul(torch.ones(64, 64, device=device)).sum())


def _gpu_is_lost() -> bool:
    """Whether an error has ended this process's context on the GPU, as an assertion in a kernel does.

    An error out of memory is none of those: the context outlives it.
    """
    torch: Any = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return False
    try:
        torch.cuda.synchronize()
    except RuntimeError:
        return True
    return False


@contextlib.contextmanager
def _worker_environment(more: dict[str, str]) -> Iterator[None]:
    """Give child processes the environment of a worker, and more."""
    ours = WORKER_ENVIRONMENT | more
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
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
