"""How the error of networks of six and of three layers falls, from pre-trained and from random weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.training.learning_curve import learning_curves

if TYPE_CHECKING:
    from types import ModuleType

    from harness.pictures import Curves
    from harness.seeds import Seed

DESCENT = {"random": 0.3, "scaled": 0.1, "pretrained": 0.3, "shuffled": 0.3, "relu_he": 0.03}
ADAM = {"random_adam": 0.03, "pretrained_adam": 0.03}
"""Rates that are mostly taken."""

EPOCHS = 6


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves]:
    """Draw the training error over the first epochs, by gradient descent at six layers and by Adam at three."""
    drawn = []
    for depth, rates, method in ((6, DESCENT, "gradient descent"), (3, ADAM, "Adam")):
        own = {
            arm: {**arms[arm], "learning_rate": rate, "depth": depth, "epochs": EPOCHS} for arm, rate in rates.items()
        }
        title = f"Training error of {depth} layers over the first epochs, by {method}"
        drawn.append(learning_curves(experiment, seed, own, part="train", title=title))
    return drawn
