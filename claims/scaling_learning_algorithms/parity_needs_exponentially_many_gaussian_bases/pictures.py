"""The counter-example: d + 1 Gaussians on the diagonal, and the parity of d bits that they compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pictures import Curves, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

BITS = 4
SIZES = range(2, 11)


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves]:
    """Draw what each Gaussian adds on the corners by their number of ones, with the sum; and bases over bits."""
    settings = arms["diagonal_centres"]
    width = experiment.width_of(seed, settings["narrowest"], settings["widest"])
    return [_machine(experiment, width, settings["diagonal_reach"]), _sizes()]


def _machine(experiment: ModuleType, width: float, reach: float) -> Curves:
    corners = experiment.vertices(BITS)
    centres, coefficients = experiment.diagonal_machine("parity", BITS, width, reach)
    staircase = [2**ones - 1 for ones in range(BITS + 1)]  # corners of 0, 1, ..., d ones
    parts = experiment.gaussian(corners[staircase], centres[: BITS + 1], width) * coefficients[: BITS + 1]
    ones = np.arange(BITS + 1)
    terms = [Line(f"Gaussian {place + 1}", ones, parts[:, place]) for place in ones]
    title = f"{BITS + 1} Gaussians on the diagonal add up to the parity of {BITS} bits, +1 and -1 in turn"
    return Curves(title, "ones among the bits", "what it adds", [Line("their sum", ones, parts.sum(axis=1)), *terms])


def _sizes() -> Curves:
    sizes = np.array(SIZES)
    lines = [
        Line("on the diagonal: d + 1", sizes, sizes + 1),
        Line("on the vertices: 2^(d-1)", sizes, 2.0 ** (sizes - 1)),
    ]
    return Curves("Gaussians that the parity of d bits takes", "bits d", "bases", lines, "y")
