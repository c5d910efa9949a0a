"""A claim's page: everything that a run says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.html.claim_section import article_of
from harness.report.html.document_page import statement_of
from harness.report.html.page import render

if TYPE_CHECKING:
    from harness.store.records.run import Run

LARGEST = 2 * 2**20
"""Bytes of a page, above which its pictures and tables are left out."""


def claim_pages(run: Run) -> dict[str, str]:
    """Return a page for every claim that was run, by the claim's id."""
    version = run.machine.packages.get("claims-harness", "")
    answered = [statement for document in run.documents for statement in document.statements]
    found = {}
    for claim in run.judged:
        statements = [statement_of(s, claim) for s in answered if s.claim == claim.id]
        for brief in (False, True):
            article = article_of(claim, brief=brief)
            found[claim.id] = render("claim_page.html", claim=article, statements=statements, version=version)
            if len(found[claim.id].encode()) <= LARGEST:
                break
    return found
