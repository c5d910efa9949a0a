"""How often networks err in training mode, by how many test digits they see at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.pictures import Curves, Line
from harness.training import Recipe

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

SIZES = (2, 4, 8, 20, 50, 100, 250)
KINDS = {"batch": "batch normalisation", "layer": "layer normalisation"}


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    """Draw the error in training mode over the number of digits at a time, of networks trained with 16."""
    settings = arms["network"]
    recipe, rest = Recipe.split({**settings, "batch_size": 16})
    split = experiment.examples((seed,), **{name: rest[name] for name in ("n_train", "n_test", "side")})
    lines = []
    for kind, text in KINDS.items():
        networks = experiment.fit((seed,), split, recipe, hidden=rest["hidden"], normalization=kind)
        lines.append(Line(text, SIZES, [float(experiment.error(networks, *split.test, size)[0]) for size in SIZES]))
    return Curves("Seen in training mode", "test digits at a time", "test error (fraction)", lines, log="x")
