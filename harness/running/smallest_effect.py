"""The smallest effect that a design tells from its band: by simulation under the judge's own rule."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from harness.judging import student
from harness.judging.bounded import Bounded
from harness.judging.confidence_sequence import STUDENT
from harness.judging.quantile import Quantile
from harness.judging.simulation import Rule, decide
from harness.seeds import Seed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from harness.judging.confidence_sequence import ConfidenceSequence

RUNS = 2000
"""Simulated runs: a probability of 0.9 is known to 0.007 then (one standard error)."""

TARGET_POWER = 0.9
"""The probability to decide that a plan should have; less is marked."""


@lru_cache(maxsize=512)
def smallest_distance(
    looks: tuple[int, ...], alpha: float, floor: float, sequence: ConfidenceSequence = STUDENT
) -> float:
    """Return how far from an edge of the band, in standard deviations, is told from it with probability `TARGET_POWER`.

    Args:
        looks: numbers of seeds after which the evidence is judged.
        alpha: error rate of the interval.
        floor: what the standard deviation is never taken below, in standard deviations.
        sequence: what the seeds, which are normal here, are asked.
    """
    if not all(sequence.can_end(looks[-1], alpha, (0.0, math.inf), student.UNBOUNDED)):
        return math.inf
    rule = Rule(looks, 0.0, math.inf, alpha, floor, sequence=sequence)
    noise = Seed(0, "smallest distance", 0).numpy("noise").standard_normal((RUNS, looks[-1]))
    if isinstance(sequence, Quantile):
        noise -= NormalDist().inv_cdf(sequence.q)
    # The noise is the same at every step, so that what is told at a distance is told farther off.
    return _search(lambda distance: noise + distance, rule, math.inf)


@lru_cache(maxsize=512)
def smallest_step(looks: tuple[int, ...], alpha: float, edge: float, *, upward: bool) -> float:
    """Return how far above an edge, or below, a rate is told from it with probability `TARGET_POWER`; infinite if none is."""
    band, room = ((edge, math.inf), 1.0 - edge) if upward else ((-math.inf, edge), edge)
    rule = Rule(looks, *band, alpha, sequence=Bounded(0.0, 1.0, binary=True))
    picks = Seed(0, "smallest step", 0).numpy("picks").random((RUNS, looks[-1]))
    return _search(lambda step: (picks < (edge + step if upward else edge - step)).astype(np.float64), rule, room)


def _search(values_at: Callable[[float], NDArray[np.float64]], rule: Rule, room: float) -> float:
    """Return the smallest distance, up to `room`, at which 9 runs in 10 are verified; infinite if there is none."""

    def told(distance: float) -> bool:
        return bool((decide(values_at(distance), rule).sign > 0).mean() >= TARGET_POWER)

    low, high = 0.0, min(1.0, room)
    while not told(high):
        if high >= room:
            return math.inf
        high = min(2 * high, room)
    while high - low > 0.005 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if told(middle) else (middle, high)
    return high
