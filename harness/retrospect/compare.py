"""Two runs held against each other: which verdicts changed, and which estimates differ by more than chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.retrospect.comparison import (
    IMPROVEMENT,
    INDEPENDENT,
    ONLY_A,
    ONLY_B,
    OTHER,
    PAIRED,
    REGRESSION,
    ClaimChange,
    Comparison,
    Estimate,
    EstimateChange,
    Outcome,
    ReadingChange,
    RunHead,
)
from harness.retrospect.difference import difference
from harness.store.records.claim import ClaimRecord, ProblemRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.retrospect.comparison import Change
    from harness.store.records.expectation import ExpectationRecord, ReadingRecord
    from harness.store.records.run import Run

    Side = ClaimRecord | ProblemRecord | None

_CIRCUMSTANCES = ("profile", "base_seed", "device", "seeds")
"""Fields of a claim's record in which two runs may differ besides what makes their trials comparable."""


def compare(a: Run, b: Run, *, mixed: bool = False) -> Comparison:
    """Return what changed from run A to run B.

    Args:
        a: a run.
        b: another.
        mixed: compare claims although they were run under other profiles or on other devices.

    Raises:
        UsageError: a claim of both was run under another profile or on another device, and that is not `mixed`.
    """
    first, second = ({claim.id: claim for claim in run.claims} for run in (a, b))
    both = [(one, other) for one in a.judged if isinstance(other := second.get(one.id), ClaimRecord)]
    if not mixed:
        _refuse_mixture(both)
    verdicts = [row for name in {**first, **second} for row in _verdicts(name, first.get(name), second.get(name))]
    pairs = [_pair(*sides) for sides in both]
    alphas = [row.alpha for pair in pairs for row in pair.estimates if row.alpha is not None]
    return Comparison(
        a=_head(a),
        b=_head(b),
        verdicts=verdicts,
        regressions=[row for row in verdicts if _lost(row)],
        claims=pairs,
        expected_false_alarms=float(sum(alphas)),
    )


def _refuse_mixture(pairs: Iterable[tuple[ClaimRecord, ClaimRecord]]) -> None:
    for a, b in pairs:
        for name, one, other in (("profile", a.profile, b.profile), ("device", a.device, b.device)):
            if one != other:
                raise UsageError(
                    f"{a.id}: {name} {one} in A, {other} in B; such runs measured different things; "
                    "--mixed compares them all the same"
                )


def _head(run: Run) -> RunHead:
    return RunHead(
        id=run.id,
        started=run.started,
        commit=run.machine.commit,
        uncommitted_changes=run.machine.uncommitted_changes,
        profiles=sorted({claim.profile for claim in run.judged}),
        base_seeds=sorted({claim.base_seed for claim in run.judged}),
        devices=sorted({claim.device for claim in run.judged}),
        processors=sorted({found.place.clock.model for claim in run.judged for found in claim.places}),
        claims=len(run.claims),
    )


def _verdicts(claim: str, a: Side, b: Side) -> Iterator[ReadingChange]:
    """Yield one row for each reading of a claim that either run has."""
    of_a, of_b = (side.readings if isinstance(side, ClaimRecord) else {} for side in (a, b))
    for name in {**of_a, **of_b}:
        one, other = of_a.get(name), of_b.get(name)
        yield ReadingChange(
            claim=claim,
            reading=name,
            change=ONLY_B if a is None else ONLY_A if b is None else _change(one, other),
            a=_outcome(one, a),
            b=_outcome(other, b),
            bands=_bands(one, other) if one and other else [],
        )


def _change(a: ReadingRecord | None, b: ReadingRecord | None) -> Change | None:
    """Return how a reading of a claim that both runs have changed, None if it did not.

    What was as expected and is missing is a regression, too: a reading that is no longer looked at holds nothing up. One
    that a waiver covers is none.
    """
    was, is_now = (bool(side and side.as_expected) for side in (a, b))
    if was and not is_now and not (b and b.waived):
        return REGRESSION
    if a is None or b is None:
        return ONLY_B if a is None else ONLY_A
    if is_now and not was:
        return IMPROVEMENT
    return None if a.verdict == b.verdict and was == is_now else OTHER


def _lost(row: ReadingChange) -> bool:
    """Whether a reading that was as expected in A is not in B, be it that the whole claim is missing there."""
    return row.change == REGRESSION or (row.change == ONLY_A and row.a.as_expected)


def _outcome(reading: ReadingRecord | None, claim: Side) -> Outcome:
    """Return the verdict of a reading in one run, and why; without one, why there is none."""
    if reading is not None:
        return Outcome(
            verdict=reading.verdict,
            expected=reading.expected,
            as_expected=reading.as_expected,
            waived=reading.waived,
            reason=reading.reason,
        )
    reason = "the claim is not in this run" if claim is None else "the claim has no such reading in this run"
    if isinstance(claim, ProblemRecord):
        reason = f"the claim could not be run: {claim.problem.lines[0]}"
    return Outcome(reason=reason)


def _bands(a: ReadingRecord, b: ReadingRecord) -> list[str]:
    """Return the expectations of a reading whose bands were moved, or that only one run has, in words."""
    one, other = a.expectations, b.expectations
    moved = [
        f"{name}: the band was {one[name].band.text}, is {other[name].band.text}"
        for name in one
        if name in other and one[name].band != other[name].band
    ]
    only = [
        f"{name} is {ONLY_A if name in one else ONLY_B}"
        for name in {**one, **other}
        if (name in one) != (name in other)
    ]
    return moved + only


def same_clock(a: ClaimRecord, b: ClaimRecord) -> bool:
    """Whether all durations of two records of a claim are by one clock, and one of a GPU where some arms run there."""
    one_each = len(a.clocks) == len({clock.gpu is None for clock in a.clocks}) > 0
    return one_each and a.clocks == b.clocks


def _pair(a: ClaimRecord, b: ClaimRecord) -> ClaimChange:
    """Return what a claim of both runs changed in its circumstances and estimates."""
    comparable = same_clock(a, b) and a.device == b.device
    return ClaimChange(
        claim=a.id,
        changed=_changed(a, b),
        method=PAIRED if a.base_seed == b.base_seed else INDEPENDENT,
        estimates=[
            _estimate_change(name, a.expectations.get(name), b.expectations.get(name), comparable=comparable)
            for name in {**a.expectations, **b.expectations}
        ],
    )


def _estimate_change(
    name: str, a: ExpectationRecord | None, b: ExpectationRecord | None, *, comparable: bool
) -> EstimateChange:
    found = difference(a, b, comparable=comparable)
    unit = next(side.unit for side in (a, b) if side)
    return EstimateChange(**dict(found), expectation=name, unit=unit, a=_shown(a), b=_shown(b))


def _changed(a: ClaimRecord, b: ClaimRecord) -> list[str]:
    """Return what besides the values is not the same in both runs, in words."""
    found = [name.replace("_", " ") for name in _CIRCUMSTANCES if getattr(a, name) != getattr(b, name)]
    return list(dict.fromkeys([*found, *a.identity.differences(b.identity)]))


def _shown(e: ExpectationRecord | None) -> Estimate | None:
    return None if e is None else Estimate(verdict=e.verdict, estimate=e.estimate, low=e.low, high=e.high, n=e.n)
