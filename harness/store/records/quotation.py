"""A number that a text of the project prints, and whether the last verdict bears it out."""

from __future__ import annotations

from harness.specification.kinds import Verdict
from harness.store.records.parts import Count, Number, Part


class QuotationRecord(Part):
    """A printed number, beside the interval of the expectation that stands for it."""

    file: str
    """the text, relative to the project"""
    line: Count
    printed: str
    """the number with its unit"""
    low: float
    """the least that the number stands for, in the metric's unit"""
    high: float
    """the most"""
    claim: str
    expectation: str
    found_low: Number = None
    """lower end of the last interval; null: none, or no verdict yet"""
    found_high: Number = None
    found: Verdict = "NOT_RUN"
    """the last verdict"""
    relied_on: Verdict | None
    """the verdict that the text relies on; null: none"""
    holds: bool | None = None
    """whether the interval and the number have a value in common, and the verdict is the one relied on; null: no verdict yet"""
