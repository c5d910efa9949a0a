"""Evidence pooled over nights: each night adds its seeds to all earlier ones and stops by its own rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.judging import student
from tests.calibration.worlds import PLAN

if TYPE_CHECKING:
    from numpy.typing import NDArray

NIGHTS = 20
SEEDS = NIGHTS * PLAN.cap
"""Most seeds that all nights together can need."""


@dataclass(frozen=True)
class Nights:
    """How simulated sequences of nights went.

    Attributes:
        missed: whether the interval failed to hold the truth at any look of any night, shape (runs,).
        stops: seeds after each night, earlier ones included, shape (runs, nights).
        signs: verdict of each night, 1 verified, -1 refuted, 0 neither, shape (runs, nights).
    """

    missed: NDArray[np.bool_]
    stops: NDArray[np.int64]
    signs: NDArray[np.int8]


def nights(values: NDArray[np.float64], edge: float, truth: float, alpha: float, count: int = NIGHTS) -> Nights:
    """Return how `count` nights on `at_least: edge` go, each run seeing its row of `values` from left to right.

    The rule of `verdict.judge` when seeds of earlier nights have indices below zero.
    """
    rows = np.arange(len(values))
    sums, squares = np.cumsum(values - truth, axis=1), np.cumsum((values - truth) ** 2, axis=1)
    halves = np.array([student.half_width(n, alpha) for n in range(values.shape[1] + 1)])
    missed = np.zeros(len(values), dtype=bool)
    stops, signs = np.zeros((len(values), count), dtype=np.int64), np.zeros((len(values), count), dtype=np.int8)
    earlier = np.zeros(len(values), dtype=np.int64)
    for night in range(count):
        sign = np.zeros(len(values), dtype=np.int8)
        stop = earlier + PLAN.cap
        for look in PLAN.looks:
            n = earlier + look
            mean = sums[rows, n - 1] / n
            reach = halves[n] * np.sqrt((squares[rows, n - 1] - n * mean**2) / (n - 1))
            missed |= (sign == 0) & (np.abs(mean) > reach)
            now = np.where(mean - reach >= edge - truth, 1, np.where(mean + reach < edge - truth, -1, 0))
            first = (sign == 0) & (now != 0)
            sign[first], stop[first] = now[first], n[first]
        stops[:, night], signs[:, night], earlier = stop, sign, stop
    return Nights(missed, stops, signs)
