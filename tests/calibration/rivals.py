"""Other ways to decide after several looks, for comparison; each is a half-width in standard deviations per look."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm, t

from harness.judging import student
from harness.judging.simulation import Decisions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    HalfWidths = Mapping[int, float]
    """Look -> half-width of its interval in standard deviations (ddof 1)."""

GRID = 1001
"""Points of the trapezoidal rule between the boundaries."""
HIGHEST = 37.0
"""No normal score beyond this has a chance that a float64 can hold."""


def confidence_sequence(looks: Sequence[int], alpha: float) -> HalfWidths:
    """Return the harness's own half-widths."""
    return {n: student.half_width(n, alpha) for n in looks}


def t_intervals(looks: Sequence[int], alpha: float) -> HalfWidths:
    """Return half-widths of Student's interval as if each look were the only one."""
    return {n: float(t.isf(alpha / 2, n - 1)) / math.sqrt(n) for n in looks}


def group_sequential(looks: Sequence[int], alpha: float) -> HalfWidths:
    """Return half-widths of a group-sequential design with the last look as its horizon.

    Boundaries for normal scores by `spending_boundaries`; at a look the t statistic decides if its p-value is below
    that of the boundary.
    """
    levels = norm.sf(spending_boundaries([n / looks[-1] for n in looks], alpha))
    return {n: float(t.isf(level, n - 1)) / math.sqrt(n) for n, level in zip(looks, levels, strict=True)}


def spending_boundaries(fractions: Sequence[float], alpha: float) -> list[float]:
    """Return two-sided boundaries of the normal score at each fraction of the information.

    Spent up to the fraction f on each side is 2 (1 - Phi(z / sqrt f)) with z the upper alpha/4 quantile: the function
    of O'Brien-Fleming type (Lan & DeMets 1983, "Discrete sequential boundaries for clinical trials"). The density of
    the score on paths that are still going is carried from look to look by numerical integration (Armitage, McPherson
    & Rowe 1969).
    """
    spent = [0.0, *(4 * norm.sf(norm.isf(alpha / 4) / math.sqrt(f)) for f in fractions)]
    steps = np.diff([0.0, *fractions])
    # Brownian motion at information f is score * sqrt(f); at first it is a point at zero.
    places, masses = np.zeros(1), np.ones(1)
    found: list[float] = []
    for fraction, step, share in zip(fractions, steps, np.diff(spent), strict=True):
        edge = _edge(places, masses, math.sqrt(step), math.sqrt(fraction), float(share))
        found.append(edge / math.sqrt(fraction))
        grid = np.linspace(-edge, edge, GRID)
        weights = np.full(GRID, grid[1] - grid[0])
        weights[[0, -1]] /= 2
        density = norm.pdf(grid[:, None], places[None, :], math.sqrt(step)) @ masses
        places, masses = grid, density * weights
    return found


def _edge(places: NDArray[np.float64], masses: NDArray[np.float64], sd: float, root: float, share: float) -> float:
    """Return the boundary that a further step of Brownian motion crosses, on either side, with chance `share`."""

    def excess(edge: float) -> float:
        return float(masses @ (norm.sf((edge - places) / sd) + norm.cdf((-edge - places) / sd))) - share

    return HIGHEST * root if share <= 0 else float(brentq(excess, 0.0, HIGHEST * root, xtol=1e-12))


def crossing(values: NDArray[np.float64], halves: HalfWidths, edge: float) -> Decisions:
    """Return on which side of `edge` each run's interval (a row of `values`) first lies, and when.

    1 above it (`at_least: edge` is verified), -1 below, 0 neither until the last look.
    """
    sign = np.zeros(len(values), dtype=np.int8)
    n_at = np.full(len(values), max(halves))
    for n, half in halves.items():
        part = values[:, :n]
        distance = part.mean(axis=1) - edge
        now = np.where(np.abs(distance) > half * part.std(axis=1, ddof=1), np.sign(distance), 0)
        first = (sign == 0) & (now != 0)
        sign[first], n_at[first] = now[first], n
    return Decisions(sign, n_at)
