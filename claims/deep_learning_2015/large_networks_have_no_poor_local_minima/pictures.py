"""What is left of the loss of exclusive or after each of some restarts, by the size of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.pictures import Curves, Line
from harness.training import Recipe

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

WIDTHS = (2, 3, 4, 8, 32)


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    """Draw the final losses of the restarts of one seed, from the least to the largest."""
    recipe, rest = Recipe.split(arms["exclusive_or"])
    split = experiment.examples((seed,), **{name: rest[name] for name in ("task", "n_train", "side", "restarts")})
    of = {name: rest[name] for name in ("task", "restarts")}
    lines = []
    for width in WIDTHS:
        networks = experiment.fit((seed,), split, recipe, width=width, **of)
        left = experiment.final_losses(networks, split, **of)[0].sort().values
        lines.append(Line(f"{width} hidden units", range(1, len(left) + 1), left.tolist()))
    return Curves("Exclusive or from many starts", "restart, by its end", "final loss over that of guessing", lines)
