"""The report in the summary of a job of GitHub Actions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from harness.report.markdown import LARGEST, SMALLEST, markdown

if TYPE_CHECKING:
    from harness.store.records.run import Run

VARIABLE = "GITHUB_STEP_SUMMARY"
"""Names the file that GitHub shows as the summary of a step; set in its jobs alone."""


def append_summary(run: Run) -> None:
    """Append a run's report.md to the job's summary, if this is a job; a run that is there already is not added again.

    GitHub drops a summary of more than 1 MiB as a whole: where others have filled it, the report is cut shorter or left.
    """
    if not os.environ.get(VARIABLE):
        return
    path = Path(os.environ[VARIABLE])
    mark = f"<!-- claims run {run.id} -->\n"
    try:
        there = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        room = LARGEST - len(there.encode()) - len(mark.encode()) - 1
        if mark not in there and room >= SMALLEST:
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{'' if there.endswith(chr(10)) or not there else chr(10)}{mark}{markdown(run, room)}")
    except OSError:
        # The report lies in its folder; a summary that cannot be written is no reason to fail a run.
        return
