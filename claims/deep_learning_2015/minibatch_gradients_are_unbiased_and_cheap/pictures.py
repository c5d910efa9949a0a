"""How the test error falls over passes, and over updates, where gradients are of few digits or of all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pictures import Curves, Line
from harness.training import Recipe, train
from harness.training.learning_curve import AXES, LearningCurve

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

SIZES = (10, 50, 250, 1000)
PASSES = 10
RATE = 0.3


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves]:
    """Draw each size of batch at one rate, from the first pass on."""
    settings = {**arms["equal_passes"], "batch_size": 1, "epochs": PASSES, "learning_rate": RATE}
    recipe, others = Recipe.split(settings)
    split = experiment.examples((seed,), **{name: others[name] for name in ("n_train", "n_test", "side")})
    inputs, number = split.train[0].shape[2], split.train[1].shape[1]
    over_passes, over_updates = [], []
    for size in SIZES:
        own = replace(recipe, batch_size=size)
        curve = LearningCurve(*split.test, own.steps_in_an_epoch(number))
        build = lambda: experiment.network(inputs, others["width"], normalized=False)  # noqa: E731
        train(build, *split.train, (seed,), recipe=own, observer=curve.observer)
        line = curve.line(f"batches of {size}")
        over_passes.append(line)
        over_updates.append(Line(line.name, np.maximum(1, np.array(line.x) * own.steps_in_an_epoch(number)), line.y))
    rate = f"all at a rate of {RATE}"
    return [
        Curves(f"Test error over passes, {rate}", "epoch", AXES["test"], over_passes),
        Curves(f"The same over updates, {rate}", "updates", AXES["test"], over_updates, log="x"),
    ]
