"""Two groups of runs that have nothing in common: the difference of their means, looked at once.

Let the smaller group have m runs and the other n. Welch's statistic is the difference of the means, less the true one, by the
root of s^2 / m + s'^2 / n. Its law depends on the unknown ratio of the two variances, but for normal runs, of whatever sizes and
variances, it is never wider than Student's with min(m, n) - 1 degrees of freedom (Hsu 1938; Mickey & Brown 1966, "Bounds on the
distribution functions of the Behrens-Fisher statistic"). So an interval with that law's quantile keeps alpha exactly where the
customary approximation of the degrees of freedom (Welch 1947) keeps it roughly. It is no confidence sequence: the promise is of one look.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, ClassVar

from harness.judging import student
from harness.judging.confidence_sequence import ConfidenceSequence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from harness.judging.confidence_sequence import Ends, Floor

HALVINGS = 60
"""Steps of the search for a quantile: no float lies between the last two."""


@dataclass(frozen=True)
class Groups(ConfidenceSequence):
    """The mean of a group, less that of another; the values are the smaller group's, less the other's mean.

    Attributes:
        error: squared standard error of the other group's mean, one for all runs or one for each.
    """

    error: Floor = 0.0
    normal: ClassVar[bool] = True

    def ends(
        self, values: NDArray[np.float64], alpha: float, floor: Floor = 0.0, bounds: student.Bounds = student.UNBOUNDED
    ) -> Ends:
        """Return mean +- quantile times standard error, clipped to the bounds."""
        import numpy as np

        n = values.shape[1]
        if n < self.fewest(alpha):
            return np.full(len(values), bounds[0]), np.full(len(values), bounds[1])
        centre, spread = values.mean(axis=1), np.maximum(values.std(axis=1, ddof=1), floor)
        reach = quantile(n - 1, alpha) * np.sqrt(spread**2 / n + self.error)
        return np.clip(centre - reach, *bounds), np.clip(centre + reach, *bounds)

    def estimate(self, values: NDArray[np.float64]) -> float:
        """Return the mean."""
        return student.moments(values)[0]

    def p(self, values: NDArray[np.float64], edge: float, floor: float, *, upper: bool) -> float:  # noqa: ARG002
        """Return the chance that Student's t lies as far off, on either side."""
        mean, sd = student.moments(values)
        return tails(values.size - 1, (mean - edge) ** 2 / (max(sd, floor) ** 2 / values.size + float(self.error)))

    def fewest(self, alpha: float) -> int:  # noqa: ARG002
        """Two runs have a spread."""
        return 2

    def can_end(self, n: int, alpha: float, band: student.Bounds, bounds: student.Bounds) -> tuple[bool, bool]:  # noqa: ARG002
        """A bounded interval may be as narrow as the runs are alike."""
        return (n >= self.fewest(alpha),) * 2


def tails(freedom: int, squared: float) -> float:
    """Return the chance that the square of Student's t exceeds a number.

    It is the incomplete beta function I_x(nu / 2, 1 / 2) at x = nu / (nu + t^2) (Abramowitz & Stegun 1964, 26.5.27).
    """
    x, a = freedom / (freedom + squared), freedom / 2
    if squared == 0:
        return 1.0
    # Its fraction converges fast on this side of the mean, and for the other there is a symmetry.
    if x > (a + 1) / (a + 2.5):
        return 1.0 - _beta(1.0 - x, 0.5, a)
    return _beta(x, a, 0.5)


def _beta(x: float, a: float, b: float) -> float:
    """Return I_x(a, b) by its continued fraction (Abramowitz & Stegun 1964, 26.5.8), evaluated from the front (Lentz 1976)."""
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    c, d = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1))
    result = d
    for m in count(1):
        for part in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            c, d = 1.0 + part / c, 1.0 / (1.0 + part * d)
            result *= c * d
        if abs(c * d - 1.0) < 1e-15:
            return math.exp(front) * result / a
    raise AssertionError


@lru_cache(maxsize=512)
def quantile(freedom: int, alpha: float) -> float:
    """Return what the size of Student's t exceeds with chance alpha."""
    low, high = 0.0, 1.0
    while tails(freedom, high**2) > alpha:
        low, high = high, 2 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if tails(freedom, middle**2) > alpha else (low, middle)
    return high
