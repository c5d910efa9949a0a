"""A badge in the format of shields.io's endpoint."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.report.selection import as_expected, waivers
from harness.report.wording import in_words
from harness.specification.kinds import NAME

if TYPE_CHECKING:
    from harness.store.records.claim import ClaimRecord, ProblemRecord
    from harness.store.records.run import Run


def badges(run: Run) -> dict[str, dict[str, Any]]:
    """Return a badge for every document of a run, by the document's id; see `badge`."""
    by_document: dict[str, list[ClaimRecord | ProblemRecord]] = {}
    for claim in run.claims:
        # Of a claim that could not be run the document is its folder's name, which may be anything.
        if re.fullmatch(NAME, claim.document.id):
            by_document.setdefault(claim.document.id, []).append(claim)
    return {
        name: badge(run.model_copy(update={"claims": claims}), in_words(name)) for name, claims in by_document.items()
    }


def badge(run: Run, label: str = "claims") -> dict[str, Any]:
    """Return the badge: `41 of 44 as expected, 1 waived`.

    Green only if all are as expected, every claim could be run and no waiver has expired.
    """
    good, total = as_expected(run)
    broken, waived = bool(run.problems), waivers(run)
    colour = "brightgreen" if good == total and total and not (broken or waived) else "orange" if good else "red"
    return {
        "schemaVersion": 1,
        "label": label,
        "message": f"{good} of {total} as expected{waived}",
        "color": colour,
        "isError": broken,
    }
