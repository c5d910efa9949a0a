"""A whole suite of expectations, judged by Holm's procedure on their anytime-valid p-values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.judging import student
from harness.running.error_budget import FAMILY_WISE, adjusted
from tests.calibration.worlds import PLAN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from tests.calibration.laws import Law

SIZE = 50
"""Expectations of a suite."""
OWN_ALPHA = 0.001
"""Error rate at which an expectation that stops by its own rule stops."""
CHUNK = 500
"""Suites that are in memory at a time."""


@dataclass(frozen=True)
class Suites:
    """How simulated suites ended.

    Attributes:
        wrong: whether a suite decides anything falsely, shape (runs,).
        found: how many clear effects it decides, shape (runs,).
    """

    wrong: NDArray[np.bool_]
    found: NDArray[np.int64]


def smallest_p(values: NDArray[np.float64], alpha: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the smallest p-value over all looks against a truth of 0, and on which side of 0 the mean then lies.

    A p-value above `alpha` counts as 1: it decides nothing at that family-wise rate.
    """
    least, side = np.ones(len(values)), np.zeros(len(values))
    for n in PLAN.looks:
        here, where = _p_at(values, n, alpha)
        lower = here < least
        least[lower], side[lower] = here[lower], where[lower]
    return least, side


def p_when_stopped(values: NDArray[np.float64], alpha: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the p-value at the first look that decides at `alpha`, 1 where none does, and the side."""
    p, side = np.ones(len(values)), np.zeros(len(values))
    for n in PLAN.looks:
        here, where = _p_at(values, n, alpha)
        first = (side == 0) & (here < 1)
        p[first], side[first] = here[first], where[first]
    return p, side


def _p_at(values: NDArray[np.float64], n: int, alpha: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    part = values[:, :n]
    distance = part.mean(axis=1) / part.std(axis=1, ddof=1)
    p = np.ones(len(values))
    near = np.abs(distance) > student.half_width(n, alpha)
    p[near] = [student.smallest_alpha(n, d) for d in distance[near].tolist()]
    return p, np.sign(distance)


def suites(
    generator: Generator,
    runs: int,
    law: Law,
    effects: Sequence[float],
    *,
    own_rule: bool,
) -> Suites:
    """Return how suites end whose expectations lie `effects` standard deviations from their edges.

    Without an effect any decision is false; with one, a decision on the wrong side. `own_rule`: each expectation stops
    at its own verdict; otherwise when its p-value is smallest, which no rule for stopping can beat.
    """
    shift = np.asarray(effects) * law.sd - law.mean
    null = np.asarray(effects) == 0
    wrong, found = [], []
    for start in range(0, runs, CHUNK):
        size = min(CHUNK, runs - start)
        values = law.draw(generator, (size * len(shift), PLAN.cap)) + np.tile(shift, size)[:, None]
        p, side = p_when_stopped(values, OWN_ALPHA) if own_rule else smallest_p(values, FAMILY_WISE)
        decided = np.array([adjusted(row) for row in p.reshape(size, -1).tolist()]) <= FAMILY_WISE
        right = decided & ~null & (side.reshape(size, -1) > 0)
        wrong.append((decided & ~right).any(axis=1))
        found.append(right.sum(axis=1))
    return Suites(np.concatenate(wrong), np.concatenate(found))
