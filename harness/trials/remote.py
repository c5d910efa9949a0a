"""What measures on a node of a cluster: one worker process, the same as on this machine, behind one call."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.trials.executor import Processes
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


def travelling(task: Task) -> Task:
    """Return a task as it travels: its paths relative to the project, and to be compared with what is there."""
    project = task.project
    pictures = task.pictures and task.pictures.relative_to(project)
    experiment = task.experiment.relative_to(project)
    return replace(task, project=Path(), experiment=experiment, pictures=pictures, foreign=True)


def moved(task: Task, root: Path) -> Task:
    """Return a task that travelled as it runs in the project's folder here."""
    pictures = task.pictures and root / task.pictures
    return replace(task, project=root, experiment=root / task.experiment, pictures=pictures)
