"""What to expect of a claim under a profile."""

from __future__ import annotations

from harness.store.records.claim import ForecastRecord
from harness.store.records.parts import Count, Number, Part, Whole


class ExpectationOutlook(ForecastRecord):
    """Whether a run would decide an expectation, and what it could decide."""

    smallest_effect: Number
    """distance to the edge of the band that is decided within the cap with probability 0.9"""
    factor: bool
    """whether that is a factor, as of a ratio"""
    fewest: Count | None
    """the fewest seeds that could decide it at all; null for mathematics"""


class OutlookRecord(Part):
    """What a run of a claim will cost, and whether it will decide; what is not known is null."""

    id: str
    profile: str
    cap: Count
    trials: Count
    """stored trials that it rests on"""
    least_powered: str
    """the expectation that is least likely to be decided"""
    seconds: Number
    """computing time of a run that reuses nothing"""
    peak_bytes: Whole | None
    expectations: dict[str, ExpectationOutlook]
