"""The verdict table in a terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness import explain
from harness.options import NO_VERDICT_PROFILE
from harness.report.rows import as_expected, false_alarms, left, problems, reused, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.report import Run

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""Characters that could move the cursor or change colours."""


def table(run: Run, width: int) -> list[str]:
    """Return the lines of the verdict table, at most `width` characters each; what is wrong is never cut."""
    wrong = [f"! {claim['id']}: {line}" for claim in problems(run) for line in claim["problem"]["lines"]]
    wrong += [f"left for lack of time: {explain.left_words(claim)}" for claim in left(run)]
    fitted = [_fit(line, width) for line in (*_readings(run), "", *_summary(run))]
    return [_CONTROL.sub("\ufffd", line) for line in (*wrong, *fitted)]


def _readings(run: Run) -> Iterator[str]:
    last = None
    for claim, name, reading in rows(run):
        if claim["id"] != last:
            yield f"{claim['id']} ({claim['strength']})"
            last = claim["id"]
        silent = reading["as_expected"] or claim["profile"] == NO_VERDICT_PROFILE
        mark = "" if silent else f" <- expected {reading['expected']}"
        yield f"  {explain.SYMBOL[reading['verdict']]} {reading['verdict']:<12} {name}{mark}"
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
        f"{good} of {total} readings as expected; {counts}",
        f"false decisions to expect of such a run, at most: {false_alarms(run):.3g}",
    ]


def _fit(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: width - 1]}…"
