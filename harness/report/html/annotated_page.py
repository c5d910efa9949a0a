"""A document's own lines, with what is said of each statement beside the line that it begins on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.report.html.document_page import statement_of
from harness.report.html.page import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.store.records.coverage import DocumentCoverage
    from harness.store.records.run import Run

Context = dict[str, Any]

_LINES = re.compile(r"L(\d+)(?:-(\d+))?")


def annotated_pages(run: Run, texts: Mapping[str, str]) -> dict[str, str]:
    """Return a page for every document whose text is given, by the document's id."""
    return {
        one.document.id: render("annotated.html", document=one.document, lines=_lines(run, one, texts[one.document.id]))
        for one in run.documents
        if one.document.id in texts
    }


def lines_of(place: str | None) -> list[tuple[int, int]]:
    """Return the first and last line of each part of a place: `L41-43, L60` -> (41, 43), (60, 60)."""
    return [(int(first), int(last or first)) for first, last in _LINES.findall(place or "")]


def _lines(run: Run, document: DocumentCoverage, text: str) -> list[Context]:
    """Return every line with the statements that begin on it, and whether any statement covers it."""
    records = run.records
    beside: dict[int, list[Context]] = {}
    covered: set[int] = set()
    for statement in document.statements:
        places = lines_of(statement.place)
        for first, last in places:
            covered.update(range(first, last + 1))
        for first, _ in places[:1]:
            beside.setdefault(first, []).append(statement_of(statement, records.get(statement.claim or "")))
    return [
        {"number": number, "text": line, "covered": number in covered, "statements": beside.get(number, [])}
        for number, line in enumerate(text.split("\n"), start=1)
    ]
