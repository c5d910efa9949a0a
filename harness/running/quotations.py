"""Printed numbers against the intervals of their expectations."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from harness.judging.verdict import NOT_RUN
from harness.store.records.quotation import QuotationRecord

if TYPE_CHECKING:
    from harness.store.records.claim import ClaimRecord
    from harness.store.records.expectation import ExpectationRecord
    from harness.trials.quotations import QuotedNumber


def held(number: QuotedNumber, claim: ClaimRecord | None) -> QuotationRecord:
    """Return a printed number held against a record of its claim; None is a claim without verdicts."""
    head: dict[str, Any] = asdict(number)
    readings = claim.readings.values() if claim else ()
    found = next((r.expectations[number.expectation] for r in readings if number.expectation in r.expectations), None)
    if found is None or found.verdict == NOT_RUN:
        return QuotationRecord(**head)
    return QuotationRecord(
        **head, found_low=found.low, found_high=found.high, found=found.verdict, holds=_holds(number, found)
    )


def _holds(number: QuotedNumber, found: ExpectationRecord) -> bool:
    low = -math.inf if found.low is None else found.low
    high = math.inf if found.high is None else found.high
    return number.low <= high and low <= number.high and number.relied_on in (None, found.verdict)
