"""Distributions of a per-seed contrast whose mean is known: the truths that the judge is tried on."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from harness.judging import student

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator
    from numpy.typing import NDArray

STEP = 1 / 200
"""Resolution of an error rate on 200 test examples."""

MEASURED = Path(__file__).parents[1] / "data" / "measured_contrasts.json"
"""Per-seed contrasts of the claims of this project; `measured` writes it."""


@dataclass(frozen=True)
class Law:
    """A distribution of the per-seed contrast, on the scale on which it is judged.

    Attributes:
        draw: generator and shape -> values.
        mean: their mean, the truth.
        sd: their standard deviation.
        step: resolution of the metric; 0 where it has none.
        bounds: values that the contrast can have.
    """

    draw: Callable[[Generator, tuple[int, int]], NDArray[np.float64]]
    mean: float
    sd: float
    step: float = 0.0
    bounds: tuple[float, float] = student.UNBOUNDED

    @property
    def floor(self) -> float:
        """Floor of the standard deviation."""
        return student.resolution_floor(self.step)


def errors(rate: float) -> Law:
    """Return the law of the error rate on 200 test examples, each wrong with probability `rate`."""
    sd = math.sqrt(rate * (1 - rate) / 200)
    return Law(lambda g, size: g.binomial(200, rate, size) * STEP, rate, sd, STEP, (0.0, 1.0))


def rounded(spread: float) -> Law:
    """Return the law of an error rate about 0.1 that varies by `spread` over seeds and moves in steps of 1/200."""

    def draw(generator, size):
        return np.clip(np.round(generator.normal(0.1, spread, size) / STEP) * STEP, 0, 1)

    steps = np.arange(201) * STEP
    chances = np.diff(norm.cdf(np.append(steps - STEP / 2, 1 + STEP / 2), 0.1, spread))
    return Law(draw, 0.1, math.sqrt(chances @ (steps - 0.1) ** 2), STEP, (0.0, 1.0))


NORMAL = Law(lambda g, size: g.normal(size=size), 0.0, 1.0)

KEEPING = {
    "normal": NORMAL,
    "uniform": Law(lambda g, size: g.uniform(-1, 1, size), 0.0, math.sqrt(1 / 3)),
    "Student t, 3 degrees of freedom": Law(lambda g, size: g.standard_t(3, size), 0.0, math.sqrt(3)),
    "normal, rounded to 1/200, in [0, 1]": rounded(0.01),
    "the same, nearly constant": rounded(0.001),
    "errors in 200, each 1 in 5": errors(0.2),
}
"""For these the promise holds: each of false VERIFIED and false REFUTED at most alpha."""

BREAKING = {
    "exponential": Law(lambda g, size: g.exponential(size=size), 1.0, 1.0),
    "exponential, turned round": Law(lambda g, size: -g.exponential(size=size), -1.0, 1.0),
    "one seed in ten far off": Law(
        lambda g, size: g.normal(size=size) + 30 * (g.random(size) < 0.1), 3.0, math.sqrt(1 + 900 * 0.09)
    ),
    "errors in 200, each 1 in 20": errors(0.05),
    "errors in 200, each 1 in 200": errors(STEP),
    "two clusters": Law(lambda g, size: g.normal(0, 0.1, size) + g.choice([-1, 1], size), 0.0, math.sqrt(1.01)),
}
"""For these it is not made: they are skewed, or have lighter tails than the uniform."""


@dataclass(frozen=True)
class Pool:
    """Measured per-seed contrasts of one expectation, over all base seeds.

    Attributes:
        claim: id of the claim.
        expectation: its name.
        kind: kind of contrast.
        values: on the scale on which they are judged (logarithms for a ratio).
        rounding: standard deviation of each value's rounding error; empty without a resolution.
        bounds: values that the contrast can have.
    """

    claim: str
    expectation: str
    kind: str
    values: NDArray[np.float64]
    rounding: NDArray[np.float64]
    bounds: tuple[float, float]

    @property
    def truth(self) -> float:
        """Mean of the pool: what resamples of it are about."""
        return float(self.values.mean())

    @property
    def sd(self) -> float:
        """Standard deviation of the pool."""
        return float(self.values.std())

    @property
    def skewness(self) -> float:
        """Third standardised moment."""
        return float((((self.values - self.truth) / self.sd) ** 3).mean())

    @property
    def excess_kurtosis(self) -> float:
        """Fourth standardised moment less 3: 0 for a normal law, -1.2 for a uniform one, -2 for two points."""
        return float((((self.values - self.truth) / self.sd) ** 4).mean()) - 3

    def draw(
        self, generator: Generator, size: tuple[int, int]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Return values drawn with replacement, and their rounding errors if there are any."""
        picks = generator.integers(len(self.values), size=size)
        return self.values[picks], self.rounding[picks] if self.rounding.size else None


def pools() -> dict[str, Pool]:
    """Return the measured contrasts by `claim: expectation`, without those that are the same in every seed."""
    found = [
        Pool(
            entry["claim"],
            entry["expectation"],
            entry["kind"],
            np.asarray([v for row in entry["values"].values() for v in row]),
            np.asarray([v for row in entry["rounding"].values() for v in row]),
            tuple(sign * math.inf if end is None else end for sign, end in zip((-1, 1), entry["bounds"], strict=True)),
        )
        for entry in json.loads(MEASURED.read_text())["contrasts"]
    ]
    return {f"{pool.claim}: {pool.expectation}": pool for pool in found if np.ptp(pool.values) > 0}
