"""Makes `normality.LIMITS`: `python -m tests.calibration.limits` prints it, in some five minutes.

Of so many normal samples a share of LEVEL exceeds each number. It is a little below one in a hundred, because a run whose
interval ends it early is looked at after a number of seeds that depends on them: at the look that decides, one in a hundred
is what is measured then (docs/calibration.md).
"""

from __future__ import annotations

import math

import numpy as np

from tests.calibration.shapes import coefficients

LEVEL = 0.009
SIZES = (5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 32, 48, 64, 128, 256, 512, 1024, 4096)
NUMBERS = 40_000_000
"""Normal numbers that are drawn for a size, at least; and samples at most."""


def made(size: int, numbers: int = NUMBERS) -> float:
    """Return what a share of LEVEL of normal samples of a size exceeds."""
    generator = np.random.default_rng([3, size])
    left, found = max(100_000, min(2_000_000, numbers // size)), []
    while left > 0:
        runs = min(left, max(1, 2_000_000 // size))
        found.append(coefficients(generator.standard_normal((runs, size))))
        left -= runs
    return float(np.quantile(np.concatenate(found), 1 - LEVEL))


if __name__ == "__main__":
    print({size: math.ceil(1e4 * made(size)) / 1e4 for size in SIZES})
