"""A digit moved aside, and what a fully connected network takes moved digits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fixtures.poses import shifted
from harness.pictures import Images, Matrix
from harness.training import Recipe

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

MOVES = (0, 1, 2, 4)


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Images | Matrix]:
    """Draw two digits at the places where they are tested, and confusions in the middle and four pixels to the right."""
    recipe, settings = Recipe.split(arms["fully_connected"])
    split = experiment.examples((seed,), **{name: settings[name] for name in ("n_train", "n_test", "augmentation")})
    design = {name: settings[name] for name in ("kind", "channels", "kernel", "hidden")}
    networks = experiment.fit((seed,), split, recipe, **design)
    images, labels = split.test
    pictures = [(f"{labels[0, row]}, {by} px", shifted(images[0, row, 0], by, 0)) for row in (0, 1) for by in MOVES]
    captions, moved = zip(*pictures, strict=True)
    shown = Images(
        "Two digits to be tested on, in the middle and moved aside", captions, [own.numpy() for own in moved], high=3.0
    )
    return [shown, *(confusions(networks, images, labels[0].numpy(), by) for by in (0, 4))]


def confusions(networks: Any, images: Any, labels: np.ndarray, pixels: int) -> Matrix:
    """Return what moved digits are taken for."""
    answers = networks.predict(shifted(images, pixels, 0))[0].argmax(1).numpy()
    counts = np.zeros((10, 10), dtype=int)
    np.add.at(counts, (labels, answers), 1)
    names = [str(digit) for digit in range(10)]
    title = f"What a fully connected network takes digits for, {pixels} pixels to the right of where it learned them"
    return Matrix(title, "true digit", "taken for", names, names, counts)
