"""A quantile of the seeds' values, whatever their distribution.

If x is the q-quantile, at least a share q of all seeds lies at or below it, and at most q below it. So too few values at
or below x speak against it, and so do too many below it: `binomial.tails` says how many are too few and too many. What is
left lies between two of the ordered values (exact inversion, as for the sign test; at every look by Robbins' mixture
instead of a fixed number of seeds; Howard & Ramdas 2022, "Sequential estimation of quantiles", have the same promise).
Ties only make it wider: breaking them at random gives counts in between, that are successes with chance q exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from harness.judging import student
from harness.judging.binomial import log_evidence, tails
from harness.judging.confidence_sequence import ConfidenceSequence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from harness.judging.confidence_sequence import Ends, Floor


@dataclass(frozen=True)
class Quantile(ConfidenceSequence):
    """A quantile of the values.

    Attributes:
        q: share of seeds at or below it, between 0 and 1; 0.5 for the median.
    """

    q: float

    def ends(
        self,
        values: NDArray[np.float64],
        alpha: float,
        floor: Floor = 0.0,  # noqa: ARG002 - no spread is estimated
        bounds: student.Bounds = student.UNBOUNDED,
    ) -> Ends:
        """Return two of the ordered values of each run; a bound where there are too few seeds for one."""
        import numpy as np

        ordered, n = np.sort(values), values.shape[1]
        few, many = tails(n, self.q, alpha)
        low = ordered[:, few - 1] if few else np.full(len(values), -np.inf)
        high = ordered[:, n - many] if many else np.full(len(values), np.inf)
        return np.clip(low, *bounds), np.clip(high, *bounds)

    def estimate(self, values: NDArray[np.float64]) -> float:
        """Return the sample's quantile, between two values where it falls between them."""
        import numpy as np

        return float(np.quantile(values, self.q))

    def p(self, values: NDArray[np.float64], edge: float, floor: float, *, upper: bool) -> float:  # noqa: ARG002
        """Return 1 / M_n at q for the values on the near side of the edge."""
        below = int(((values <= edge) if upper else (values < edge)).sum())
        return min(1.0, math.exp(-log_evidence(values.size, self.q)[below]))

    def fewest(self, alpha: float) -> int:
        """Return the number of seeds below which the interval has no end."""
        return next(n for n in count() if any(tails(n, self.q, alpha)))

    def can_end(self, n: int, alpha: float, band: student.Bounds, bounds: student.Bounds) -> tuple[bool, bool]:
        """An end is needed on each side where there is an edge to keep off, and the contrast can pass it."""
        few, many = tails(n, self.q, alpha)
        low, high = band[0] > bounds[0], band[1] < bounds[1]
        return (few > 0 or not low) and (many > 0 or not high), (low and many > 0) or (high and few > 0)
