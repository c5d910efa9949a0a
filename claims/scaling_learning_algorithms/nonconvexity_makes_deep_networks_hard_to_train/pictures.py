"""How ten layers learn from each start, and one layer of sigmoids, at a rate that suits each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.pictures import Curves
from harness.training import Recipe, train
from harness.training.learning_curve import AXES, LearningCurve

if TYPE_CHECKING:
    from types import ModuleType

    from harness.pictures import Line
    from harness.seeds import Seed

RATES = {"sigmoid": 0.03, "tanh": 0.1, "relu": 0.1, "sigmoid_started_as_tanh": 0.3}
ONE_LAYER = 0.3
DIGITS = 500


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    """Draw how the training error of one seed's networks falls within the ninety steps, nine epochs of fewer digits."""
    lines = [learned(experiment, seed, "sigmoid, one layer", arms["sigmoid"], 1, ONE_LAYER)]
    for arm, settings in arms.items():
        lines.append(learned(experiment, seed, f"{arm.replace('_', ' ')}, ten layers", settings, 10, RATES[arm]))
    return Curves(
        "Training error within ninety steps (guessing: 0.9)", f"epoch of {DIGITS} digits", AXES["train"], lines
    )


def learned(
    experiment: ModuleType, seed: Seed, name: str, settings: dict[str, Any], depth: int, learning_rate: float
) -> Line:
    """Return the training error of one network, epoch by epoch."""
    recipe, own = Recipe.split({**settings, "learning_rate": learning_rate})
    split = experiment.examples((seed,), n_train=DIGITS, n_test=DIGITS, side=own["side"])
    width, activation, start = own["width"], own["activation"], own["start"]
    curve = LearningCurve(*split.train, recipe.steps_in_an_epoch(DIGITS))
    train(
        lambda: experiment.network(split.train[0].shape[2], depth, width, activation),
        *split.train,
        (seed,),
        recipe=recipe,
        start=experiment.start_of_tanh((seed,), split, recipe, depth, width) if start == "of_tanh" else None,
        observer=curve.observer,
    )
    return curve.line(name)
