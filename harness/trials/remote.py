"""What measures on a node of a cluster: one worker process, the same as on this machine, behind one call."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.trials.executor import Processes
from harness.trials.modules import HARNESS
from harness.trials.occupancy import occupied
from harness.trials.place import NODE

if TYPE_CHECKING:
    from harness.trials.experiment import Outcome, Task


class Remote:
    """Keeps a worker process on its node, and runs no code of the user's itself.

    So what a call does to its process (a crash, no memory, too long a time) becomes a failed trial here, by the rules of
    this machine's own workers. Only where this object itself is gone can the node be.

    Args:
        project: the project's folder where the run was started; here it is the folder that Ray has unpacked it to.
    """

    def __init__(self, project: str) -> None:
        self._project, self._root = project, Path.cwd()
        self._pool = Processes(1)

    def greet(self) -> str:
        """Return the id of the node, by which its trials name it, too."""
        import ray

        # A spawned process would begin by importing what began this one, Ray's own script, and all of Ray with it.
        vars(sys.modules["__main__"]).pop("__file__", None)
        os.environ[NODE] = node = str(ray.get_runtime_context().get_node_id())
        return node

    def measure(self, task: Task) -> list[Outcome]:
        """Run a task whose paths are relative to the project."""
        with occupied(alone=task.alone, patient=lambda: True):
            ((_, outcomes),) = self._pool.run([[moved(task, self._root)]])
        return [self._told(outcome) for outcome in outcomes]

    def _told(self, outcome: Outcome) -> Outcome:
        """Return an outcome that names files where the user has them."""
        here = str(self._root)
        error = outcome.error and outcome.error.replace(here, self._project)
        return replace(outcome, error=error, trace=outcome.trace.replace(here, self._project))


def alive() -> bool:
    """Return True, where a node can still do so much."""
    return True


OWN = Path("(harness)")
"""Where a module of this tool's own is, which each node has somewhere else."""


def travelling(task: Task) -> Task:
    """Return a task as it travels: its paths relative to the project, and to be compared with what is there."""
    paths: dict[str, Any] = {name: path and _left(path, task.project) for name, path in _paths(task).items()}
    return replace(task, project=Path(), foreign=True, **paths)


def moved(task: Task, root: Path) -> Task:
    """Return a task that travelled as it runs in the project's folder here."""
    paths: dict[str, Any] = {name: path and _arrived(path, root) for name, path in _paths(task).items()}
    return replace(task, project=root, **paths)


def _paths(task: Task) -> dict[str, Path | None]:
    return {"experiment": task.experiment, "pictures": task.pictures, "folder": task.folder}


def _left(path: Path, project: Path) -> Path:
    return OWN / path.relative_to(HARNESS) if path.is_relative_to(HARNESS) else path.relative_to(project)


def _arrived(path: Path, root: Path) -> Path:
    return HARNESS / path.relative_to(OWN) if path.is_relative_to(OWN) else root / path
