"""On how many targets each learner is right on none, one, two or all of the inputs that it was not shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pictures import Matrix

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

TITLES = {
    "all": "Over all 256 targets every learner does as a fair coin would",
    "dictators": "Over six targets that are one bit or its negation they differ",
}


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Matrix]:
    """Count the right answers of each learner on the three unseen inputs, target by target."""
    return [_counts(experiment, seed, arms, targets) for targets in TITLES]


def _counts(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]], targets: str) -> Matrix:
    rows = []
    for settings in arms.values():
        tables = experiment.TARGETS[targets]()
        right, shown = experiment.right_answers(settings["learner"], tables, seed, settings["examples"])
        unseen = np.delete(right, shown, axis=1)
        rows.append(np.bincount(unseen.sum(axis=1), minlength=unseen.shape[1] + 1))
    columns = [str(right) for right in range(len(rows[0]))]
    names = [arm.replace("_", " ") for arm in arms]
    return Matrix(TITLES[targets], "learner", "unseen inputs that it gets right", names, columns, np.array(rows))
