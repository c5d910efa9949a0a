"""Two groups without pairs on trial, beside Welch's test: rows of a table of docs/calibration.md."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import t

from harness.judging.groups import Groups
from harness.judging.simulation import Rule, decide
from tests.calibration.cells import Average, Cell, Share
from tests.calibration.laws import BREAKING, KEEPING, NORMAL, Law

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

ALPHAS = (0.001, 0.01)

ROWS: dict[tuple[str, str, str], tuple[Law, int, int, float]] = {
    (name, f"{few} against {many}", "1/3" if ratio < 1 else f"{ratio:g}"): (law, few, many, ratio)
    for name, law, ratios in (
        ("normal", NORMAL, (1 / 3, 1.0, 3.0)),
        *(
            (name, law, (1.0,))
            for name, law in KEEPING.items()
            if name in ("uniform", "Student t, 3 degrees of freedom")
        ),
        ("errors in 200, each 1 in 5", KEEPING["errors in 200, each 1 in 5"], (1.0,)),
        *((name, BREAKING[name], (1.0,)) for name in ("exponential", "one seed in ten far off", "two clusters")),
    )
    for few, many in ((3, 20), (6, 6), (6, 20), (20, 20))
    for ratio in ratios
}
"""Law, sizes of the groups, and spread of the larger by that of the smaller, in words -> as they are."""

PROMISED = KEEPING.keys()
"""Laws for which the promise is made."""


def grouped(labels: tuple[str, str, str], runs: int, generator: Generator) -> Sequence[Cell]:
    """Return false verdicts where two means are equal and 0 is the edge, Welch's false decisions, and how wide it is beside Welch's."""
    law, few, many, ratio = ROWS[labels]
    smaller = law.draw(generator, (runs, few)) - law.mean
    larger = ratio * (law.draw(generator, (runs, many)) - law.mean)
    floor = law.floor
    error = np.maximum(larger.std(axis=1, ddof=1), floor) ** 2 / many
    values, cells = smaller - larger.mean(axis=1, keepdims=True), list[Cell]()
    for alpha in ALPHAS:
        found = decide(values, Rule([few], 0.0, math.inf, alpha, floor, sequence=Groups(error)))
        counts = [int((found.sign == sign).sum()) for sign in (1, -1)]
        cells += [Share(count, runs, alpha, promised=labels[0] in PROMISED) for count in counts]
    own = np.maximum(smaller.std(axis=1, ddof=1), floor) ** 2 / few
    # Of groups that are all alike Welch's degrees of freedom are not defined.
    own, error = np.maximum(own, 1e-300), np.maximum(error, 1e-300)
    freedom = (own + error) ** 2 / (own**2 / (few - 1) + error**2 / (many - 1))
    statistic = np.abs(values.mean(axis=1)) / np.sqrt(own + error)
    for alpha in ALPHAS:
        false = int((statistic > t.isf(alpha / 2, freedom)).sum())
        cells.append(Share(false, runs, alpha))
    wider = t.isf(ALPHAS[0] / 2, few - 1) / t.isf(ALPHAS[0] / 2, freedom)
    return [*cells, Average.of(wider)]
