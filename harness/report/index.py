"""claims/README.md, every claim with the verdicts of the last run; and the table of verdicts in a project's README.md."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness import explain
from harness.plaintext import in_markdown as text
from harness.report.rows import as_expected, judged
from harness.report.sections import marks, sentence, words

if TYPE_CHECKING:
    from harness.catalogue import ClaimFolder
    from harness.record import Record
    from harness.report import Run

TABLE = re.compile(r"(<!-- claims: verdicts -->\n).*?(<!-- end -->)", re.DOTALL)
"""Where a README.md has the table; what stands between is written anew."""


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


def with_table(readme: str, run: Run) -> str:
    """Return a README.md with the verdicts of a run between the lines `<!-- claims: verdicts -->` and `<!-- end -->`.

    One without these lines is returned as it is.
    """
    table = "\n".join(verdict_table(run))
    return TABLE.sub(lambda found: f"{found[1]}{table}\n{found[2]}", readme)


def verdict_table(run: Run) -> list[str]:
    """Return a row per claim: its title, and of every reading the verdict with the estimate that decided it."""
    claims = sorted(judged(run), key=lambda claim: (claim["document"]["id"], claim["id"]))
    fine, total = as_expected(run)
    where = f"profile {text(run['options']['profile'])}, base seed {run['options']['base_seed']}"
    machine = f"{text(run['machine']['processor'])}, {run['machine']['cores']} cores"
    rows = [
        f"| {_link(claim)} | {'<br>'.join(_reading(claim, name) for name in claim['readings'])} |" for claim in claims
    ]
    return [
        f"Run of {text(run['started'][:10])}, {where}, {machine}: {fine} of {total} readings as expected.",
        "",
        "| statement | as we found it, reading by reading |",
        "|---|---|",
        *rows,
    ]


def _link(claim: Record) -> str:
    return f"[{text(claim['title'])}](claims/{claim['document']['id']}/{claim['id']}/claim.yaml)"


def _reading(claim: Record, name: str) -> str:
    """Return `✓ as documented: gap closes 0.322 [0.28, 0.37]`."""
    reading = claim["readings"][name]
    verdict = reading["verdict"]
    mark = "" if reading["as_expected"] else f" ({verdict}, expected {reading['expected']})"
    # What decided: of several, the first that is no mathematics, as that has an interval to show.
    decided = sorted(
        ((key, e) for key, e in reading["expectations"].items() if e["verdict"] == verdict),
        key=lambda found: found[1]["exact"],
    )
    value = "".join(f": {words(key)} {_value(e)}" for key, e in decided[:1])
    return f"{explain.SYMBOL[verdict]} {words(name)}{mark}{value}"


def _value(e: Record) -> str:
    estimate = explain.number(e["estimate"], 3)
    return estimate if e["exact"] else f"{estimate} {explain.span(e, 2)}"
