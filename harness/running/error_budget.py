"""The error budget of a run: what all its verdicts together may get wrong, and which stand after adjusting for it.

Holm's procedure (Holm 1979, "A simple sequentially rejective multiple test procedure") on the
anytime-valid p-values of the expectations. Each expectation has one null hypothesis, that its
verdict is false; one without a verdict has p = 1 and still counts. Of a verdict that came out
as `expected` says beforehand the direction was fixed, and the family-wise rate holds whatever
depends on what; where the data chose the direction it holds for independent expectations
(Shaffer 1980, "Control of directional errors with stagewise multiple test procedures").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.judging import normality, verdict
from harness.store.records.claim import ClaimRecord
from harness.store.records.run import ErrorBudget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.specification.kinds import Verdict
    from harness.store.records.claim import ProblemRecord
    from harness.store.records.expectation import ExpectationRecord, ReadingRecord

    Records = list[ClaimRecord | ProblemRecord]

FAMILY_WISE = 0.05
"""Chance that even one of the adjusted verdicts of a run is false, at most."""


def adjusted(p: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values, in the order given: the family-wise rate at which each would just fall."""
    order = sorted(range(len(p)), key=lambda i: p[i])
    result = [1.0] * len(p)
    largest = 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - rank) * p[i]))
        result[i] = largest
    return result


def adjust(claims: Records) -> tuple[Records, ErrorBudget]:
    """Return the records of a run with adjusted verdicts, and its error budget.

    Every sampled expectation of a reading that was judged belongs to the family, but for those whose seeds are not what
    its error rate takes for granted: of these nothing can be promised, and the budget says how many they are. What is
    exact, or has no verdict, keeps what it has.
    """
    judged = [claim for claim in claims if isinstance(claim, ClaimRecord)]
    readings = [reading for claim in judged for reading in claim.readings.values()]
    sampled = [e for reading in readings for e in reading.expectations.values() if not e.exact]
    family = [e for e in sampled if _holds(e)]
    p = dict(zip(map(id, family), adjusted([1.0 if e.p is None else e.p for e in family]), strict=True))
    result = [_adjusted_claim(claim, p) if isinstance(claim, ClaimRecord) else claim for claim in claims]
    after = [reading for claim in result if isinstance(claim, ClaimRecord) for reading in claim.readings.values()]
    controls = [control for claim in judged for control in claim.controls.values()]
    under_control = [e for c in controls for e in c.expectations.values() if not e.exact and _holds(e)]
    return result, ErrorBudget(
        expectations=len(family),
        expected_false_verdicts=float(sum(e.alpha for e in family)),
        expected_false_controls=float(sum(e.alpha for e in under_control)),
        family_wise_rate=FAMILY_WISE,
        without_bound=len(sampled) - len(family),
        by_resolution=sum(e.shape == normality.CONSTANT for e in family),
        lost_after_holm=sum(reading.adjusted_verdict != reading.verdict for reading in after),
    )


def _holds(expectation: ExpectationRecord) -> bool:
    """Whether the error rate that stands beside an expectation holds, as far as its seeds show."""
    return expectation.shape not in normality.BREAKING


def _adjusted_claim(claim: ClaimRecord, p: Mapping[int, float]) -> ClaimRecord:
    """Return a claim with the adjusted p-values of its expectations: id() of an expectation -> p, of the family alone."""
    readings = {name: _adjusted_reading(reading, p) for name, reading in claim.readings.items()}
    return claim.model_copy(update={"readings": readings})


def _adjusted_reading(reading: ReadingRecord, p: Mapping[int, float]) -> ReadingRecord:
    members = {
        name: _adjusted_expectation(e, p[id(e)]) if id(e) in p else e for name, e in reading.expectations.items()
    }
    word = reading.verdict
    # INVALID and NOT_RUN stay as they are.
    if word not in (verdict.INVALID, verdict.NOT_RUN):
        word = verdict.combine(e.adjusted_verdict or e.verdict for e in members.values())
    return reading.model_copy(update={"expectations": members, "adjusted_verdict": word})


def _adjusted_expectation(expectation: ExpectationRecord, p: float) -> ExpectationRecord:
    decided = expectation.verdict in (verdict.VERIFIED, verdict.REFUTED)
    word: Verdict = expectation.verdict if p <= FAMILY_WISE or not decided else verdict.INCONCLUSIVE
    return expectation.model_copy(update={"adjusted_p": p if decided else None, "adjusted_verdict": word})
