"""The rows that all reports share: readings sorted so that what needs attention comes first."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from harness.judging.normality import BREAKING
from harness.report.wording import in_words
from harness.running import waiver

if TYPE_CHECKING:
    from harness.specification.document import DocumentHead
    from harness.store.records.claim import ClaimRecord, ForecastRecord
    from harness.store.records.coverage import DocumentCoverage
    from harness.store.records.expectation import ExpectationRecord, ReadingRecord
    from harness.store.records.run import Run

ORDER = ("VERIFIED", "REFUTED", "INVALID", "INCONCLUSIVE", "NOT_RUN")


class Row(NamedTuple):
    """One reading of one claim."""

    claim: ClaimRecord
    name: str
    reading: ReadingRecord


def rows(run: Run) -> list[Row]:
    """Return every reading of the run: those that came out otherwise than expected first."""
    found = [Row(claim, name, reading) for claim in run.judged for name, reading in claim.readings.items()]
    return sorted(found, key=lambda row: (row.reading.as_expected, row.claim.source.document, row.claim.id))


def left(run: Run) -> list[ClaimRecord]:
    """Return the records of claims that were left, or left off, for lack of time."""
    return [claim for claim in run.judged if claim.left]


def underpowered(run: Run) -> list[tuple[Row, str, ForecastRecord]]:
    """Return the expectations that a further run may well leave undecided: row, name and forecast.

    Not those of a reading that is expected to stay so.
    """
    return [
        (row, name, forecast)
        for row in rows(run)
        for name in row.reading.expectations
        if (forecast := row.claim.forecast.get(name)) and forecast.underpowered
        if forecast.probability is not None
        if row.reading.expected != "INCONCLUSIVE"
    ]


def without_bound(run: Run) -> list[tuple[Row, str, ExpectationRecord]]:
    """Return the expectations whose error rate does not hold, as far as their seeds show: row, name and expectation."""
    return [(row, name, e) for row in rows(run) for name, e in row.reading.expectations.items() if e.shape in BREAKING]


def as_expected(run: Run) -> tuple[int, int]:
    """Return how many readings came out as expected, and how many there are."""
    readings = [row.reading for row in rows(run)]
    return sum(reading.as_expected for reading in readings), len(readings)


def waivers(run: Run) -> str:
    """Return how many readings are waived and how many waivers have expired, `, 1 waived`; nothing if none."""
    waived = sum(row.reading.waived for row in rows(run))
    expired = sum(waiver.expired(claim) for claim in run.judged)
    counts = {"waived": waived, f"waiver{'s' * (expired > 1)} expired": expired}
    return "".join(f", {count} {what}" for what, count in counts.items() if count)


def verdict_counts(run: Run) -> dict[str, int]:
    """Return the number of readings per verdict, in a fixed order, zeros left out."""
    counts = Counter[str](row.reading.verdict for row in rows(run))
    return {verdict: counts[verdict] for verdict in ORDER if counts[verdict]}


def reused(run: Run) -> tuple[int, int]:
    """Return how many trials were reused, and how many there are."""
    trials = [claim.trials for claim in run.judged]
    return sum(t.reused for t in trials), sum(t.total for t in trials)


def lost_after_holm(run: Run) -> list[Row]:
    """Return the readings whose verdict does not stand after Holm's adjustment over the run."""
    return [row for row in rows(run) if row.reading.adjusted_verdict != row.reading.verdict]


def documents(run: Run) -> dict[str, tuple[DocumentHead, DocumentCoverage | None]]:
    """Return the documents that have claims or statements, by their ids, each with what is said of its statements."""
    own = {claim.document.id: (claim.document, None) for claim in run.judged}
    return dict(sorted({**own, **{one.document.id: (one.document, one) for one in run.documents}}.items()))


def anchor(name: str) -> str:
    """Return the name that links within a report use for a claim or document."""
    return re.sub(r"[^a-z0-9]", "-", name.lower())


def good(claim: ClaimRecord) -> bool:
    """Whether every reading of a claim came out as expected."""
    return all(reading.as_expected for reading in claim.readings.values())


def found(claim: ClaimRecord) -> tuple[str, str]:
    """Return what a claim's verdicts say of its sentence (`holds`, `does not hold as written`, ...), and of its other readings."""
    (_, first), *others = claim.readings.items()
    means = {
        verdict: "; ".join(r.means or in_words(name) for name, r in others if r.verdict == verdict)
        for verdict in ("VERIFIED", "REFUTED")
    }
    if first.verdict == "VERIFIED":
        return "holds", f"; but not: {means['REFUTED']}" if means["REFUTED"] else ""
    if first.verdict == "REFUTED":
        return "does not hold as written", f"; what holds: {means['VERIFIED']}" if means["VERIFIED"] else ""
    return ("cannot be judged" if first.verdict == "INVALID" else "not decided"), ""
