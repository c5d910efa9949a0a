"""How the error of a new task falls with the tasks seen before; and one new task as each learner has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pictures import Curves, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

TASKS = [1, 2, 3, 5, 10, 20, 50, 100]


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves]:
    """Draw the error over tasks of both learners, and where tasks share nothing; and the weights of a new task."""
    told = {
        "ten shots, three directions of earlier tasks": arms["shared_subspace"],
        "ten shots alone": arms["single_task"],
        "directions of earlier tasks that share none": arms["shared_subspace"] | {"directions": 50},
    }
    lines = []
    for name, settings in told.items():
        errors = [
            experiment.measure("", (seed,), **settings | {"tasks": tasks})["relative_error"][0] for tasks in TASKS
        ]
        lines.append(Line(name, TASKS, errors))
    title = "What ten examples leave unknown of a new task"
    return [Curves(title, "tasks seen before", "part of the variance", lines, "xy"), _weights(experiment, seed, arms)]


def _weights(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    """Draw the weights of the first new task, largest first, and what both learners make of its ten shots."""
    given = arms["shared_subspace"]
    noise, dimension = given["noise"], given["dimension"]
    shared = experiment.shared_directions(seed, given["directions"], dimension)
    _, inputs, targets = experiment.draw_tasks(seed, "earlier", TASKS[-1], given["examples"], noise, shared)
    learned = experiment.main_directions(experiment.learn(inputs, targets, np.eye(dimension), noise), given["kept"])
    weights, inputs, targets = experiment.draw_tasks(seed, "new", 1, given["shots"], noise, shared)
    order = np.argsort(-weights[0])
    found = {
        "true weights": weights,
        "with three directions of a hundred tasks": experiment.learn(inputs, targets, learned, noise),
        "from ten shots alone": experiment.learn(inputs, targets, np.eye(dimension), noise),
    }
    lines = [Line(name, np.arange(1, dimension + 1), values[0, order]) for name, values in found.items()]
    return Curves("A new task, learned from ten examples", "input, by true weight", "weight", lines)
