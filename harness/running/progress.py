"""How far a run is: claims done, the one under way, and the time that is left as far as stored trials tell."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.store.records.claim import ClaimRecord, ProblemRecord


class Step(NamedTuple):
    """What is being measured.

    Attributes:
        claim: id of the claim.
        control: name of the control, empty for the claim as it stands.
        seeds: number of seeds after this batch.
        cap: seeds at most.
        done: trials of the batch that are finished.
        trials: trials of the batch, without those that are reused.
    """

    claim: str
    control: str
    seeds: int
    cap: int
    done: int
    trials: int


class Found(NamedTuple):
    """How a claim came out.

    Attributes:
        claim: its id.
        verdicts: the verdict of each reading, and whether it was as expected or waived; none if it could not be run.
        seconds: from its begin to its end.
    """

    claim: str
    verdicts: tuple[tuple[str, bool], ...]
    seconds: float


@dataclass
class Progress:
    """How far a run is.

    Attributes:
        begun: `time.monotonic()` when the run began.
        waiting: claims that are not done, in order.
        found: claims that are done.
        step: what is being measured, None before the first trial.
        notice: what the user should know now; empty for nothing.
        estimates: claim -> seconds that it still took and when that was estimated; None where nobody knows.
    """

    begun: float = field(default_factory=time.monotonic)
    waiting: list[str] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    step: Step | None = None
    notice: str = ""
    estimates: dict[str, tuple[float, float] | None] = field(default_factory=dict)
    _verdicts: dict[str, tuple[tuple[str, bool], ...]] = field(default_factory=dict)
    _begins: dict[str, float] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Number of claims of the run."""
        return len(self.waiting) + len(self.found)

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.begun

    def expect(self, claims: Iterable[str]) -> None:
        """Take note of the claims that the run is about."""
        self.waiting = list(dict.fromkeys(claims))

    def estimate(self, claim: str, seconds: float | None) -> None:
        """Take note of how long a claim still takes from now on, if anybody knows."""
        self.estimates[claim] = None if seconds is None else (seconds, time.monotonic())

    def begin(self, claim: str) -> None:
        """Take note that a claim is under way."""
        self._begins.setdefault(claim, time.monotonic())
        self.step = None

    def judge(self, claim: str, verdicts: Iterable[tuple[str, bool]]) -> None:
        """Take note of the verdicts of a claim's readings, each with whether it was as expected."""
        self._verdicts[claim] = tuple(verdicts)

    def finish(self, claim: str) -> None:
        """Take note that a claim is done; a second time changes nothing."""
        if claim not in self.waiting:
            return
        now = time.monotonic()
        self.waiting.remove(claim)
        self.found.append(Found(claim, self._verdicts.get(claim, ()), now - self._begins.get(claim, now)))
        self.step = None

    def current(self) -> str | None:
        """Return the claim that is under way, None if none is."""
        return next((claim for claim in self._begins if claim in self.waiting), None)

    def left(self) -> tuple[float, int]:
        """Return the seconds that the claims still take of which it is known, and the number of the others."""
        found = [self._left_of(claim) for claim in self.waiting]
        return sum(seconds for seconds in found if seconds is not None), found.count(None)

    def _left_of(self, claim: str) -> float | None:
        estimate = self.estimates.get(claim)
        if estimate is None:
            return None
        seconds, then = estimate
        return max(0.0, seconds - (time.monotonic() - then)) if claim in self._begins else seconds

    def left_words(self) -> str:
        """Return the time that is left, `about 3 min left`; where nobody knows, that."""
        seconds, unknown = self.left()
        if not self.waiting:
            return "nothing left"
        if unknown == len(self.waiting):
            return "nobody knows how long yet"
        known = f"about {duration(seconds)} left" if seconds >= 1 else "almost done"
        return f"{known}, and {unknown} claim{'s' * (unknown > 1)} of which nobody knows" if unknown else known

    def words(self) -> str:
        """Return how far the run is, in a few words."""
        return f"{len(self.found)} of {self.total} claims done, {duration(self.seconds)}; {self.left_words()}"


def duration(seconds: float) -> str:
    """Return a time as one says it: `4 s`, `3 min`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def verdicts_of(record: ClaimRecord | ProblemRecord) -> list[tuple[str, bool]]:
    """Return the verdicts of a claim's record for `Progress.judge`; none where it could not be run."""
    readings = getattr(record, "readings", {})
    return [(r.verdict, r.as_expected or r.waived) for r in readings.values()]
