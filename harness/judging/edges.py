"""An interval and a band on one scale: that on which the contrast is judged, logarithms for a ratio."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.judging import student
    from harness.judging.contrasts import PerSeed
    from harness.specification.readings import Band


def interval_of(per_seed: PerSeed, seeds: Sequence[int], alpha: float) -> tuple[student.Interval, float]:
    """Return the interval over some seeds, logarithms for a ratio, and the floor of its standard deviation."""
    floor = per_seed.sd_floor(seeds)
    values = [per_seed.values[seed] for seed in seeds]
    return per_seed.sequence.interval(values, alpha, floor, per_seed.bounds), floor


def on_scale(per_seed: PerSeed, value: float) -> float:
    """Return a value on the scale of the band: a ratio is judged as its logarithm; infinite where a float overflows."""
    if not per_seed.log:
        return value
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def edges_of(band: Band, per_seed: PerSeed) -> tuple[float, float]:
    """Return the edges of a band on the scale on which the contrast is judged: logarithms for a ratio."""
    return (_log(band.low), _log(band.high)) if per_seed.log else (band.low, band.high)


def passable(band: Band, per_seed: PerSeed) -> list[tuple[float, bool]]:
    """Return those edges of a band, on the judged scale, that the contrast can pass, and of each whether it is the upper."""
    low, high = edges_of(band, per_seed)
    return [(low, False)] * (low > per_seed.bounds[0]) + [(high, True)] * (high < per_seed.bounds[1])


def margin(estimate: float, per_seed: PerSeed, band: Band) -> float:
    """Return how far inside a band an estimate lies, on the judged scale; negative outside.

    Edges that the contrast cannot pass do not count; without any other it is infinite.
    """
    edges = passable(band, per_seed)
    return min((edge - estimate if upper else estimate - edge for edge, upper in edges), default=math.inf)


def _log(value: float) -> float:
    """Return the logarithm of a band's edge; no positive number is below one that is not positive."""
    return math.log(value) if value > 0 else -math.inf
