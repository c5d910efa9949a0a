"""Where the weights are that are left of a network's first layer: how many come from each pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.pictures import Images
from harness.training.learning_curve import trained

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

SHOWN = {"cut": 0.1, "cut_and_retrained": 0.1, "cut_at_initialization": 0.1, "cut_at_random": 0.1}


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Images:
    """Draw for each arm that cuts how many of a tenth of the weights lead away from each pixel, white for the most."""
    images = []
    for arm, density in SHOWN.items():
        _, networks = trained(experiment, seed, {**arms[arm], "density": density})
        counts = (networks.weights["0.weight"][0] != 0).sum(0).float().unflatten(0, (arms[arm]["side"],) * 2)
        images.append((counts / counts.max()).numpy())
    title = "Weights left in the first layer, by the pixel that they lead away from, when a tenth of all is left"
    return Images(title, [arm.replace("_", " ") for arm in SHOWN], images)
