"""What stands in a cell of a table, and whether another run of the same simulation agrees with it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.stats import binom, hypergeom

RARE = 1e-4
"""Counts and means that have no greater chance than this are no Monte-Carlo error."""


class Cell(Protocol):
    """A cell; its text is what the document shows."""

    def agrees(self, text: str, runs: int) -> bool:
        """Return whether `text`, from `runs` other runs, differs by no more than Monte-Carlo error."""


@dataclass(frozen=True)
class Share:
    """A share of runs.

    Attributes:
        count: runs that it counts.
        runs: all runs.
        rate: the error rate that it is held against; None where it is no error.
        promised: whether that rate is promised here.
    """

    count: int
    runs: int
    rate: float | None = None
    promised: bool = False

    def __str__(self) -> str:
        percent = 100 * self.count / self.runs
        if self.rate is None:
            return f"{percent:.1f} %"
        return f"**{percent:.3f} %**" if self.exceeds else f"{percent:.3f} %"

    @property
    def exceeds(self) -> bool:
        """Whether so many runs would be a rare chance at the rate: more than Monte-Carlo error."""
        return self.rate is not None and bool(binom.sf(self.count - 1, self.runs, self.rate) < RARE)

    def agrees(self, text: str, runs: int) -> bool:
        """Of so many runs counted in all, how many fall to one of two simulations is hypergeometric (Fisher's exact test)."""
        share = float(text.strip("*% ")) / 100
        rounding = 0.0005 if self.rate is None else 0.000005
        return any(
            self._chance_beside(round(other * runs), runs) >= RARE
            for other in np.clip([share - rounding, share, share + rounding], 0, 1)
        )

    def _chance_beside(self, count: int, runs: int) -> float:
        """Return the two-sided p-value of this count beside another."""
        law = hypergeom(self.runs + runs, self.count + count, self.runs)
        return 2 * float(min(law.cdf(self.count), law.sf(self.count - 1)))


@dataclass(frozen=True)
class Average:
    """A mean over runs, with the standard deviation of one run."""

    mean: float
    sd: float
    runs: int

    def __str__(self) -> str:
        return f"{self.mean:.1f}"

    @classmethod
    def of(cls, values: np.ndarray) -> Average:
        """Return the average of an array."""
        return cls(float(values.mean()), float(values.std(ddof=1)), values.size)

    def agrees(self, text: str, runs: int) -> bool:
        """Four standard errors of the difference, and half of the last digit."""
        return abs(self.mean - float(text)) <= 0.05 + 4 * self.sd * math.sqrt(1 / self.runs + 1 / runs)


@dataclass(frozen=True)
class Figure:
    """What no chance enters: the same in every run."""

    text: str

    def __str__(self) -> str:
        return self.text

    def agrees(self, text: str, runs: int) -> bool:
        """Equal texts."""
        return self.text == text
