"""A limited time, spent where it decides most claims: the cheapest first, and nothing begun that will not end in time."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class Budget:
    """The time that a run may take.

    Attributes:
        deadline: `time.monotonic()` after which no batch begins.
        estimates: id of a claim -> seconds that it still takes, None where nothing is known.
        first: the claim whose first batch may begin even if it will not end in time, so that every run makes some
            progress; None for whichever comes first.
        stopped: whether the user has asked for an end: then nothing begins any more.
    """

    deadline: float = math.inf
    estimates: dict[str, float | None] = field(default_factory=dict)
    first: str | None = None
    stopped: bool = False
    _begun: bool = False

    @property
    def limited(self) -> bool:
        """Whether there is a limit at all: without one nothing needs to be estimated."""
        return self.stopped or self.deadline < math.inf

    @property
    def lack(self) -> str:
        """Why a claim is measured no further."""
        return "the run was stopped" if self.stopped else "the time was up"

    @property
    def open(self) -> bool:
        """Whether anything may still begin, however little it takes."""
        return self._fits(None)

    def arrange(self, seconds: Mapping[str, float | None]) -> list[str]:
        """Take note of what claims still take, and return them in the order in which to run them.

        The cheapest comes first; an unknown claim counts as the median of those of which it is known that they take
        time at all; with nothing known the order stays.
        """
        known = [value for value in seconds.values() if value]
        typical = median(known) if known else None
        estimates = {claim: typical if value is None else value for claim, value in seconds.items()}
        self.estimates = dict(sorted(estimates.items(), key=lambda item: math.inf if item[1] is None else item[1]))
        self.first = next((claim for claim, value in self.estimates.items() if value != 0), None)
        return list(self.estimates)

    def admits(self, claim: str) -> bool:
        """Whether a claim may begin: it takes no time, is expected to end in time, or is the first."""
        seconds = self.estimates.get(claim)
        return (seconds == 0 and not self.stopped) or self._fits(None if claim == self.first else seconds)

    def allows(self, claim: str, seconds: float | None) -> bool:
        """Whether a batch of so many seconds (None: nobody knows) may begin; if it may, it counts as begun."""
        pardoned = not self._begun and self.first in (None, claim)
        may = self._fits(None if pardoned else seconds)
        self._begun = self._begun or may
        return may

    def _fits(self, seconds: float | None) -> bool:
        """Whether there is time for something that takes so long; for what takes no one knows how long, any time."""
        return not self.stopped and time.monotonic() + (seconds or 0.0) < self.deadline
