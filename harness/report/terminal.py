"""The verdict table in a terminal."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from harness import explain, waiver
from harness.options import NO_VERDICT_PROFILE
from harness.plaintext import inert, visible
from harness.report.rows import as_expected, fallen, judged, left, problems, reused, rows, waivers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.report import Run


def table(run: Run, width: int) -> list[str]:
    """Return the lines of the verdict table, at most `width` characters each; what is wrong is never cut."""
    wrong = [f"! {claim['id']}: {line}" for claim in problems(run) for line in claim["problem"]["lines"]]
    wrong += [f"! {claim['id']}: {waiver.note(claim)}" for claim in judged(run) if waiver.expired(claim)]
    wrong += [f"left for lack of time: {explain.left_words(claim)}" for claim in left(run)]
    fitted = [_fit(line, width) for line in (*_readings(run, width), "", *_summary(run))]
    return [inert(visible(line)) for line in (*wrong, *fitted)]


def _readings(run: Run, width: int) -> Iterator[str]:
    last = None
    for claim, name, reading in rows(run):
        if claim["id"] != last:
            head = filter(None, (f"{claim['id']} ({claim['strength']})", explain.series_words(claim)))
            yield from _wrapped("; ".join(head), width)
            if waiver.unneeded(claim):
                yield from _wrapped(f"  - {waiver.note(claim)}", width)
            last = claim["id"]
        silent = reading["as_expected"] or claim["profile"] == NO_VERDICT_PROFILE
        mark = "" if silent else f" <- expected {reading['expected']}"
        mark += f", {waiver.words(claim)}" if waiver.covers(reading) else ""
        yield from _wrapped(f"  {explain.SYMBOL[reading['verdict']]} {reading['verdict']:<12} {name}{mark}", width)
        for key, expectation in reading["expectations"].items():
            values = f"{explain.number(expectation['estimate'])} {explain.span(expectation)}"
            yield f"      {key}: {values} n={expectation['n']}, band {expectation['band']['text']}"


def _summary(run: Run) -> list[str]:
    good, total = as_expected(run)
    again, trials = reused(run)
    counts = f"reused {again} of {trials} trials"
    if run["options"]["profile"] == NO_VERDICT_PROFILE:
        return [f"{total} readings ran; the smoke profile gives no verdict; {counts}"]
    return [
        f"{good} of {total} readings as expected{waivers(run)}; {counts}",
        *_budget(run),
    ]


def _budget(run: Run) -> Iterator[str]:
    budget = run["error_budget"]
    yield (
        f"false verdicts to expect, at most: {budget['expected_false_verdicts']:.3g} "
        f"(and {budget['expected_false_controls']:.3g} in controls)"
    )
    lost = fallen(run)
    over = f"after Holm's adjustment ({budget['expectations']} expectations, {budget['family_wise_rate']:g})"
    yield f"{over}: " + (f"{len(lost)} readings are not decided" if lost else "every verdict stands")
    yield from (f"  {row.claim['id']}, {row.name}: {row.reading['adjusted_verdict']}" for row in lost)


def _wrapped(line: str, width: int) -> list[str]:
    """Return a line that must be read whole as lines of at most `width` characters."""
    return textwrap.wrap(line, width, subsequent_indent=" " * 6)


def _fit(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: width - 1]}…"
