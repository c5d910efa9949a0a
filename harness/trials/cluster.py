"""A Ray cluster as far as trials need one: its nodes, one actor per worker, and what became of a node.

Nothing else of this tool speaks to Ray, and Ray is imported when a cluster is asked for, not before.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from harness._text import shortened
from harness.errors import TrialError, UsageError
from harness.trials.experiment import CUDA
from harness.trials.modules import HARNESS
from harness.trials.remote import Remote, alive

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LEFT_BEHIND = (".git", ".claims", ".nox", ".venv", "__pycache__", "*.sqlite3*", "/reports", "/docs/_build")
"""What no trial reads and does not travel, beside what .gitignore and .rayignore name."""

OBJECTS = 80 * 2**20
"""Bytes of shared memory for Ray's own store, near the least that it takes: results of trials travel beside it."""


class Node(NamedTuple):
    """A node of a cluster, and all that trials may use of it.

    Attributes:
        id: as Ray names it.
        name: as people do.
        cpus: processor cores.
        gpus: GPUs.
        memory: bytes.
    """

    id: str
    name: str
    cpus: int
    gpus: int
    memory: int


@dataclass(frozen=True)
class Need:
    """What a worker takes of a node.

    Attributes:
        device: cpu or cuda.
        memory: bytes, 0 where nobody knows.
        whole: the node that it takes whole, for durations; None for one core, or one GPU, of any.
    """

    device: str
    memory: int = 0
    whole: Node | None = None

    def slots(self, node: Node) -> int:
        """Return how many such workers a node has room for."""
        if self.whole:
            return int(node.id == self.whole.id)
        room = node.gpus if self.device == CUDA else node.cpus
        return min(room, node.memory // self.memory) if self.memory else room

    def words(self) -> str:
        """Return it as a user reads it."""
        memory = f" and {self.memory / 2**30:g} GiB" if self.memory else ""
        return f"a {'GPU' if self.device == CUDA else 'core'}{memory}"


class GoneError(Exception):
    """An actor that answers no more: it has ended, or its node has."""


class Cluster:
    """A cluster that this process is connected to.

    Raises:
        UsageError: no cluster is at the address.
    """

    def __init__(self, address: str, project: Path, workers: int) -> None:
        """Connect; `local` starts a cluster of this machine, with so many cores (0: all), which ends with this process."""
        # It is asked of nobody, and told to nobody.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        import ray

        self._ray: Any = ray
        self._project = project
        own = {"num_cpus": workers or None, "object_store_memory": OBJECTS, "include_dashboard": False}
        code = {"working_dir": str(project), "excludes": list(LEFT_BEHIND), "py_modules": [str(HARNESS)]}
        quiet = {"log_to_driver": False, "configure_logging": True, "logging_level": "ERROR"}
        try:
            with warnings.catch_warnings():
                # What Ray has to say to its own users must not become an error of a test.
                warnings.simplefilter("ignore")
                ray.init(address, runtime_env=code, **quiet, **(own if address == "local" else {}))
        except Exception as error:
            remedy = "start one (`ray start --head`), or give local or HOST:PORT"
            raise UsageError(f"--claims-ray-address: no cluster at {address!r}: {_line(error)}; {remedy}") from None

    def nodes(self) -> list[Node]:
        """Return the nodes that live, sorted by name; this process's own comes first."""
        here = self._ray.get_runtime_context().get_node_id()
        found = [node for node in self._ray.nodes() if node["Alive"]]
        nodes = [
            Node(
                node["NodeID"],
                f"{node['NodeManagerHostname']} ({node['NodeID'][:8]})",
                int(node["Resources"].get("CPU", 0)),
                int(node["Resources"].get("GPU", 0)),
                int(node["Resources"].get("memory", 0)),
            )
            for node in found
        ]
        return sorted(nodes, key=lambda node: (node.id != here, node.name))

    def hire(self, need: Need, refused: Sequence[str]) -> Any:
        """Begin an actor with a worker in it, on a node that is none of those refused."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        on_gpu = need.device == CUDA
        taken = {"num_cpus": int(not on_gpu), "num_gpus": int(on_gpu), "memory": need.memory}
        where: dict[str, Any] = {"label_selector": {"ray.io/node-id": f"!in({', '.join(refused)})"}} if refused else {}
        if need.whole:
            taken = {"num_cpus": need.whole.cpus, "num_gpus": need.whole.gpus}
            where = {"scheduling_strategy": NodeAffinitySchedulingStrategy(need.whole.id, soft=False)}
        # Nothing is done again by itself: what a trial came to may be why its worker ended.
        actor = self._ray.remote(max_restarts=0, max_task_retries=0, **taken, **where)(Remote)
        return actor.remote(str(self._project))

    def ask(self, actor: Any, method: str, *arguments: Any) -> Any:
        """Call a method of an actor's; return what `ready` and `answer` take."""
        return getattr(actor, method).remote(*arguments)

    def probe(self, node: str) -> Any:
        """Ask a node whether it lives; the answer is GoneError if it does not."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        there = NodeAffinitySchedulingStrategy(node, soft=False)
        return self._ray.remote(num_cpus=0, max_retries=0, scheduling_strategy=there)(alive).remote()

    def ready(self, asked: Sequence[Any], seconds: float) -> list[Any]:
        """Wait until something that was asked has an answer, at most so long; return all that have one."""
        found, _ = self._ray.wait(list(asked), num_returns=1, timeout=seconds)
        return self._ray.wait(list(asked), num_returns=len(asked), timeout=0)[0] if found else []

    def answer(self, asked: Any) -> Any:
        """Return an answer.

        Raises:
            GoneError: whoever was asked has ended.
            TrialError: the call raised, or its worker could not be started.
        """
        from ray import exceptions

        try:
            return self._ray.get(asked)
        except exceptions.RayError as error:
            raised = isinstance(error, exceptions.RayTaskError | exceptions.RuntimeEnvSetupError)
            if raised or getattr(error, "actor_init_failed", False):
                raise TrialError(_line(error)) from None
            raise GoneError(_line(error)) from None

    def dismiss(self, actor: Any) -> None:
        """End an actor at once; what it has started ends with it."""
        self._ray.kill(actor, no_restart=True)

    def close(self) -> None:
        """Disconnect; a cluster that was begun here ends."""
        self._ray.shutdown()


def _line(error: Exception) -> str:
    """Return the last line of what Ray says, which says what happened, without its guesses at causes."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return shortened(lines[-1].split(" Some common causes")[0] if lines else type(error).__name__)
