"""The rule of `verdict` for many simulated runs at once: what plans and calibration count with.

tests/judging/test_simulation.py proves it equal to `verdict.judge`, run by run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.judging import student
from harness.judging.confidence_sequence import STUDENT, ConfidenceSequence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Rule:
    """What decides a run, on the scale of its values (logarithms for a ratio).

    Attributes:
        looks: numbers of seeds after which the evidence is judged, ascending.
        low: lower edge of the band, -inf where there is none.
        high: upper edge.
        alpha: error rate of the interval.
        sd_floor: the standard deviation is never taken below this.
        bounds: values that the contrast can have.
        sequence: what the seeds are asked, and how that becomes an interval.
    """

    looks: Sequence[int]
    low: float
    high: float
    alpha: float
    sd_floor: float = 0.0
    bounds: student.Bounds = student.UNBOUNDED
    sequence: ConfidenceSequence = STUDENT


@dataclass(frozen=True)
class Decisions:
    """How simulated runs ended.

    Attributes:
        sign: 1 verified, -1 refuted, 0 not decided, shape (runs,).
        n: seeds at the deciding look, or at the last one, shape (runs,).
    """

    sign: NDArray[np.int8]
    n: NDArray[np.int64]


def decide(values: NDArray[np.float64], rule: Rule, rounding: NDArray[np.float64] | None = None) -> Decisions:
    """Return how each run ends that sees a row of `values` (shape (runs, seeds)) look after look.

    Args:
        values: one contrast per run and seed.
        rule: what decides.
        rounding: standard deviation of each value's rounding error, shaped as `values`, where it differs from seed
            to seed (ratios, log-log slopes); then it is the floor of the spread instead of `rule.sd_floor`.

    Raises:
        ValueError: fewer seeds than the last look needs.
    """
    if values.ndim != 2 or values.shape[1] < rule.looks[-1]:
        raise ValueError(f"values of shape {values.shape} hold no {rule.looks[-1]} seeds per run")
    sign = np.zeros(len(values), dtype=np.int8)
    n_at = np.full(len(values), rule.looks[-1])
    going = np.arange(len(values))
    for n in rule.looks:
        if not going.size:
            break
        floor = rule.sd_floor if rounding is None else np.sqrt(np.mean(rounding[going, :n] ** 2, axis=1))
        now = _at_look(values[going, :n], rule, floor)
        ended = now != 0
        sign[going[ended]], n_at[going[ended]] = now[ended], n
        going = going[~ended]
    return Decisions(sign, n_at)


def _at_look(part: NDArray[np.float64], rule: Rule, floor: float | NDArray[np.float64]) -> NDArray[np.int8]:
    """Return 1, -1 or 0 for each row: inside the band, wholly outside, neither."""
    if part.shape[1] < rule.sequence.fewest(rule.alpha):
        return np.zeros(len(part), np.int8)
    low, high = rule.sequence.ends(part, rule.alpha, floor, rule.bounds)
    inside = (low >= rule.low) & (high <= rule.high)
    outside = (high < rule.low) | (low > rule.high)
    signs: NDArray[np.int8] = np.subtract(inside, outside, dtype=np.int8)
    return signs
