"""Records to reports. Nothing here computes a verdict: it is all in the records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.error_budget import add_budget
from harness.outcome import exit_code
from harness.plaintext import as_json
from harness.report.badge import badge
from harness.report.junit import junit
from harness.report.markdown import markdown
from harness.report.page import page
from harness.report.timeline import timeline

if TYPE_CHECKING:
    from pathlib import Path

    from harness.record import Record
    from harness.store import Store

SCHEMA_VERSION = 1
"""Version of report.json; it changes when a field is renamed, removed or changes its meaning."""

Run = dict[str, Any]


def run_of(store: Store, run_id: str) -> Run | None:
    """Return a run with the records of its claims, None if it has none."""
    claims = store.records(run_id)
    if not claims:
        return None
    head = {"schema_version": SCHEMA_VERSION, **store.run(run_id), "exit_code": exit_code(claims)}
    return {**head, "error_budget": add_budget(claims), "claims": claims}


def write_reports(run: Run, folder: Path, past: Record | None = None) -> None:
    """Write report.json (normative), index.html, report.md, junit.xml and badge.json into `folder`.

    Where the past of the claims is known (`chronicle`), history.html too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "report.json": as_json(run, indent=1) + "\n",
        "report.md": markdown(run),
        "index.html": page(run, past),
        "junit.xml": junit(run),
        "badge.json": as_json(badge(run)) + "\n",
        **({"history.html": timeline(run, past)} if past else {}),
    }
    for name, text in files.items():
        # A reader never meets half a file.
        part = folder / f"{name}.part"
        part.write_text(text, encoding="utf-8")
        part.replace(folder / name)
