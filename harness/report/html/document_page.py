"""A document's page: its statements in their order, what is said of each, and its claims in short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.report.coverage_text import SYMBOLS, counts_words, found_words
from harness.report.html import charts
from harness.report.html.claim_section import article_of
from harness.report.html.page import render
from harness.report.selection import documents, good

if TYPE_CHECKING:
    from collections.abc import Container

    from harness.store.records.claim import ClaimRecord
    from harness.store.records.coverage import DocumentCoverage, StatementRecord
    from harness.store.records.run import Run

Context = dict[str, Any]


def document_pages(run: Run, annotated: Container[str] = ()) -> dict[str, str]:
    """Return a page for every document of a run, by the document's id; `annotated` have a page of their text, too."""
    records = run.records
    return {
        name: render(
            "document.html",
            document=head,
            annotated=name in annotated,
            tally=tally(covered),
            counts=counts_words(covered.counts) if covered else "",
            statements=[statement_of(s, records.get(s.claim or "")) for s in covered.statements] if covered else [],
            claims=[article_of(claim, brief=True) for claim in _own(run, name)],
            strip_width=charts.STRIP,
            version=run.machine.packages.get("claims-harness", ""),
        )
        for name, (head, covered) in documents(run).items()
    }


def _own(run: Run, document: str) -> list[ClaimRecord]:
    return sorted((claim for claim in run.judged if claim.document.id == document), key=lambda c: (good(c), c.id))


def tally(document: DocumentCoverage | None) -> list[tuple[str, str, int]]:
    """Return the bar of words: class, word and how many statements; nothing for a document that lists none."""
    return [(class_of(word), word, count) for word, count in document.counts.items()] if document else []


def class_of(word: str) -> str:
    """Return the class of style of what is said of a statement."""
    return word.split(" as ", maxsplit=1)[0].replace(" ", "-")


def statement_of(statement: StatementRecord, claim: ClaimRecord | None) -> Context:
    """Return what a template shows of a statement."""
    return {
        "id": statement.id,
        "place": ", ".join(filter(None, (statement.place, f"section {statement.section}"))),
        "says": statement.says,
        "class": class_of(statement.word),
        "symbol": SYMBOLS[statement.word],
        "word": statement.word,
        "found": found_words(statement, claim),
        "claim": statement.claim if claim else None,
        "wrong": statement.wrong,
        "unchecked": statement.unchecked,
    }
