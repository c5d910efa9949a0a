"""What a contrast can be by its specification alone: its weights, its bounds, and what its seeds are asked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.judging import student
from harness.judging.bounded import Bounded
from harness.judging.confidence_sequence import STUDENT, ConfidenceSequence
from harness.judging.groups import Groups
from harness.judging.points import metric_of, sweep_values
from harness.judging.quantile import Quantile as QuantileSequence
from harness.specification.kinds import (
    Difference,
    Interaction,
    Linear,
    LogLogSlope,
    Mean,
    Median,
    Quantile,
    QuantileOver,
    RankTrend,
    Rate,
    Ratio,
    Slope,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.specification.kinds import Contrast
    from harness.specification.models import Claim, Metric

Sampled = Mean | Median | Quantile | Rate | Difference | Ratio | Interaction | Linear | Slope | LogLogSlope | RankTrend
"""Contrasts that are a sample over seeds: all but `exact`."""

Logarithmic = Ratio | LogLogSlope
"""Contrasts that are sums of logarithms."""


def sequence_of(contrast: Sampled, claim: Claim) -> ConfidenceSequence:
    """Return what the seeds of a contrast are asked, and how that becomes an interval."""
    if isinstance(contrast, Rate):
        return Bounded(0.0, 1.0, binary=True)
    q = quantile_of(contrast)
    if q is not None:
        return QuantileSequence(q)
    if not claim.paired and isinstance(contrast, Difference | Ratio):
        return Groups()
    # Of zeros and ones no t interval keeps its promise, however they are added up.
    return Bounded(*reachable(contrast, claim)) if claim.metrics[metric_of(contrast)].two_valued else STUDENT


def quantile_of(contrast: Sampled) -> float | None:
    """Return the share of seeds below what a contrast asks for, None where that is a mean or a rate."""
    if isinstance(contrast, Quantile):
        return contrast.q
    over = "median" if isinstance(contrast, Median) else getattr(contrast, "over_seeds", None)
    return over.quantile if isinstance(over, QuantileOver) else 0.5 if over == "median" else None


def weights_of(contrast: Contrast, claim: Claim) -> list[float]:
    """Return the weight of each whole cell in a contrast: 1, or what the kind of contrast makes of its cells."""
    if isinstance(contrast, Difference | Ratio):
        return [1.0, -1.0]
    if isinstance(contrast, Interaction):
        return [1.0, -1.0, -1.0, 1.0]
    if isinstance(contrast, Linear):
        return [cell.weight for cell in contrast.cells]
    if isinstance(contrast, Slope | LogLogSlope):
        values = [float(v) for v in sweep_values(contrast, claim)]
        return student.slope_weights(map(math.log, values) if isinstance(contrast, LogLogSlope) else values)
    return [1.0]


def linear_bounds(metric: Metric, weights: Iterable[float]) -> tuple[float, float]:
    """Return the smallest and largest value of sum(weights * metrics) within the metric's bounds."""
    low, high = bounds_of(metric)
    pairs = [(w * low, w * high) for w in weights if w]
    return sum(min(p) for p in pairs), sum(max(p) for p in pairs)


def bounds_of(metric: Metric) -> tuple[float, float]:
    """Return the smallest and largest value of a metric."""
    low, high = (0.0, 1.0) if metric.two_valued else metric.bounds
    return -math.inf if low is None else low, math.inf if high is None else high


def tau_step(points: int) -> float:
    """Return the step of Kendall's tau over `points` values without ties: one swap of neighbours."""
    return 4.0 / (points * (points - 1))


def reachable(contrast: Contrast, claim: Claim) -> tuple[float, float]:
    """Return bounds of the values that a contrast can have at all."""
    metric = claim.metrics[metric_of(contrast)]
    if isinstance(contrast, RankTrend):
        return -1.0, 1.0
    if isinstance(contrast, Ratio):
        # Only positive numbers have a ratio here.
        return 0.0, math.inf
    if isinstance(contrast, LogLogSlope):
        return student.UNBOUNDED
    if isinstance(contrast, Rate):
        return 0.0, 1.0
    return linear_bounds(metric, weights_of(contrast, claim))
