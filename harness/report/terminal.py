"""The verdict table in a terminal."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from harness import explain, waiver
from harness.options import NO_VERDICT_PROFILE
from harness.report.rows import as_expected, false_alarms, judged, problems, reused, rows, waivers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.report import Run

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""Characters that could move the cursor or change colours."""


def table(run: Run, width: int) -> list[str]:
    """Return the lines of the verdict table, at most `width` characters each; what is wrong is never cut."""
    wrong = [f"! {claim['id']}: {line}" for claim in problems(run) for line in claim["problem"]["lines"]]
    wrong += [f"! {claim['id']}: {waiver.note(claim)}" for claim in judged(run) if waiver.expired(claim)]
    fitted = [_fit(line, width) for line in (*_readings(run, width), "", *_summary(run))]
    return [_CONTROL.sub("\ufffd", line) for line in (*wrong, *fitted)]


def _readings(run: Run, width: int) -> Iterator[str]:
    last = None
    for claim, name, reading in rows(run):
        if claim["id"] != last:
            yield f"{claim['id']} ({claim['strength']})"
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
        f"false decisions to expect of such a run, at most: {false_alarms(run):.3g}",
    ]


def _wrapped(line: str, width: int) -> list[str]:
    """Return a line that must be read whole as lines of at most `width` characters."""
    return textwrap.wrap(line, width, subsequent_indent=" " * 6)


def _fit(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: width - 1]}…"
