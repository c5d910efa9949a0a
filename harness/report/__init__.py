"""Records to reports. Nothing here computes a verdict: it is all in the records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.error_budget import add_budget
from harness.outcome import exit_code
from harness.plaintext import as_json

if TYPE_CHECKING:
    from pathlib import Path

    from harness.record import Record
    from harness.store import Store

Run = dict[str, Any]


def run_of(store: Store, run_id: str) -> Run | None:
    """Return a run with the records of its claims, None if it has none."""
    from harness.schema import SCHEMA_VERSION

    claims = store.records(run_id)
    if not claims:
        return None
    head = {"schema_version": SCHEMA_VERSION, **store.run(run_id), "exit_code": exit_code(claims)}
    return {**head, "error_budget": add_budget(claims), "claims": claims}


def stored_run(store: Store, run_id: str) -> Run | None:
    """Return a run that others may have written or edited, as `run_of` does.

    Raises:
        UsageError: its options, its machine or the record of a claim is not what it should be.
    """
    from harness.soundness import check_head

    run = run_of(store, run_id)
    if run is not None:
        check_head(run, f"{store.path}: run {run_id}")
    return run


def write_reports(run: Run, folder: Path, past: Record | None = None) -> None:
    """Write report.json (normative), index.html, report.md, junit.xml, badge.json and badges/ (one per document).

    Where the past of the claims is known (`chronicle`), history.html too.
    """
    # Some commands need a single part of this package, and none of them all.
    from harness.report.badge import badge, badges
    from harness.report.junit import junit
    from harness.report.markdown import markdown
    from harness.report.page import page
    from harness.report.timeline import timeline

    own = {f"badges/{document}.json": as_json(one) + "\n" for document, one in badges(run).items()}
    files = {
        "report.json": as_json(run, indent=1) + "\n",
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
