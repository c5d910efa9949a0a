"""The mean of values between two bounds, whatever their distribution: rates, and differences of rates.

Scaled to u between 0 and 1, a value is a fair bet against a mean m: u theta / m + (1 - u) (1 - theta) / (1 - m) is 1 on
average if the mean is m, and never negative. The product over seeds, mixed over theta by the beta law of `binomial`, is

    M_n(m) = sum_k P_n(k) B(c + k, c + n - k) / B(c, c) / (m^k (1 - m)^(n - k)),

where P_n(k) is the chance of k successes if seed i succeeds with chance u_i: a martingale, so that Ville's inequality
gives a confidence sequence (Orabona & Jun 2024, "Tight concentrations and confidence sequences from the regret of
universal portfolio"; Waudby-Smith & Ramdas 2024, "Estimating means of bounded random variables by betting"). For zeros
and ones it is Robbins' beta-binomial mixture; of a paired difference of two rates, at zero, an exact sign test.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import TYPE_CHECKING, ClassVar

from harness.judging import student
from harness.judging.binomial import log_mixture
from harness.judging.confidence_sequence import ConfidenceSequence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from harness.judging.confidence_sequence import Ends, Floor

HALVINGS = 64
"""Steps of the search for an end: no float lies between the last two."""


@dataclass(frozen=True)
class Bounded(ConfidenceSequence):
    """The mean of values that lie between two bounds.

    Attributes:
        low: smallest value that a seed can have.
        high: largest.
        binary: whether the values are zeros and ones alone: the mean is a rate.
    """

    low: float
    high: float
    binary: bool = False
    spread: ClassVar[bool] = False

    def ends(
        self,
        values: NDArray[np.float64],
        alpha: float,
        floor: Floor = 0.0,  # noqa: ARG002 - no spread is estimated
        bounds: student.Bounds = student.UNBOUNDED,  # noqa: ARG002 - its own are as narrow
    ) -> Ends:
        """Return the ends of the means m with M_n(m) < 1 / alpha."""
        import numpy as np

        rows = np.sort(self._scaled(values))
        # In any order seeds say the same, so that many runs have few answers; of a rate one per number of successes.
        told = rows.sum(axis=1, keepdims=True) if self.binary else rows
        _, first, which = np.unique(told, axis=0, return_index=True, return_inverse=True)
        # A run is judged at every look again, whenever it has new seeds.
        ends = _ends(rows[first], alpha) if len(first) > 1 else _ends_of(rows[0].tobytes(), alpha)
        low, high = (self.low + (self.high - self.low) * end for end in ends)
        return low[which.ravel()], high[which.ravel()]

    def estimate(self, values: NDArray[np.float64]) -> float:
        """Return the mean."""
        return student.moments(values)[0]

    def p(self, values: NDArray[np.float64], edge: float, floor: float, *, upper: bool) -> float:  # noqa: ARG002
        """Return 1 / M_n at the edge."""
        import numpy as np

        rows = self._scaled(values)[None]
        (evidence,) = _log_evidence(*_terms(rows), values.size, self._scaled(np.array([edge])))
        return min(1.0, math.exp(-evidence))

    def fewest(self, alpha: float) -> int:  # noqa: ARG002 - of any rate
        """Return 1: a first success excludes rates near 0 already."""
        return 1

    def can_end(self, n: int, alpha: float, band: student.Bounds, bounds: student.Bounds) -> tuple[bool, bool]:  # noqa: ARG002
        """Ask the clearest seeds there are: all at a bound, or in the middle of a band of two edges."""
        import numpy as np

        low, high = band
        clear = self.low if low <= self.low else self.high if high >= self.high else (low + high) / 2
        rows = np.array([self._alike(clear, n), [self.low] * n, [self.high] * n])
        lows, highs = self.ends(rows, alpha)
        return bool(low <= lows[0] and highs[0] <= high), bool(highs[1] < low or lows[2] > high)

    def _alike(self, value: float, n: int) -> list[float]:
        """Return n values with a mean of `value`, all alike where there can be such."""
        if not self.binary:
            return [value] * n
        ones = round(n * value)
        return [1.0] * ones + [0.0] * (n - ones)

    def _scaled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values as places between the bounds, which rounding may not pass."""
        import numpy as np

        return np.clip((values - self.low) / (self.high - self.low), 0.0, 1.0)


@lru_cache(maxsize=4096)
def _ends_of(row: bytes, alpha: float) -> Ends:
    import numpy as np

    return _ends(np.frombuffer(row)[None], alpha)


def _ends(rows: NDArray[np.float64], alpha: float) -> Ends:
    """Return the ends of the means that are not excluded, of values between 0 and 1."""
    low, high = (_end(rows, *_terms(rows), wall, alpha) for wall in (0.0, 1.0))
    return low, high


def _terms(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the numbers k of successes that are possible, and log P_n(k) + log B(c + k, c + n - k) / B(c, c) of each.

    Both have a row for each run; of zeros and ones there is one number only.
    """
    import numpy as np

    n = rows.shape[1]
    if ((rows == 0) | (rows == 1)).all():
        certain = rows.sum(axis=1, dtype=np.int64)[:, None]
        return log_mixture(n)[certain], certain
    chances = np.array([_log_chances(row) for row in rows])
    return chances + log_mixture(n), np.broadcast_to(np.arange(n + 1), chances.shape)


def _log_chances(row: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithm of the chance of k = 0, ..., n successes if seed i succeeds with chance `row[i]`.

    Equal chances make a binomial law, and what is certain only moves it; several laws are joined number by number.
    """
    import numpy as np

    values, sizes = np.unique(row[(row > 0) & (row < 1)], return_counts=True)
    laws = map(_log_binomial, sizes.tolist(), values.tolist())
    law = reduce(_joined, laws, np.zeros(1))
    chances = np.full(row.size + 1, -np.inf)
    certain = int((row == 1).sum())
    chances[certain : certain + law.size] = law
    return chances


def _joined(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the law of the sum of two independent counts, all three as logarithms of chances."""
    import numpy as np

    short, long = sorted((a, b), key=len)
    law = np.full(a.size + b.size - 1, -np.inf)
    for count, log in enumerate(short.tolist()):
        part = law[count : count + long.size]
        np.logaddexp(part, long + log, out=part)
    return law


def _log_binomial(n: int, p: float) -> NDArray[np.float64]:
    """Return the logarithm of the binomial law's chances, shape (n + 1,)."""
    import numpy as np

    k = np.arange(n + 1)
    factorials = np.cumsum(np.log(np.maximum(k, 1)))
    chances: NDArray[np.float64] = (
        factorials[-1] - factorials - factorials[::-1] + k * math.log(p) + k[::-1] * math.log1p(-p)
    )
    return chances


def _log_evidence(
    logs: NDArray[np.float64], successes: NDArray[np.int64], n: int, m: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return log M_n(m) of each run, shape (runs,), at a mean of its own, 0 < m < 1."""
    import numpy as np

    terms = logs - successes * np.log(m)[:, None] - (n - successes) * np.log1p(-m)[:, None]
    result: NDArray[np.float64] = np.logaddexp.reduce(terms, axis=1)
    return result


def _end(
    rows: NDArray[np.float64], logs: NDArray[np.float64], successes: NDArray[np.int64], wall: float, alpha: float
) -> NDArray[np.float64]:
    """Return how far towards a wall, 0 or 1, means are that are not excluded, shape (runs,).

    M_n is log-convex in m and at most 1 at the mean of the values, so there is one crossing to either side; of its two
    neighbours among the floats the one farther out is the end.
    """
    import numpy as np

    inner: NDArray[np.float64] = rows.mean(axis=1)
    outer = np.full_like(inner, wall)
    for _ in range(HALVINGS):
        middle = (inner + outer) / 2
        # Where the values themselves stand at the wall both places are the wall already, and there is nothing to compute.
        evidence = _log_evidence(logs, successes, rows.shape[1], np.where(middle == wall, 0.5, middle))
        excluded = evidence >= -math.log(alpha)
        inner, outer = np.where(excluded, inner, middle), np.where(excluded, middle, outer)
    return outer
