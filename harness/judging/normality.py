"""Whether seeds look roughly normal, as a t interval takes for granted: clusters, skew, and single seeds far off.

The statistic is Sarle's bimodality coefficient, (b1 + 1) / b2 of the squared skewness b1 and the kurtosis b2 (SAS/STAT
User's Guide, "The CLUSTER procedure"; Pearson 1916, b2 >= b1 + 1): 1 if seeds take two values, in whatever proportion, and
about 1/3 if they are normal. It depends on neither place nor scale, and is compared with what one run in a hundred of
normal seeds exceeds. What no seed shows it cannot see: of a cluster that nine seeds in ten belong to, six seeds
show nothing else more often than not.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.judging.contrasts import PerSeed

Shape = Literal["not_normal", "two_values", "constant"]
"""What speaks against the error rate of an interval."""

NOT_NORMAL: Final = "not_normal"
TWO_VALUES: Final = "two_values"
CONSTANT: Final = "constant"
BREAKING = (NOT_NORMAL, TWO_VALUES)
"""Shapes for which the error rate of a t interval does not hold."""

_SEEDS = (5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 32, 48, 64, 128, 256, 512, 1024, 4096)
_EXCEEDED = (
    0.9667,
    0.9314,
    0.8957,
    0.8653,
    0.8392,
    0.8162,
    0.7764,
    0.7446,
    0.7177,
    0.6763,
    0.6445,
    0.6000,
    0.5468,
    0.5149,
    0.4576,
    0.4190,
    0.3929,
    0.3746,
    0.3538,
)

LIMITS = dict(zip(_SEEDS, _EXCEEDED, strict=True))
"""Seeds -> what nine normal samples in a thousand exceed, which at the look that decides are one in a hundred at most; made
by `python -m tests.calibration.limits`."""


def shape(per_seed: PerSeed, seeds: Sequence[int]) -> Shape | Literal[""]:
    """Return what speaks against the error rate of the interval over some seeds; nothing for one that needs no shape."""
    if not per_seed.sequence.normal or not seeds:
        return ""
    if _two_values(per_seed, seeds):
        return TWO_VALUES
    values = [per_seed.values[seed] for seed in seeds]
    if len(set(values)) == 1:
        return CONSTANT
    return NOT_NORMAL if bimodality(values, per_seed.sd_floor(seeds)) > limit(len(values)) else ""


def _two_values(per_seed: PerSeed, seeds: Sequence[int]) -> bool:
    """Return whether the metric took two values, and these are no neighbours in its resolution."""
    found = {value for seed in seeds for value in per_seed.raw.get(seed, ())}
    return len(found) == 2 and max(found) - min(found) > 1.5 * per_seed.coarsest


def bimodality(values: Sequence[float], floor: float = 0.0) -> float:
    """Return Sarle's coefficient of some values, not all of them equal.

    `floor` is the standard deviation of their rounding error, which is uniform: the moments are those of the values with
    such an error added, so that neighbours in the resolution are no clusters.
    """
    n = len(values)
    centre = math.fsum(values) / n
    # Fourth powers of numbers near 1 neither vanish nor overflow.
    scale = max(abs(value - centre) for value in values)
    rest = [(value - centre) / scale for value in values]
    second, third, fourth = (math.fsum(r**power for r in rest) / n for power in (2, 3, 4))
    error = (floor / scale) ** 2
    # Fourth moment of a uniform law: 1.8 times its variance squared.
    fourth += 6 * second * error + 1.8 * error**2
    second += error
    return (third**2 / second**3 + 1) * second**2 / fourth


def limit(n: int) -> float:
    """Return what the coefficient of one run in a hundred of n normal seeds exceeds; infinite where any may."""
    sizes = list(LIMITS)
    if n < sizes[0]:
        return math.inf
    # What exceeds 1/3, the value of endless normal samples, falls as a power of n, beyond the last size too.
    at = min(bisect_right(sizes, n), len(sizes) - 1)
    (n0, n1), (c0, c1) = sizes[at - 1 : at + 1], (math.log(LIMITS[size] - 1 / 3) for size in sizes[at - 1 : at + 1])
    return 1 / 3 + math.exp(c0 + (c1 - c0) * math.log(n / n0) / math.log(n1 / n0))
