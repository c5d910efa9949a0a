"""How the error on true and on random labels falls while a network is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.training.learning_curve import learning_curves

if TYPE_CHECKING:
    from types import ModuleType

    from harness.pictures import Curves
    from harness.seeds import Seed


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    """Draw each arm's error on the labels it is trained on, without dropout, while it is trained."""
    title = "Training error while labels, true or random, are fitted"
    return learning_curves(experiment, seed, arms, part="train", title=title)
