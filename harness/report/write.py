"""Records to reports. Nothing here computes a verdict: it is all in the records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness._text import as_json

if TYPE_CHECKING:
    from pathlib import Path

    from harness.retrospect.run_history import Past
    from harness.store.records.run import Run


def write_reports(run: Run, folder: Path, past: Past | None = None) -> None:
    """Write report.json (normative), index.html, report.md, junit.xml, badge.json and badges/ (one per document).

    Where the past of the claims is known (`chronicle`), history.html too.
    """
    # Some commands need a single part of this package, and none of them all.
    from harness.report.badge import badge, badges
    from harness.report.html.history_page import timeline
    from harness.report.html.page import page
    from harness.report.junit import junit
    from harness.report.markdown import markdown
    from harness.store.records.parsing import plain

    own = {f"badges/{document}.json": as_json(one) + "\n" for document, one in badges(run).items()}
    files = {
        "report.json": as_json(plain(run), indent=1) + "\n",
        "report.md": markdown(run),
        "index.html": page(run, past),
        "junit.xml": junit(run),
        "badge.json": as_json(badge(run)) + "\n",
        **({"history.html": timeline(run, past)} if past else {}),
        **own,
    }
    (folder / "badges").mkdir(parents=True, exist_ok=True)
    for stale in (folder / "badges").glob("*.json"):
        # Of a document that this run says nothing of.
        if f"badges/{stale.name}" not in own:
            stale.unlink()
    for name, text in files.items():
        # A reader never meets half a file.
        part = folder / f"{name}.part"
        part.write_text(text, encoding="utf-8")
        part.replace(folder / name)
