"""The verdict table in a terminal."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from harness._text import escape_unprintable, without_ci_commands
from harness.judging.normality import BREAKING
from harness.report import wording
from harness.report.selection import (
    as_expected,
    left,
    lost_after_holm,
    reused,
    rows,
    waivers,
    without_bound,
)
from harness.running import waiver
from harness.specification.profiles import NO_VERDICT_PROFILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.store.records.expectation import ExpectationRecord, ReadingRecord
    from harness.store.records.run import Run


GLUE = "\N{NO-BREAK SPACE}"
"""Stands for a space at which no line ends."""

ROOMY = 60
"""Columns from which on lines that hang over are indented by eight."""


def table(run: Run, width: int) -> list[str]:
    """Return the lines of the verdict table, at most `width` characters each; nothing is cut, and no number is broken."""
    wrong = [f"! {claim.id}: {line}" for claim in run.problems for line in claim.problem.lines]
    wrong += [f"! {claim.id}: {waiver.note(claim)}" for claim in run.judged if waiver.expired(claim)]
    wrong += [f"left for lack of time: {wording.left_words(claim)}" for claim in left(run)]
    wrong += [f"{claim.id}: {line}" for claim in run.judged for line in wording.again_words(claim)]
    summary = [part for line in _summary(run) for part in _wrapped(line, width)]
    return [without_ci_commands(escape_unprintable(line)) for line in (*wrong, *_readings(run, width), "", *summary)]


def _readings(run: Run, width: int) -> Iterator[str]:
    last = None
    for claim, name, reading in rows(run):
        if claim.id != last:
            head = filter(None, (f"{claim.id} ({claim.strength})", wording.series_words(claim)))
            yield from _wrapped("; ".join(head), width)
            if waiver.unneeded(claim):
                yield from _wrapped(f"  - {waiver.note(claim)}", width)
            last = claim.id
        smoke = claim.profile == NO_VERDICT_PROFILE
        mark = "" if reading.as_expected or smoke else f" <- {_unexpected(reading)}"
        mark += f", {waiver.words(claim)}" if reading.waived else ""
        yield from _wrapped(f"  {wording.SYMBOL[reading.verdict]} {reading.verdict:<12} {name}{mark}", width)
        for key, expectation in reading.expectations.items():
            yield from _expectation(key, expectation, "" if smoke else wording.came_words(reading, key), width)


def _unexpected(reading: ReadingRecord) -> str:
    """Return what a reading should have been, or that it is so and an expectation below is not."""
    wanted = f"expected {reading.expected}"
    return wanted if reading.verdict != reading.expected else f"{wanted}, but see its expectations"


def _expectation(name: str, e: ExpectationRecord, came: str, width: int) -> Iterator[str]:
    values = _whole(f"{wording.number(e.estimate)} {wording.span(e)}")
    verdict = _whole(f"{e.verdict}, {came}" if came.startswith("expected") else came)
    mark = f" <- {verdict}" if came else ""
    band = _whole(f"band {e.band.text}")
    line = f"      {name}: {values} n={e.n}, {band}{mark}"
    yield from (part.replace(GLUE, " ") for part in _wrapped(line, width))
    if e.shape in BREAKING:
        yield from _wrapped(f"        ! {wording.shape_words(e)}", width)


def _whole(text: str) -> str:
    """Return text that no line ends in the middle of."""
    return text.replace(" ", GLUE)


def _summary(run: Run) -> list[str]:
    good, total = as_expected(run)
    again, trials = reused(run)
    counts = f"reused {again} of {trials} trials"
    if run.options.profile == NO_VERDICT_PROFILE:
        return [f"{total} readings ran; the smoke profile gives no verdict; {counts}"]
    return [
        f"{good} of {total} readings as expected{waivers(run)}; {counts}",
        *_budget(run),
    ]


def _budget(run: Run) -> Iterator[str]:
    budget = run.error_budget
    yield (
        f"false verdicts to expect, at most: {budget.expected_false_verdicts:.3g} "
        f"(and {budget.expected_false_controls:.3g} in controls)"
    )
    if wording.bound_words(budget):
        yield f"  {wording.bound_words(budget)}"
    yield from (f"    {row.claim.id}, {name}" for row, name, _ in without_bound(run))
    lost = lost_after_holm(run)
    over = f"after Holm's adjustment ({budget.expectations} expectations, {budget.family_wise_rate:g})"
    yield f"{over}: " + (f"{len(lost)} readings are not decided" if lost else "every verdict stands")
    yield from (f"  {row.claim.id}, {row.name}: {row.reading.adjusted_verdict}" for row in lost)


def _wrapped(line: str, width: int) -> list[str]:
    """Return a line that must be read whole as lines of at most `width` characters; what hangs over is indented."""
    return textwrap.wrap(
        line, max(width, 20), subsequent_indent=" " * (8 if width >= ROOMY else 4), break_on_hyphens=False
    )
