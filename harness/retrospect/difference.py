"""The estimates of two runs held against each other: whether they differ by more than chance.

Estimates are compared by their per-seed values: seed k of one run with seed k of the other. Under one base seed that is
the same data draw twice, and the differences are paired; under two they are independent draws. Either way the
differences are one number per seed, and their interval is the harness's own confidence sequence (see `stats`), which
holds however many seeds each run took before it stopped. Equally distributed values have differences that are
symmetric, so that a skew which would break the promise for one run alone hardly does here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.judging import edges
from harness.judging.bounded import Bounded
from harness.judging.confidence_sequence import STUDENT, ConfidenceSequence
from harness.judging.contrasts import PerSeed
from harness.judging.quantile import Quantile
from harness.judging.student import ROUNDING
from harness.retrospect.comparison import (
    DIFFERENT,
    NO_DIFFERENCE_DETECTED,
    NOT_COMPARED,
    ONLY_A,
    ONLY_B,
    SAME,
    Difference,
)
from harness.store.records.parts import finite

if TYPE_CHECKING:
    from harness.store.records.expectation import ExpectationRecord

LARGEST = 1e150
"""The square of a larger number is none."""


def difference(a: ExpectationRecord | None, b: ExpectationRecord | None, *, comparable: bool) -> Difference:
    """Return whether an expectation's values differ, with the interval of B minus A (B divided by A for a ratio).

    Args:
        a: the expectation's record in run A.
        b: its record in run B.
        comparable: whether durations of the two runs are by the same clock and of the same device.
    """
    if a is None or b is None:
        return _nothing(ONLY_B if a is None else ONLY_A)
    if (a.contrast, a.unit, a.exact) != (b.contrast, b.unit, b.exact):
        return _nothing("the contrast is another")
    both = {int(seed): (a.values[seed], b.values[seed]) for seed in a.values if seed in b.values}
    values = {seed: (one, other) for seed, (one, other) in both.items() if one is not None and other is not None}
    if not both:
        return _nothing("no seed has a value in both")
    if len(values) < len(both):
        return _nothing("a value is no finite number")
    if max(abs(value) for pair in values.values() for value in pair) > LARGEST:
        return _nothing("a value is too large for a spread", len(values))
    if all(one == other for one, other in values.values()):
        return Difference(outcome=SAME, reason="", n=len(values))
    if a.exact:
        largest = max(abs(other - one) for one, other in values.values())
        return _nothing(f"instances are no sample; the largest change is {largest:.3g}", len(values))
    if a.duration and not comparable:
        return _nothing("durations by different clocks (processor, governor, cores or device)", len(values))
    return _interval(values, a, b)


def _nothing(reason: str, n: int = 0) -> Difference:
    return Difference(outcome=NOT_COMPARED, reason=reason, n=n)


def _interval(values: dict[int, tuple[float, float]], a: ExpectationRecord, b: ExpectationRecord) -> Difference:
    log = a.unit == "ratio"
    if log and min(min(pair) for pair in values.values()) <= 0:
        return _nothing("a ratio is not positive", len(values))
    alpha = min(a.alpha, b.alpha)
    sequence = _sequence(a)
    if len(values) < sequence.fewest(alpha):
        return _nothing(f"{len(values)} seeds say nothing at error rate {alpha:g}", len(values))
    judged = {seed: tuple(map(math.log, pair)) if log else pair for seed, pair in values.items()}
    resolution = min(math.hypot(a.sd_floor, b.sd_floor), LARGEST)
    # Rounding in float64 alone must not tell runs apart; of a logarithm it is that of the number it was taken of.
    size = max(abs(value) for pair in judged.values() for value in pair)
    rounding = ROUNDING * (max(1.0, size) if log else size)
    differences = {seed: other - one for seed, (one, other) in judged.items()}
    per_seed = PerSeed(differences, dict.fromkeys(differences, max(resolution, rounding)), log=log, sequence=sequence)
    found, _ = edges.interval_of(per_seed, sorted(differences), alpha)
    holds_zero = found.low <= 0.0 <= found.high
    if not (holds_zero or resolution) and sequence.spread and found.sd <= rounding:
        return _nothing("the difference is the same for every seed, and no resolution of the metric is known", found.n)
    low, estimate, high = (finite(edges.on_scale(per_seed, v)) for v in (found.low, found.estimate, found.high))
    return Difference(
        outcome=NO_DIFFERENCE_DETECTED if holds_zero else DIFFERENT,
        reason="",
        n=found.n,
        scale="factor" if log else "difference",
        alpha=alpha,
        estimate=estimate,
        low=low,
        high=high,
    )


def _sequence(expectation: ExpectationRecord) -> ConfidenceSequence:
    """Return what to ask the differences of an expectation's values: the mean, or the median where it is of a quantile."""
    own = expectation.sequence
    if own and own.low is not None and own.high is not None:
        return Bounded(own.low - own.high, own.high - own.low)
    return Quantile(0.5) if own and own.kind == "quantile" else STUDENT
