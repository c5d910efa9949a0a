"""How much the layers' gradients shift at each step of the first epoch, from small and from large initial weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.pictures import Curves, Line
from harness.training import Draws, Observer, Recipe

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

RATE = 0.1
STARTS = {"small": 0.3333, "large": 9.0}


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    """Draw the shift of one seed's networks, plain and normalised, over the steps of the first epoch."""
    lines = []
    for size, variance in STARTS.items():
        for arm in ("plain", "normalized"):
            settings = {**arms[arm], "weight_variance": variance, "learning_rate": RATE, "steps": arms[arm]["early"]}
            steps, shifts = shift_along(experiment, seed, settings)
            lines.append(Line(f"{arm}, from {size} weights", steps, shifts))
    return Curves(f"Covariate shift of a step at rate {RATE}", "step", "1 - cosine", lines)


def shift_along(experiment: ModuleType, seed: Seed, settings: dict[str, Any]) -> tuple[list[int], list[float]]:
    """Return the steps at which one seed's network is looked at, and its shift there."""
    recipe, _ = Recipe.split(settings)
    split = experiment.examples((seed,), **{name: settings[name] for name in ("n_train", "n_test", "side")})
    own = {name: settings[name] for name in ("hidden", "normalized", "noise")}
    found: dict[int, float] = {}

    def see(steps: int, networks: Any) -> None:
        batch = experiment.batch_of((seed,), split.train, recipe.batch_size, f"shift {steps}")
        found[steps] = float(experiment.covariate_shift(networks, batch, RATE, Draws.of((seed,), "noise")))

    experiment.fit((seed,), split, recipe, **own, observer=Observer(2, see))
    return list(found), list(found.values())
