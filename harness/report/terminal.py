"""The verdict table in a terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness import explain
from harness.options import NO_VERDICT_PROFILE
from harness.report.rows import as_expected, false_alarms, problems, reused, rows

if TYPE_CHECKING:
    from harness.report import Run

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""Characters that could move the cursor or change colours."""


def table(run: Run, width: int) -> list[str]:
    """Return the lines of the verdict table, at most `width` characters each."""
    lines = []
    for claim in problems(run):
        lines += [f"! {claim['id']}: {line}" for line in claim["problem"]["lines"]]
    last = None
    for row in rows(run):
        if row.claim["id"] != last:
            lines.append(f"{row.claim['id']} ({row.claim['strength']})")
            last = row.claim["id"]
        reading = row.reading
        mark = (
            ""
            if reading["as_expected"] or row.claim["profile"] == NO_VERDICT_PROFILE
            else f" <- expected {reading['expected']}"
        )
        lines.append(f"  {explain.SYMBOL[reading['verdict']]} {reading['verdict']:<12} {row.name}{mark}")
        for name, expectation in reading["expectations"].items():
            values = f"{explain.number(expectation['estimate'])} {explain.span(expectation)}"
            lines.append(f"      {name}: {values} n={expectation['n']}, band {expectation['band']['text']}")
    lines += ["", *_summary(run)]
    return [_fit(_CONTROL.sub("\ufffd", line), width) for line in lines]


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
