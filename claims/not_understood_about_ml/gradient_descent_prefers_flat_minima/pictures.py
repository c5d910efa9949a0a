"""How sharpness grows while networks are trained, up to the limit of each rate; and one function at any sharpness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fixtures.curvature import sharpness
from harness.pictures import Curves, Line
from harness.training import Observer, Recipe
from harness.training.learning_curve import trained

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed
    from harness.training import Ensemble

RATES = (1.0, 2.0, 4.0)
EVERY, STEPS, ITERATIONS = 50, 600, 12
FACTORS = np.geomspace(0.1, 10, 9)


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves]:
    """Draw tanh networks of one seed at each rate, and a network of rectifiers rescaled by factors below and above 1."""
    return [
        _growth(experiment, seed, arms["gradient_descent"]),
        _rescaled(experiment, seed, arms["rescaled_rectifier"]),
    ]


def _growth(experiment: ModuleType, seed: Seed, settings: dict[str, Any]) -> Curves:
    split = experiment.examples((seed,), **{name: settings[name] for name in ("n_train", "n_test", "side")})
    targets, lines = experiment.one_hot(split), []
    for rate in RATES:
        sharp: list[float] = []

        def look(_: int, networks: Ensemble, sharp: list[float] = sharp, rate: float = rate) -> None:
            sharp.append(float(sharpness(networks, *targets, experiment.LOSS, ITERATIONS)[0] * rate / 2))

        recipe = Recipe.split(settings | {"learning_rate": rate, "steps": STEPS})[0]
        shape = {name: settings[name] for name in ("hidden", "activation")}
        experiment.fit((seed,), split, recipe, enough=0.0, every=STEPS, observer=Observer(EVERY, look), **shape)
        lines.append(Line(f"rate {rate:g}", np.arange(EVERY, STEPS + 1, EVERY), sharp))
    lines.append(Line("limit", [EVERY, STEPS], [1, 1]))
    title = "Sharpness grows up to the limit of each rate, and hovers there"
    return Curves(title, "step", "sharpness times rate / 2", lines)


def _rescaled(experiment: ModuleType, seed: Seed, settings: dict[str, Any]) -> Curves:
    split, networks = trained(experiment, seed, settings | {"learning_rate": RATES[0]})
    own = [
        experiment.score(
            experiment.rescaled(networks, factor), split, learning_rate=1.0, factor=1.0, iterations=ITERATIONS
        )
        for factor in FACTORS
    ]
    lines = [
        Line("sharpness", FACTORS, [float(each["sharpness"][0]) for each in own]),
        Line("test error", FACTORS, [float(each["test_error"][0]) for each in own]),
    ]
    title = "One function at any sharpness: two layers of a trained network, rescaled against each other"
    return Curves(title, "factor of the first layer", "1 / rate; fraction", lines, log="xy")
