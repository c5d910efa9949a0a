"""Records to reports. Nothing here computes a verdict: it is all in the records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness._text import as_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.retrospect.run_history import Past
    from harness.store.records.run import Run


def write_reports(run: Run, folder: Path, past: Past | None = None, texts: Mapping[str, str] | None = None) -> None:
    """Write report.json (normative), report.md, junit.xml, badge.json, badges/ (one per document), and pages.

    The pages are index.html, claims/, documents/ and, where the past of the claims is known, history.html; of documents
    whose text is given (by the document's id), documents/ID-text.html, too.
    """
    # Some commands need a single part of this package, and none of them all.
    from harness.report.badge import badge, badges
    from harness.report.html.annotated_page import annotated_pages
    from harness.report.html.claim_page import claim_pages
    from harness.report.html.document_page import document_pages
    from harness.report.html.front import front_page
    from harness.report.html.history_page import timeline
    from harness.report.junit import junit
    from harness.report.markdown import markdown
    from harness.store.records.parsing import plain

    files = {
        "report.json": as_json(plain(run), indent=1) + "\n",
        "report.md": markdown(run),
        "index.html": front_page(run, past),
        **{f"claims/{name}.html": page for name, page in claim_pages(run).items()},
        **{f"documents/{name}.html": page for name, page in document_pages(run, texts or {}).items()},
        **{f"documents/{name}-text.html": page for name, page in annotated_pages(run, texts or {}).items()},
        "junit.xml": junit(run),
        "badge.json": as_json(badge(run)) + "\n",
        **({"history.html": timeline(run, past)} if past else {}),
        **{f"badges/{document}.json": as_json(one) + "\n" for document, one in badges(run).items()},
    }
    for kind in ("badges", "claims", "documents"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for stale in (folder / kind).iterdir():
            # Of a claim or document that this run says nothing of.
            if f"{kind}/{stale.name}" not in files:
                stale.unlink()
    for name, text in files.items():
        # A reader never meets half a file.
        part = folder / f"{name}.part"
        part.write_text(text, encoding="utf-8")
        part.replace(folder / name)
