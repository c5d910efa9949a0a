"""Exclusive or as the best line, a product and two hidden units divide the square; and how many labelings there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fixtures.cube import parity, vertices
from harness.pictures import Curves, Images, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

SIDE = 48
LOW, HIGH = -0.5, 1.5  # of the square that is shown, around the unit square
MARK = 2  # pixels to each side of a corner
NUMBERS = np.arange(1, 16)


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Images | Curves]:  # noqa: ARG001
    """Draw the regions of each arm's best classifier, corners of odd parity white; and Cover's counts."""
    names = {"raw_inputs": "the inputs", "with_product": "inputs and product", "two_hidden_units": "two hidden units"}
    shown = {names[arm]: _regions(experiment, settings) for arm, settings in arms.items()}
    captions = [f"{name}: {accuracy:.0%} right" for name, (accuracy, _) in shown.items()]
    title = "Exclusive or: white corners are to lie in light grey, black ones in dark grey. The best that is linear in"
    lines = [
        Line(f"hyperplanes in {d} dimensions", NUMBERS, [experiment.cover_count(n, d) for n in NUMBERS])
        for d in (2, 3, 5)
    ]
    every = Line("all labelings", NUMBERS, 2.0**NUMBERS)
    counts = Curves("Labelings of points that hyperplanes make", "points", "labelings", [every, *lines], log="y")
    return [Images(title, captions, [image for _, image in shown.values()]), counts]


def _regions(experiment: ModuleType, settings: dict[str, Any]) -> tuple[float, np.ndarray]:
    """Return accuracy and regions of the best classifier, x1 to the right and x2 upwards."""
    corners, given = vertices(2), (settings["feature"], settings["activation"])
    accuracy, plane = experiment.best_hyperplane(experiment.features(corners, *given), parity(corners))
    steps = np.linspace(LOW, HIGH, SIDE)
    grid = np.stack(np.meshgrid(steps, steps[::-1]), axis=-1).reshape(-1, 2)
    values = experiment.features(grid, *given) @ plane[:-1] + plane[-1]
    image = np.where(values > 0, 0.8, 0.35).reshape(SIDE, SIDE)
    for (x1, x2), odd in zip(corners, parity(corners), strict=True):
        row, column = (round((place - LOW) / (HIGH - LOW) * (SIDE - 1)) for place in (1 - x2, x1))
        image[row - MARK : row + MARK + 1, column - MARK : column + MARK + 1] = float(odd > 0)
    return accuracy, image
