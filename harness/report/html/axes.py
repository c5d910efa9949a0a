"""Axes of the report's pictures: from values to places, and where the ticks are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MARGIN = 0.06
"""Part of an axis that is left free at either end."""

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
"""Distances of ticks, but for powers of ten."""


@dataclass(frozen=True)
class Scale:
    """An axis from `low` to `high`, drawn from place `start` to place `end`; logarithmic if `log`."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the place of a value, to a tenth; beyond the axis that of its end."""
        share = (_on(value, log=self.log) - _on(self.low, log=self.log)) / (
            _on(self.high, log=self.log) - _on(self.low, log=self.log)
        )
        place = self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)
        return round(place, 1)

    def holds(self, value: float) -> bool:
        """Whether a value lies on the axis."""
        return self.low <= value <= self.high

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Return about `most` ticks at round values, each its place and its words."""
        values = self._round_values(most)
        return [(self(value), words(value)) for value in values]

    def _round_values(self, most: int) -> list[float]:
        if self.log:
            found = _powers(self.low, self.high, most)
            if len(found) >= 2:
                return found
        # A short piece of a logarithmic axis has no two powers of ten: there steps serve.
        return _steps(self.low, self.high, most)


def scale_over(values: Iterable[float], start: float, end: float, *, log: bool = False) -> Scale:
    """Return an axis that holds all the values, with a margin; linear where one of them has no logarithm."""
    found = [value for value in values if math.isfinite(value)]
    log = log and bool(found) and min(found) > 0
    places = [_on(value, log=log) for value in found] or [0.0, 1.0]
    low, high = min(places), max(places)
    free = MARGIN * (high - low) or 0.05 * abs(high) or 0.05
    low, high = low - free, high + free
    return Scale(math.exp(low), math.exp(high), start, end, log) if log else Scale(low, high, start, end)


def words(value: float) -> str:
    """Return the words of a tick: `0.05`, `1,000`, `1e-6`."""
    if value and not 1e-4 <= abs(value) < 1e6:
        mantissa, exponent = f"{value:.3g}".split("e") if "e" in f"{value:.3g}" else (f"{value:.3g}", "0")
        return f"{mantissa}e{int(exponent)}" if exponent != "0" else mantissa
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _on(value: float, *, log: bool) -> float:
    return math.log(max(value, 1e-300)) if log else value


def _steps(low: float, high: float, most: int) -> list[float]:
    """Return round values at equal distances."""
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(step * power for step in STEPS if step * power >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    count = math.floor(high / step + 1e-9) - first + 1
    # Multiples, not sums: 3 * 0.1 is shown as 0.3.
    return [(first + number) * step for number in range(count)]


def _powers(low: float, high: float, most: int) -> list[float]:
    """Return powers of ten, thinned; where there are few of them, with their doubles and fives."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if last - first + 1 >= 3:
        every = -(-(last - first + 1) // most)
        return [10.0**power for power in range(first, last + 1, every)]
    found = [
        m * 10.0**power for power in range(first - 1, last + 1) for m in (1, 2, 5) if low <= m * 10.0**power <= high
    ]
    return found if len(found) <= most else [value for value in found if math.log10(value) % 1 < 1e-9]
