"""Squared bias and variance over the bandwidth: what the best bandwidth is a balance of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pictures import Curves, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

SAMPLES = 4
SIZES = (400, 12800)
DESIGN = ("half_width", "interior", "shape", "frequency", "noise_variance", "test_points")


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    """Draw the two parts of the error in two dimensions, for a small and a large sample, averaged over a few draws."""
    (settings,) = arms.values()
    generator, design = seed.numpy("data"), {name: settings[name] for name in DESIGN}
    tables = [experiment.error_table(generator, np.eye(2), SIZES, **design) for _ in range(SAMPLES)]
    errors, biases = np.mean(tables, axis=0)
    widths = experiment.LARGEST_BANDWIDTH * 2 ** (-np.arange(len(errors)) / 4)
    lines = [
        Line(f"{name}, {size} examples", widths, part[:, place])
        for place, size in enumerate(SIZES)
        for name, part in (("error", errors), ("squared bias", biases), ("variance", errors - biases))
    ]
    return Curves(
        "Squared bias rises and variance falls with the bandwidth", "bandwidth", "squared target", lines, "xy"
    )
