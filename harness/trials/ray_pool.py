"""Trials on the nodes of a Ray cluster: who gets a worker, what is done when one is lost, and which node is refused.

Only the process that started the run writes the store. A task is given to another worker where its node was lost, and
nowhere else: what ends on a node that lives has failed, since that may be due to what the trial came to.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.errors import TrialError
from harness.trials.cluster import Cluster, GoneError, Need
from harness.trials.pool import Pool
from harness.trials.remote import travelling
from harness.trials.task import CPU, CUDA, Outcome
from harness.trials.worker import device_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.trials.cluster import Node
    from harness.trials.options import Options
    from harness.trials.task import Task
    from harness.trials.worker import Job, Result

MORE_ATTEMPTS = 2
"""How often a task whose node was lost is given to another."""

FAILED_STARTS = 3
"""So many workers that could not be started, one after another, end a claim."""

LISTEN = 1.0
"""Seconds after which a wait looks up: a user may have asked for an end while no worker was ready."""

MEMORY_STEP = 2**30
"""Memory is asked for in such steps, so that a worker serves claims that take nearly the same."""


class RayWorker:
    """An actor, and the job that it is busy with; see `PoolWorker`.

    Attributes:
        need: what it takes of its node.
        node: id of its node, None as long as it has not said that it is there.
        asked: what it was asked last.
        refusal: what its node has not, of what the run was planned with; None if it has it all.
    """

    def __init__(self, cluster: Cluster, need: Need, refused: Sequence[str]) -> None:
        self._cluster = cluster
        self._actor = cluster.hire(need, refused)
        self._open: deque[Task] = deque()
        self._ended: str | None = None
        self.need = need
        self.node: str | None = None
        self.alive, self.between = True, True
        self.refusal: str | None = None
        self.asked = cluster.ask(self._actor, "greet")

    @property
    def done(self) -> bool:
        """Whether every task of the job has a result."""
        return not self._open

    @property
    def left(self) -> Job:
        """The tasks of the job that have no result."""
        return list(self._open)

    def start(self, job: Job) -> None:
        """Hand over a job."""
        self._open = deque(job)
        self.go_on()

    def go_on(self) -> None:
        """Begin the next task."""
        self.between = False
        self.asked = self._cluster.ask(self._actor, "measure", travelling(self._open[0]))

    def greet(self) -> None:
        """Take its first answer, which says where it is.

        Raises:
            GoneError: it has ended before it was there.
            TrialError: it could not be started.
        """
        self.node = str(self._cluster.answer(self.asked))

    def receive(self) -> list[Result]:
        """Take an answer; return the result, if it is one."""
        if self._ended is not None:
            return self._lost_or_failed(self._ended)
        try:
            outcomes: list[Outcome] = self._cluster.answer(self.asked)
        except GoneError as gone:
            # Its node may have ended with it, or it alone: the one is no fault of the task's, the other may be.
            self._ended = str(gone)
            self.asked = self._cluster.probe(str(self.node))
            return []
        except TrialError as error:
            self.kill()
            return [self._fail(f"the worker on its node could not run the call: {error}")]
        if outcomes[0].refused:
            self.refusal = outcomes[0].error
            self.kill()
            return []
        self.between = True
        return [(self._open.popleft(), outcomes)]

    def _lost_or_failed(self, ended: str) -> list[Result]:
        """Decide, now that its node has been asked, what the end of the actor means for the task that it was at."""
        self.alive = False
        try:
            self._cluster.answer(self.asked)
        except (GoneError, TrialError):
            task = self._open[0]
            if task.alone:
                raise TrialError(
                    "the node that measured durations was lost; they must be of one node: run it again"
                ) from None
            if task.attempt > MORE_ATTEMPTS:
                return [self._fail(f"its node was lost, {task.attempt} times in turn")]
            self._open[0] = replace(task, attempt=task.attempt + 1)
            return []
        return [self._fail(f"the worker ended on a node that lives (killed, or out of memory?): {ended}")]

    def _fail(self, reason: str) -> Result:
        task = self._open.popleft()
        return task, [Outcome({}, 0.0, reason) for _ in task.seeds]

    def kill(self) -> None:
        """End it at once, and what it has started."""
        self.alive = False
        self._cluster.dismiss(self._actor)


class RayPool(Pool[RayWorker]):
    """Runs jobs in actors, one core or one GPU each, wherever the cluster has room.

    Durations are measured in an actor that takes a node whole, the same one for all of a session.

    Attributes:
        slots: device -> how many workers there was room for when the run began.

    Args:
        cluster: where to.
        most: workers at a time, 0 for as many as there is room for.
        say: is told which nodes are refused, and why.
    """

    elsewhere = True

    def __init__(self, cluster: Cluster, most: int, say: Callable[[str], None]) -> None:
        super().__init__()
        self._cluster, self._limit, self._say = cluster, most, say
        self._nodes: dict[str, Node] = {}
        self._starting: list[RayWorker] = []
        self._refused: dict[Path, dict[str, tuple[str, str]]] = {}
        self._count()
        self.slots = {name: sum(map(Need(name).slots, self._nodes.values())) for name in (CPU, CUDA)}

    def _count(self) -> None:
        """Look which nodes there are."""
        self._nodes = {node.id: node for node in self._cluster.nodes()}

    def _open(self, jobs: Sequence[Job], at_once: Mapping[str, int], peaks: Mapping[str, int]) -> None:
        first = jobs[0][0]
        self._count()
        self._claim = first.home.name
        self._refusals = self._refused.setdefault(first.home, {})
        self._failed_starts = 0
        self._at_once = at_once
        devices = dict.fromkeys(map(device_of, jobs))
        self._needs = {device: self._needed(device, first, peaks.get(device, 0)) for device in devices}
        # What does not fit would keep room from what does.
        for workers in (self._idle, self._starting):
            for worker in [worker for worker in workers if worker.need not in self._needs.values()]:
                workers.remove(worker)
                worker.kill()

    def _needed(self, device: str, task: Task, peak: int) -> Need:
        if task.alone:
            # Of a claim with arms on both, all are measured where there is a GPU.
            planned = Need(task.environment.get("device", device))
            return Need(device, whole=next((node for node in self._nodes.values() if self._room(planned, node)), None))
        # On a GPU the peak is of the GPU's own memory. On the CPU it is asked for where it, not cores, sets the limit.
        if device == CUDA or all(node.cpus * peak <= node.memory for node in self._nodes.values()):
            return Need(device)
        return Need(device, memory=-(-peak // MEMORY_STEP) * MEMORY_STEP)

    def _room(self, need: Need, node: Node) -> int:
        return 0 if node.id in self._refusals else need.slots(node)

    def _take(self, device: str, busy: Sequence[RayWorker], waiting: int) -> RayWorker | None:
        need = self._needs[device]
        room = sum(self._room(need, node) for node in self._nodes.values())
        if not (room or busy):
            raise TrialError(f"no node of the cluster can measure this claim{self._why(need)}")
        most = min(room, self._at_once.get(device, room), self._limit or room)
        at_work = sum(worker.need == need for worker in busy)
        if at_work >= most:
            return None
        for worker in self._idle:
            if worker.need == need and worker.node not in self._refusals:
                self._idle.remove(worker)
                return worker
        starting = sum(worker.need == need for worker in self._starting)
        for _ in range(min(most - at_work, waiting) - starting):
            self._starting.append(RayWorker(self._cluster, need, list(self._refusals)))
        return None

    def _why(self, need: Need) -> str:
        refused = [f"{name} is refused: {reason}" for name, reason in self._refusals.values()]
        return ": " + "; ".join(refused or [f"none has room for {need.words()}"])

    def _receive(self, busy: Sequence[RayWorker]) -> Iterator[Result]:
        asked = {worker.asked: worker for worker in [*busy, *self._starting]}
        for answer in self._cluster.ready(list(asked), LISTEN):
            worker = asked[answer]
            if worker.node is None:
                self._greet(worker)
                continue
            results = worker.receive()
            if worker.refusal is not None:
                self._refuse(worker)
            elif not worker.alive:
                self._count()
            elif results and not worker.done and not self._stopped:
                # Begun before the caller stores the result, so that the worker need not wait for that.
                worker.go_on()
            yield from results

    def _greet(self, worker: RayWorker) -> None:
        self._starting.remove(worker)
        try:
            worker.greet()
        except (GoneError, TrialError) as error:
            self._count()
            self._failed_starts += 1
            if self._failed_starts >= FAILED_STARTS:
                raise TrialError(f"workers cannot be started on the cluster: {error}") from None
            return
        self._failed_starts = 0
        self._idle.append(worker)

    def _refuse(self, worker: RayWorker) -> None:
        """Let a node measure nothing of this claim any more, and say so by its name."""
        node = str(worker.node)
        if node not in self._refusals:
            name = self._nodes[node].name if node in self._nodes else node
            self._refusals[node] = (name, str(worker.refusal))
            self._say(f"{self._claim}: node {name} is refused: {worker.refusal}")

    def close(self) -> None:
        """End the workers, and leave the cluster."""
        self._idle += self._starting
        self._starting.clear()
        super().close()
        self._cluster.close()


def pool_elsewhere(options: Options, project: Path, say: Callable[[str], None]) -> RayPool | None:
    """Return the workers of the cluster that a user asked for, None if trials run on this machine.

    Raises:
        UsageError: there is no such cluster.
    """
    if options.executor != "ray":
        return None
    return RayPool(Cluster(options.ray_address, project, options.workers), options.workers, say)
