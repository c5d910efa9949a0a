"""What seeds are asked, and how they answer at every look: the ways to an interval, with one face.

Each way promises the same: the chance that its interval ever leaves out the truth, at whatever look, is at most alpha.
They differ in what they are about (a mean, a rate, a quantile) and in what they take for granted.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from harness.judging import student

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floor = float | NDArray[np.float64]
    """What the standard deviation is never taken below: one for all runs, or one for each."""
    Ends = tuple[NDArray[np.float64], NDArray[np.float64]]


class ConfidenceSequence(ABC):
    """A way from the values of some seeds to an interval."""

    normal: ClassVar[bool] = False
    """Whether the promise takes roughly normal seeds for granted."""
    spread: ClassVar[bool] = True
    """Whether values that are all alike, without a resolution, give nothing to judge by."""

    @abstractmethod
    def ends(
        self, values: NDArray[np.float64], alpha: float, floor: Floor = 0.0, bounds: student.Bounds = student.UNBOUNDED
    ) -> Ends:
        """Return the lower and upper ends of many runs, shape (runs,) each, from `values` of shape (runs, n)."""

    @abstractmethod
    def estimate(self, values: NDArray[np.float64]) -> float:
        """Return what the interval is about, as `values` of shape (n,) have it."""

    @abstractmethod
    def p(self, values: NDArray[np.float64], edge: float, floor: float, *, upper: bool) -> float:
        """Return the smallest error rate at which the interval of `values` would still keep off an edge.

        `upper` says whether it is the upper edge of a band: a value on the edge lies within.
        """

    @abstractmethod
    def fewest(self, alpha: float) -> int:
        """Return the number of seeds below which the interval says nothing."""

    @abstractmethod
    def can_end(self, n: int, alpha: float, band: student.Bounds, bounds: student.Bounds) -> tuple[bool, bool]:
        """Return whether after n seeds the interval can lie inside a band at all, and whether it can lie outside.

        `bounds` are those of the contrast; what its resolution forbids is `feasibility`'s to say.
        """

    def interval(
        self, values: ArrayLike, alpha: float, floor: float = 0.0, bounds: student.Bounds = student.UNBOUNDED
    ) -> student.Interval:
        """Return the interval of one run; see `student.interval`."""
        array = student.numbers(values)
        (low,), (high,) = self.ends(array[None], alpha, floor, bounds)
        _, sd = student.moments(array)
        return student.Interval(array.size, self.estimate(array), sd, float(low), float(high))

    def constant(self, found: student.Interval) -> bool:
        """Whether all seeds gave the same value, but for rounding."""
        return found.sd <= student.ROUNDING * abs(found.estimate)


@dataclass(frozen=True)
class Student(ConfidenceSequence):
    """The mean of roughly normal seeds: `student.interval`.

    Attributes:
        prior_scale: g, the variance of the mixture over the standardised effect.
    """

    prior_scale: float = student.PRIOR_SCALE
    normal: ClassVar[bool] = True

    def ends(
        self, values: NDArray[np.float64], alpha: float, floor: Floor = 0.0, bounds: student.Bounds = student.UNBOUNDED
    ) -> Ends:
        """Return mean +- half-width times standard deviation, clipped to the bounds."""
        import numpy as np

        half = student.half_width(values.shape[1], alpha, self.prior_scale)
        if not math.isfinite(half):
            return np.full(len(values), bounds[0]), np.full(len(values), bounds[1])
        centre = values.mean(axis=1)
        reach = half * np.maximum(values.std(axis=1, ddof=1), floor)
        return np.clip(centre - reach, *bounds), np.clip(centre + reach, *bounds)

    def estimate(self, values: NDArray[np.float64]) -> float:
        """Return the mean."""
        return student.moments(values)[0]

    def p(self, values: NDArray[np.float64], edge: float, floor: float, *, upper: bool) -> float:  # noqa: ARG002
        """Return the inverse of the interval's half-width."""
        mean, sd = student.moments(values)
        return student.smallest_alpha(values.size, (mean - edge) / max(sd, floor), self.prior_scale)

    def fewest(self, alpha: float) -> int:
        """Return the smallest number of seeds with a bounded interval."""
        return student.smallest_n(alpha, self.prior_scale)

    def can_end(self, n: int, alpha: float, band: student.Bounds, bounds: student.Bounds) -> tuple[bool, bool]:  # noqa: ARG002
        """A bounded interval may be as narrow as the seeds are alike."""
        return (n >= self.fewest(alpha),) * 2

    def interval(
        self, values: ArrayLike, alpha: float, floor: float = 0.0, bounds: student.Bounds = student.UNBOUNDED
    ) -> student.Interval:
        """Return it to the last digit, and without overflow."""
        return student.interval(values, alpha, sd_floor=floor, bounds=bounds)


STUDENT = Student()
"""The mean of roughly normal seeds: what a contrast is asked for unless it says otherwise."""
