"""A badge in the format of shields.io's endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.report.rows import as_expected, problems

if TYPE_CHECKING:
    from harness.report import Run


def badge(run: Run) -> dict[str, Any]:
    """Return the badge: `41 of 44 as expected`, green only if all are and every claim could be run."""
    good, total = as_expected(run)
    broken = bool(problems(run))
    colour = "brightgreen" if good == total and total and not broken else "orange" if good else "red"
    return {
        "schemaVersion": 1,
        "label": "claims",
        "message": f"{good} of {total} as expected",
        "color": colour,
        "isError": broken,
    }
