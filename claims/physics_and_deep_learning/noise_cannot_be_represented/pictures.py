"""An image of each arm, and what a network with a code of ten numbers gives back of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.pictures import Images
from harness.training.learning_curve import trained

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

SHOWN = 2


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Images:
    """Draw test images of every arm above what the arm's own autoencoder gives back of them."""
    captions, images = [], []
    for arm, settings in arms.items():
        split, networks = trained(experiment, seed, settings)
        test = split.test[0][:, :SHOWN]
        for what, values in (("given", test), ("given back", networks.predict(test))):
            side = settings["side"]
            images += [image.reshape(side, side).numpy() for image in values[0]]
            captions += [f"{arm.replace('_', ' ')}, {what}"] * SHOWN
    return Images("Test images, and what is given back of them by a code of ten numbers", captions, images, -2.0, 3.0)
