"""The verdict table in a terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness import explain
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
        mark = "" if reading["as_expected"] or row.claim["profile"] == "smoke" else f" <- expected {reading['expected']}"
        lines.append(f"  {explain.SYMBOL[reading['verdict']]} {reading['verdict']:<12} {row.name}{mark}")
        for name, expectation in reading["expectations"].items():
            values = f"{explain.number(expectation['estimate'])} {explain.span(expectation)}"
            lines.append(f"      {name}: {values}, band {expectation['band']['text']}, n={expectation['n']}")
    good, total = as_expected(run)
    again, all_trials = reused(run)
    lines.append("")
    lines.append(f"{good} of {total} readings as expected; reused {again} of {all_trials} trials")
    lines.append(f"false decisions to expect of such a run, at most: {false_alarms(run):.3g}")
    return [_fit(_CONTROL.sub("\ufffd", line), width) for line in lines]


def _fit(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: width - 1]}…"
