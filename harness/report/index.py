"""claims/README.md: every claim with the verdicts of the last run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import explain
from harness.report.markdown import sentence, text

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
            readings = [
                f"{explain.SYMBOL[r['verdict']]} {text(name)}: {r['verdict']}"
                for name, r in (record["readings"] if record else {}).items()
            ]
            link = f"[{text(folder.claim.title)}]({key}/{folder.claim.id}/claim.yaml)"
            lines.append(f"| {link} | {sentence(record) if record else 'not run yet'} | {'<br>'.join(readings)} |")
    return "\n".join(lines) + "\n"
