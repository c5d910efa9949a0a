"""How thirty layers learn from the three starts, and how far digits differ on their way through them before that."""

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

DEPTH, DIGITS, EPOCHS = 30, 300, 5
RATES = {"ordered": 0.1, "critical": 0.03, "chaotic": 0.01}


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves]:
    """Draw training errors of one seed's networks of thirty layers, and their signals layer by layer before training."""
    learned, passed = [], []
    for arm, settings in arms.items():
        recipe, own = Recipe.split({**settings, "learning_rate": RATES[arm], "epochs": EPOCHS})
        split = experiment.examples((seed,), n_train=DIGITS, n_test=DIGITS, side=own["side"])
        curve = LearningCurve(*split.train, recipe.steps_in_an_epoch(DIGITS))
        build = lambda width=own["width"]: experiment.network(split.train[0].shape[2], DEPTH, width)  # noqa: B023, E731
        train(build, *split.train, (seed,), recipe=recipe, observer=curve.observer)
        learned.append(curve.line(arm))
        start = train(build, *split.train, (seed,), recipe=replace(recipe, epochs=0))
        layers = np.arange(1, DEPTH + 1, 3)
        spread = [start.features(split.train[0], 2 * int(layer)).std(1).mean().item() for layer in layers]
        passed.append(Line(arm, layers, spread))
    title = f"Thirty layers learn {DIGITS} digits, each start at a rate that suits it"
    spread_title = "How much hidden units differ from digit to digit before training"
    return [
        Curves(title, "epoch", AXES["train"], learned),
        Curves(spread_title, "layer", "standard deviation over digits", passed, log="y"),
    ]
