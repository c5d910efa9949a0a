"""The shape of seeds: how often a t interval's error rate is marked as one that does not hold, in known worlds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.judging import normality

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.judging.simulation import Decisions


def coefficients(values: NDArray[np.float64], floor: float = 0.0) -> NDArray[np.float64]:
    """Return `normality.bimodality` of every row, shape (runs,); 0 where all values are equal."""
    rest = values - values.mean(axis=1, keepdims=True)
    # Of equal values rounding may leave a rest.
    rest[np.ptp(values, axis=1) == 0] = 0.0
    squares = rest * rest
    second, third, fourth = (part.mean(axis=1) for part in (squares, squares * rest, squares * squares))
    fourth = fourth + 6 * second * floor**2 + 1.8 * floor**4
    second = second + floor**2
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (third**2 / second**3 + 1) * second**2 / fourth
    return np.where(second > 0, found, 0.0)


def marked(values: NDArray[np.float64], found: Decisions, floor: float = 0.0) -> NDArray[np.bool_]:
    """Return whether each run is marked as not normal, by the seeds that it had when it ended."""
    marks = np.zeros(len(values), dtype=bool)
    for n in np.unique(found.n).tolist():
        ended = found.n == n
        part = values[ended, :n]
        marks[ended] = (coefficients(part, floor) > normality.limit(n)) & (np.ptp(part, axis=1) > 0)
    return marks


def alike(values: NDArray[np.float64], found: Decisions) -> NDArray[np.bool_]:
    """Return whether all seeds that a run had when it ended were the same."""
    return np.array([np.ptp(row[:n]) == 0 for row, n in zip(values, found.n, strict=True)])
