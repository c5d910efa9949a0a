"""Per-seed values to estimates: an interval that holds however often one looks.

The interval is the Student-t confidence sequence of a Gaussian mixture over the
standardised effect (Lai 1976, "On confidence sequences"; Wang & Ramdas,
"Anytime-valid t-tests and confidence sequences for Gaussian means with unknown
variance", 2025). At every sample size n it contains the mean, and the chance that
it ever fails to is at most alpha.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

PRIOR_SCALE = 10.0
"""g: variance of the mixture over the standardised effect. Effects of several
standard deviations are the rule here, and 10 is tightest at 6 to 15 seeds."""

Bounds = tuple[float, float]
ROUNDING = 1e-14
"""What differs by less than this part of itself is the same but for float64's rounding: no spread over seeds."""

UNBOUNDED: Bounds = (-math.inf, math.inf)


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval after n seeds.

    Attributes:
        n: number of seeds.
        estimate: mean of the per-seed values (or what else is asked of them); nan without values.
        sd: standard deviation of the per-seed values (ddof 1); nan below two.
        low: lower end; -inf where nothing can be said yet.
        high: upper end.
    """

    n: int
    estimate: float
    sd: float
    low: float
    high: float


def half_width(n: int, alpha: float, prior_scale: float = PRIOR_SCALE) -> float:
    """Return the half-width of the interval after `n` values, in standard deviations.

    With nu = n - 1 and K = (sqrt(1 + n g) / alpha)^(2/n) it is sqrt(t2 / n), where
    t2 = nu (K - 1) / (1 - K / (1 + n g)); infinite while K >= 1 + n g, and so below two values.
    """
    if n == 0:
        return math.inf
    # One value is no case of its own: K >= 1 + g whatever alpha. On the log scale no alpha overflows, and nothing cancels.
    log_shrink = math.log1p(n * prior_scale)
    log_k = (0.5 * log_shrink - math.log(alpha)) * 2.0 / n
    if log_k >= log_shrink:
        return math.inf
    return math.sqrt((n - 1) * math.expm1(log_k) / -math.expm1(log_k - log_shrink) / n)


def smallest_alpha(n: int, distance: float, prior_scale: float = PRIOR_SCALE) -> float:
    """Return the error rate at which the interval after `n` values would just reach `distance` standard deviations.

    The inverse of `half_width`, and so an anytime-valid p-value for a mean that far from the estimate: with
    t2 = n distance^2 and K = (nu + t2) / (nu + t2 / (1 + n g)) it is sqrt(1 + n g) K^(-n/2), at most 1.
    """
    if n < 2:
        return 1.0
    log_shrink = math.log1p(n * prior_scale)
    ratio = distance * distance * n / (n - 1)
    # At a distance beyond all floats only the limit of K is left.
    log_k = math.log1p(ratio) - math.log1p(ratio * math.exp(-log_shrink)) if math.isfinite(ratio) else log_shrink
    return min(1.0, math.exp(0.5 * (log_shrink - n * log_k)))


def smallest_n(alpha: float, prior_scale: float = PRIOR_SCALE) -> int:
    """Return the smallest number of seeds with a bounded interval (5 at alpha 0.001)."""
    return next(n for n in count() if math.isfinite(half_width(n, alpha, prior_scale)))


def interval(
    values: ArrayLike,
    alpha: float,
    *,
    sd_floor: float = 0.0,
    bounds: Bounds = UNBOUNDED,
) -> Interval:
    """Return the confidence sequence's interval for the mean of `values`.

    Args:
        values: one finite number per seed, shape (n,).
        alpha: chance that the interval ever fails to hold the mean.
        sd_floor: the standard deviation is never taken below this; see `resolution_floor`.
        bounds: values that the mean can have; the interval is clipped to them.

    Raises:
        ValueError: a value is not finite, or `values` is not one-dimensional.
    """
    array = numbers(values)
    n = array.size
    estimate, sd = moments(array)
    reach = half_width(n, alpha) * max(sd, sd_floor)
    if not math.isfinite(reach):
        return Interval(n, estimate, sd, *bounds)
    low, high = max(estimate - reach, bounds[0]), min(estimate + reach, bounds[1])
    # An estimate that rounding puts beyond a bound must not turn the interval inside out.
    return Interval(n, estimate, sd, min(low, bounds[1]), max(high, bounds[0]))


def numbers(values: ArrayLike) -> NDArray[np.float64]:
    """Return values as an array of shape (n,).

    Raises:
        ValueError: a value is not finite, or `values` is not one-dimensional.
    """
    # Late, here and below: what only checks specifications has no use for NumPy, which takes longer to import than all else.
    import numpy as np

    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise ValueError(f"an interval needs finite numbers, one per seed, not {array!r}")
    return array


def moments(array: NDArray[np.float64]) -> tuple[float, float]:
    """Return mean and standard deviation; exactly zero spread for equal values, inf where a float overflows."""
    import numpy as np

    if not array.size:
        return math.nan, math.nan
    # Centring on a value keeps the mean of equal values exact: six times 0.1 has no spread of 1e-17.
    with np.errstate(over="ignore", invalid="ignore"):
        rest = array - array[0]
        sd = float(rest.std(ddof=1)) if array.size > 1 else math.nan
        return float(array[0] + rest.mean()), math.inf if array.size > 1 and math.isnan(sd) else sd


def resolution_floor(resolution: float, weights: Iterable[float] = (1.0,)) -> float:
    """Return the standard deviation of the rounding error of sum(weights * metrics).

    A metric that moves in steps of `resolution` carries a rounding error that is
    uniform over one step, with standard deviation resolution / sqrt(12).
    """
    return resolution / math.sqrt(12.0) * math.hypot(*weights)


def slope_weights(x: Iterable[float]) -> list[float]:
    """Return weights w, one for each x, with sum(w * y) = least-squares slope of y over x.

    Raises:
        ValueError: fewer than two different x.
    """
    values = [float(value) for value in x]
    low, spread = min(values), max(values) - min(values)
    # Weights are of the size of 1 / spread, which has to be a number too.
    if not all(map(math.isfinite, values)) or not sys.float_info.min <= spread < math.inf:
        raise ValueError(f"a slope needs two different values of the condition, not {values}")
    # From 0 to 1, so that neither far away nor huge values lose digits.
    places = [(value - low) / spread for value in values]
    mean = math.fsum(places) / len(places)
    squares = math.fsum((place - mean) ** 2 for place in places)
    return [(place - mean) / squares / spread for place in places]


def kendall_tau(x: ArrayLike, y: ArrayLike) -> float:
    """Return Kendall's tau-a between x and y, both of shape (k,); ties in y count 0 (Kendall 1938)."""
    import numpy as np

    first = np.asarray(x, dtype=np.float64)
    second = np.asarray(y, dtype=np.float64)
    i, j = np.triu_indices(first.size, k=1)
    if not i.size:
        raise ValueError("a rank trend needs at least two points")
    return float(np.mean(np.sign(first[j] - first[i]) * np.sign(second[j] - second[i])))
