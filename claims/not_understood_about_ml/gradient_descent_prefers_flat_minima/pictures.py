"""How sharpness grows while networks are trained, up to the limit of each rate, and how the loss falls meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fixtures.curvature import loss_of, sharpness
from harness.pictures import Curves, Line
from harness.training import Observer, Recipe

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed
    from harness.training import Ensemble

RATES = (1.0, 2.0, 4.0)
EVERY, STEPS = 40, 600


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves]:
    """Draw tanh networks of one seed at each rate; sharpness times rate over two reaches one."""
    settings = arms["gradient_descent"]
    split = experiment.examples((seed,), **{name: settings[name] for name in ("n_train", "n_test", "side")})
    shape = {name: settings[name] for name in ("hidden", "activation")}
    targets, curves, losses = experiment.one_hot(split), [], []
    for rate in RATES:
        steps, sharp, loss = [], [], []

        def look(taken: int, networks: Ensemble, steps=steps, sharp=sharp, loss=loss, rate=rate) -> None:  # noqa: ANN001
            steps.append(taken)
            sharp.append(float(sharpness(networks, *targets, experiment.LOSS, 12)[0] * rate / 2))
            loss.append(float(loss_of(networks, *targets, experiment.LOSS)))

        recipe = Recipe.split(settings | {"learning_rate": rate, "steps": STEPS})[0]
        experiment.fit((seed,), split, recipe, enough=0.0, every=STEPS, observer=Observer(EVERY, look), **shape)
        curves.append(Line(f"rate {rate:g}", steps, sharp))
        losses.append(Line(f"rate {rate:g}", steps, loss))
    limit = Line("limit", [EVERY, STEPS], [1, 1])
    return [
        Curves(
            "Sharpness grows up to the limit of each rate, and hovers there",
            "step",
            "sharpness times rate / 2",
            [*curves, limit],
        ),
        Curves("The loss meanwhile", "step", "mean squared error", losses, log="y"),
    ]
