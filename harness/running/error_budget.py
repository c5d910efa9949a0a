"""The error budget of a run: what all its verdicts together may get wrong, and which stand after adjusting for it.

Holm's procedure (Holm 1979, "A simple sequentially rejective multiple test procedure") on the
anytime-valid p-values of the expectations. Each expectation has one null hypothesis, that its
verdict is false; one without a verdict has p = 1 and still counts. Of a verdict that came out
as `expected` says beforehand the direction was fixed, and the family-wise rate holds whatever
depends on what; where the data chose the direction it holds for independent expectations
(Shaffer 1980, "Control of directional errors with stagewise multiple test procedures").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.judging import normality, verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.running.record import Record

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


def add_budget(claims: list[Record]) -> dict[str, Any]:
    """Add adjusted verdicts to the records of a run; return its error budget.

    Every sampled expectation of a reading that was judged belongs to the family, but for those whose seeds are not what
    its error rate takes for granted: of these nothing can be promised, and the budget says how many they are. What is
    exact, or has no verdict, keeps what it has.
    """
    readings = [reading for claim in claims for reading in claim.get("readings", {}).values()]
    sampled = [e for reading in readings for e in reading["expectations"].values() if not e["exact"]]
    family = [e for e in sampled if _holds(e)]
    found = adjusted([1.0 if e.get("p") is None else e["p"] for e in family])
    for expectation, p in zip(family, found, strict=True):
        decided = expectation["verdict"] in (verdict.VERIFIED, verdict.REFUTED)
        stands = p <= FAMILY_WISE or not decided
        expectation["adjusted_p"] = p if decided else None
        expectation["adjusted_verdict"] = expectation["verdict"] if stands else verdict.INCONCLUSIVE
    for reading in readings:
        reading["adjusted_verdict"] = _of_reading(reading)
    controls = [control for claim in claims for control in claim.get("controls", {}).values()]
    under_control = [e for c in controls for e in c["expectations"].values() if not e["exact"] and _holds(e)]
    return {
        "expectations": len(family),
        "expected_false_verdicts": float(sum(e["alpha"] for e in family)),
        "expected_false_controls": float(sum(e["alpha"] for e in under_control)),
        "family_wise_rate": FAMILY_WISE,
        "without_bound": len(sampled) - len(family),
        "by_resolution": sum(e.get("shape") == normality.CONSTANT for e in family),
        "fallen": sum(reading["adjusted_verdict"] != reading["verdict"] for reading in readings),
    }


def _holds(expectation: dict[str, Any]) -> bool:
    """Whether the error rate that stands beside an expectation holds, as far as its seeds show."""
    return expectation.get("shape") not in normality.BREAKING


def _of_reading(reading: Record) -> str:
    """Return a reading's verdict from the adjusted ones; INVALID and NOT_RUN stay as they are."""
    if reading["verdict"] in (verdict.INVALID, verdict.NOT_RUN):
        return str(reading["verdict"])
    return verdict.combine(e.get("adjusted_verdict", e["verdict"]) for e in reading["expectations"].values())
