"""claims/README.md: every claim with the verdicts of the last run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.plaintext import in_markdown as text
from harness.report.sections import marks, sentence

if TYPE_CHECKING:
    from harness.catalogue import ClaimFolder
    from harness.report import Run


def index(folders: list[ClaimFolder], run: Run | None) -> str:
    """Return the index: per document its claims, what each says, and how its readings came out last."""
    records = {claim["id"]: claim for claim in run["claims"] if "problem" not in claim} if run else {}
    lines = [
        "# Claims",
        "",
        "Written by `claims index`; the verdicts are those of the last run on the machine that wrote it.",
    ]
    for key in dict.fromkeys(folder.document.id for folder in folders):
        own = [folder for folder in folders if folder.document.id == key]
        lines += ["", f"## {text(own[0].document.title)}", "", "| claim | as we found it | readings |", "|---|---|---|"]
        for folder in own:
            record = records.get(folder.claim.id)
            link = f"[{text(folder.claim.title)}]({key}/{folder.claim.id}/claim.yaml)"
            found = f"{sentence(record)} | {marks(record)}" if record else "not run yet |"
            lines.append(f"| {link} | {found} |")
    return "\n".join(lines) + "\n"
