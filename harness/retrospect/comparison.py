"""What a comparison of two runs says."""

from __future__ import annotations

from typing import Final, Literal

from harness.specification.kinds import Verdict
from harness.store.records.parts import Count, Interval, Number, Part, Whole

SCHEMA_VERSION: Final = 1
"""Version of the comparison; it changes when a field is renamed, removed or changes its meaning."""

REGRESSION: Final = "regression"
IMPROVEMENT: Final = "as expected again"
OTHER: Final = "changed"
ONLY_A: Final = "only in A"
ONLY_B: Final = "only in B"

PAIRED: Final = "paired"
INDEPENDENT: Final = "independent"

SAME: Final = "same to the last digit"
DIFFERENT: Final = "different"
NO_DIFFERENCE_DETECTED: Final = "not told apart"
NOT_COMPARED: Final = "not compared"


Change = Literal["regression", "as expected again", "changed", "only in A", "only in B"]
"""How a reading changed."""


class RunHead(Part):
    """One of two runs."""

    id: str
    started: str
    commit: str | None
    uncommitted_changes: bool | None
    profiles: list[str]
    base_seeds: list[Whole]
    devices: list[str]
    processors: list[str]
    """and GPUs on which trials ran"""
    claims: Count


class Outcome(Part):
    """The verdict of a reading in one run, and why; without one, why there is none."""

    verdict: Verdict | None = None
    expected: Verdict | None = None
    as_expected: bool = False
    waived: bool = False
    reason: str


class ReadingChange(Part):
    """A reading in both runs."""

    claim: str
    reading: str
    change: Change | None
    """null: none"""
    a: Outcome
    b: Outcome
    bands: list[str]
    """expectations whose bands were moved, or that only one run has, in words"""


class Estimate(Interval):
    """An expectation in one run."""

    verdict: Verdict
    estimate: Number


class Difference(Interval):
    """Whether the values of an expectation differ, with the interval of B minus A (B divided by A for a ratio)."""

    outcome: Literal["same to the last digit", "different", "not told apart", "not compared"]
    reason: str
    """why nothing was compared"""
    n: Count = 0
    low: Number = None
    high: Number = None
    scale: Literal["factor", "difference"] | None = None
    alpha: Number = None
    """error rate of the interval"""
    estimate: Number = None


class EstimateChange(Difference):
    """An expectation in both runs."""

    expectation: str
    unit: str
    a: Estimate | None
    """null: only in B"""
    b: Estimate | None


class ClaimChange(Part):
    """A claim that both runs have."""

    claim: str
    changed: list[str]
    """what besides the values is not the same in both, in words"""
    method: Literal["paired", "independent"]
    """paired: seed k of both drew the same data"""
    estimates: list[EstimateChange]


class Comparison(Part):
    """What changed from run A to run B."""

    schema_version: Literal[1] = SCHEMA_VERSION
    a: RunHead
    b: RunHead
    verdicts: list[ReadingChange]
    regressions: list[ReadingChange]
    claims: list[ClaimChange]
    expected_false_alarms: float
