"""A badge in the format of shields.io's endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.report.rows import as_expected, problems, waivers

if TYPE_CHECKING:
    from harness.report import Run


def badge(run: Run) -> dict[str, Any]:
    """Return the badge: `41 of 44 as expected, 1 waived`.

    Green only if all are as expected, every claim could be run and no waiver has expired.
    """
    good, total = as_expected(run)
    broken, waived = bool(problems(run)), waivers(run)
    colour = "brightgreen" if good == total and total and not (broken or waived) else "orange" if good else "red"
    return {
        "schemaVersion": 1,
        "label": "claims",
        "message": f"{good} of {total} as expected{waived}",
        "color": colour,
        "isError": broken,
    }
