"""Seeds that gave the same values: a coarse metric's coincidence, or seeds that all drew the same data.

An error rate moves in steps, and six seeds may well make two errors each. So a tie is held against chance: two counts of k
events agree with a probability of at most the largest that any value of a binomial count can have. By Stirling's formula
that is at most sqrt(2) times the Poisson probability of k events where k are expected, e^-k k^k / k!, for counts up to half
of what is counted; of those above half, what is left is counted. Ties of more seeds are ties of fewer too, so that looking
often adds nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.judging.student import ROUNDING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

TOO_UNLIKELY = 0.001
"""A tie that honest seeds give no more often is none of theirs."""


def row(trials: Iterable[Mapping[str, float]], others: Collection[str]) -> list[float]:
    """Return everything that trials of one seed yielded, in a fixed order, without the metrics named by `others`.

    Left out are durations: they differ whatever is drawn.
    """
    return [value for trial in trials for name, value in sorted(trial.items()) if name not in others]


def steps(value: float, bounds: Sequence[float | None], resolution: float | None) -> float:
    """Return how many steps of the resolution a metric is from where nothing is left to count: a bound, or zero.

    Zero steps are a tie that says nothing; without a resolution there is no other.
    """
    distance = min(abs(value - anchor) for anchor in (*bounds, 0.0) if anchor is not None)
    if distance <= ROUNDING * abs(value):
        return 0.0
    return math.inf if resolution is None else distance / resolution


def chance(rows: Sequence[Sequence[float]], count: float) -> float:
    """Return how likely seeds that draw data of their own agree in everything, at most; 1 if they do not agree.

    Args:
        rows: what the trials of each seed yielded.
        count: how many steps their metric is from where nothing is left to count.
    """
    if any(len(other) != len(rows[0]) for other in rows) or not all(map(_same, zip(*rows, strict=True))):
        return 1.0
    return likeliest(count) ** (len(rows) - 1)


def likeliest(count: float) -> float:
    """Return the largest probability that a binomial count has of being `count`, which is at most half of what is counted; at most."""
    if count == 0:
        return 1.0
    if math.isinf(count):
        return 0.0
    return min(1.0, math.sqrt(2.0) * math.exp(count * math.log(count) - count - math.lgamma(count + 1.0)))


def _same(column: Sequence[float]) -> bool:
    return max(column) - min(column) <= ROUNDING * max(map(abs, column))
