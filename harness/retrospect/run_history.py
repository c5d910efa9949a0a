"""What became of the claims of a run, run by run: their verdicts, estimates and costs, and what changed since the last."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.retrospect.compare import compare, same_clock
from harness.retrospect.comparison import DIFFERENT
from harness.retrospect.difference import difference
from harness.store.records.run import Run

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from harness.retrospect.comparison import EstimateChange, ReadingChange
    from harness.store.records.claim import ClaimRecord
    from harness.store.records.run import Head
    from harness.store.store import Store

MOST_RUNS = 30
"""Runs of a claim that are looked back at."""


@dataclass(frozen=True)
class Changes:
    """What changed since each claim's run before.

    Attributes:
        compared: how many claims have one.
        new: those that have none.
        before: when those runs were begun.
        verdicts: the readings whose verdict changed.
        estimates: claim and expectation of those that differ by more than chance.
        outcomes: what became of the estimates -> how many.
    """

    compared: int
    new: list[str]
    before: list[str]
    verdicts: list[ReadingChange]
    estimates: list[tuple[str, EstimateChange]]
    outcomes: Mapping[str, int]


@dataclass(frozen=True)
class Entry:
    """What a run said of a claim.

    Attributes:
        head: the run.
        record: what it said.
        steps: expectations whose values differ from those of the run before by more than chance.
        code_changed: whether the code is not that of the run before.
    """

    head: Head
    record: ClaimRecord
    steps: list[str]
    code_changed: bool


@dataclass(frozen=True)
class Past:
    """The past of the claims of a run, under the same profile and on the same device.

    Attributes:
        changes: the run against each claim's run before.
        claims: claim -> its runs, the earliest first.
    """

    changes: Changes
    claims: dict[str, list[Entry]]


def chronicle_of(store: Store, run: Run) -> Past:
    """Return the past of every claim of a run."""
    past = {
        claim.id: store.past_records(claim.id, claim.profile, claim.device, run.started, MOST_RUNS)
        for claim in run.judged
    }
    # The run itself is among them, unless its store was changed meanwhile.
    return Past(_changes(past.values()), {name: list(_entries(runs)) for name, runs in past.items() if runs})


def _changes(runs: Collection[list[tuple[Head, ClaimRecord]]]) -> Changes:
    pairs = [(own[-2], own[-1]) for own in runs if len(own) > 1]
    found = [compare(_alone(*before), _alone(*now)) for before, now in pairs]
    estimates = [(pair.claim, row) for one in found for pair in one.claims for row in pair.estimates]
    return Changes(
        compared=len(pairs),
        new=[own[-1][1].id for own in runs if len(own) == 1],
        before=sorted({head.started for (head, _), _ in pairs}),
        verdicts=[row for one in found for row in one.verdicts if row.change],
        estimates=[(claim, row) for claim, row in estimates if row.outcome == DIFFERENT],
        outcomes=Counter(row.outcome for _, row in estimates),
    )


def _alone(head: Head, record: ClaimRecord) -> Run:
    """Return a run of one claim, as far as a comparison reads it."""
    return Run.model_construct(**dict(head), claims=[record])


def _entries(runs: list[tuple[Head, ClaimRecord]]) -> Iterator[Entry]:
    """Yield what each run said of a claim, and what was another than in the run before it."""
    before: ClaimRecord | None = None
    for head, record in runs:
        steps = [] if before is None else _steps(before, record)
        yield Entry(head, record, steps, before is not None and before.code.digest != record.code.digest)
        before = record


def _steps(before: ClaimRecord, record: ClaimRecord) -> list[str]:
    """Return the expectations whose values differ from those of the run before by more than chance."""
    first, second = before.expectations, record.expectations
    comparable = same_clock(before, record)
    return [
        name
        for name in second
        if name in first and difference(first[name], second[name], comparable=comparable).outcome == DIFFERENT
    ]
