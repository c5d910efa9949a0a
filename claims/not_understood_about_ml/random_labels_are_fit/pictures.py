"""How the error on true and on random labels falls while a network is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.training.learning_curve import learning_curves

if TYPE_CHECKING:
    from types import ModuleType

    from harness.pictures import Curves
    from harness.seeds import Seed

DRAWN = {
    "true labels": {"labels": "true", "dropout": 0.0, "weight_decay": 0.0},
    "random labels": {"labels": "random", "dropout": 0.0, "weight_decay": 0.0},
    "with half of the units dropped": {"labels": "random", "dropout": 0.5, "weight_decay": 0.0},
    "with seven in ten dropped": {"labels": "random", "dropout": 0.7, "weight_decay": 0.0},
}


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    """Draw the error on the labels that are trained on, without dropout, under some of the conditions."""
    title = "Training error while labels, true or random, are fitted"
    drawn = {name: {**arms["network"], **condition} for name, condition in DRAWN.items()}
    return learning_curves(experiment, seed, drawn, part="train", title=title)
