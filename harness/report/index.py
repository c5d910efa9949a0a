"""claims/README.md, every claim with its last verdicts; and the table of verdicts in a project's README.md.

A row is of the claim's last run that gave a verdict, whatever other claims were run since, and with what profile. Of a claim
that the store has no verdict of, the row stays as it stands: it was written where there was one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from harness._text import in_markdown as text
from harness.report import wording
from harness.report.place_text import machines
from harness.report.sections import marks, sentence, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.store.records.claim import ClaimRecord
    from harness.trials.catalogue import ClaimFolder

TABLE = re.compile(r"(<!-- claims: verdicts -->\n)(.*?)(<!-- end -->)", re.DOTALL)
"""Where a README.md has the table; what stands between is written anew."""

_ROW = re.compile(r"^\| \[.*\]\((?:\S*/)?(?P<claim>[a-z0-9_]+)/claim\.yaml\) \|(?P<cells>.*)\|$", re.MULTILINE)
_ALL_OF_ONE_RUN = re.compile(r"^Run of (?P<run>.+): \d+ of \d+ readings as expected\.$", re.MULTILINE)
_SEPARATOR = re.compile(r"(?<!\\)\|")

UNEXPECTED = ", expected "
"""Stands in the words of a reading that did not come out as expected, and of no other; see `wording.came_out`."""


class _Verdicts(NamedTuple):
    """A row of the table: every reading of a claim, and which run it is of."""

    readings: str
    run: str


def index(folders: Sequence[ClaimFolder], last: Mapping[str, ClaimRecord], before: str = "") -> str:
    """Return the index: per document its claims, what each says, and how its readings came out last.

    Args:
        folders: the claims.
        last: claim -> its last record with verdicts.
        before: the index as it stands.
    """
    standing = {claim: _padded(cells, 3) for claim, cells in _rows(before).items()}
    lines = ["# Claims", "", "Written by `claims index`; each row is of the claim's last run that gave a verdict."]
    for key in dict.fromkeys(folder.document.id for folder in folders):
        own = [folder for folder in folders if folder.document.id == key]
        head = ["| claim | as we found it | readings | run |", "|---|---|---|---|"]
        lines += ["", f"## {text(own[0].document.title)}", "", *head]
        for folder in own:
            cells = standing.get(folder.claim.id, ["not run yet", "", ""])
            if record := last.get(folder.claim.id):
                cells = [sentence(record), marks(record), _run(record)]
            row = "|".join(f" {cell} " if cell else " " for cell in cells)
            lines.append(f"| [{text(folder.claim.title)}]({key}/{folder.claim.id}/claim.yaml) |{row}|")
    return "\n".join(lines) + "\n"


def with_table(readme: str, folders: Sequence[ClaimFolder], last: Mapping[str, ClaimRecord]) -> str:
    """Return a README.md with the last verdicts between the lines `<!-- claims: verdicts -->` and `<!-- end -->`.

    One without these lines is returned as it is.
    """

    def written(found: re.Match[str]) -> str:
        table = "\n".join(verdict_table(folders, last, found[2]))
        return f"{found[1]}{table}\n{found[3]}"

    return TABLE.sub(written, readme)


def verdict_table(folders: Sequence[ClaimFolder], last: Mapping[str, ClaimRecord], before: str = "") -> list[str]:
    """Return a row per claim: its title, and of every reading the verdict with the estimate that decided it.

    The run stands above where it is the same for all rows, else in each.
    """
    known = {**_standing(before), **{claim: _verdicts(record) for claim, record in last.items()}}
    ordered = sorted(folders, key=lambda folder: (folder.document.id, folder.claim.id))
    shown = [(folder, known[folder.claim.id]) for folder in ordered if folder.claim.id in known]
    runs = {verdicts.run for _, verdicts in shown}
    readings = [reading for _, verdicts in shown for reading in verdicts.readings.split("<br>")]
    fine = f"{sum(UNEXPECTED not in reading for reading in readings)} of {len(readings)} readings as expected."
    if len(runs) == 1:
        head = [f"Run of {runs.pop()}: {fine}", "", "| statement | as we found it, reading by reading |", "|---|---|"]
        return [*head, *(f"| {_link(folder)} | {verdicts.readings} |" for folder, verdicts in shown)]
    head = [f"Each claim as it came out last: {fine}", ""]
    head += ["| statement | as we found it, reading by reading | run |", "|---|---|---|"]
    return [*head, *(f"| {_link(folder)} | {' | '.join(verdicts)} |" for folder, verdicts in shown)]


def stale(before: str, after: str) -> list[str]:
    """Return the claims whose rows differ between a page as it stands and as it should be."""
    old, new = (dict.fromkeys(page.splitlines()) for page in (before, after))
    changed = [line for line in (*new, *old) if (line in old) != (line in new)]
    return list(dict.fromkeys(row["claim"] for line in changed if (row := _ROW.match(line))))


def _rows(page: str) -> dict[str, list[str]]:
    """Return claim -> the cells of its row behind the title, as they stand in a page."""
    return {row["claim"]: [cell.strip() for cell in _SEPARATOR.split(row["cells"])] for row in _ROW.finditer(page)}


def _padded(cells: list[str], number: int) -> list[str]:
    """Return so many cells: somebody may have edited the page."""
    return [*cells, *[""] * number][:number]


def _standing(table: str) -> dict[str, _Verdicts]:
    """Return what stands in a table: claim -> its verdicts, with the run of its row, or of all rows."""
    of_all = _ALL_OF_ONE_RUN.search(table)
    run = of_all["run"] if of_all else ""
    return {claim: _Verdicts(*_padded([*cells, *[run] * (len(cells) < 2)], 2)) for claim, cells in _rows(table).items()}


def _verdicts(record: ClaimRecord) -> _Verdicts:
    return _Verdicts("<br>".join(_reading(record, name) for name in record.readings), _run(record))


def _run(record: ClaimRecord) -> str:
    """Return which run a claim's verdicts are of: `2026-11-21, profile quick, base seed 0, a processor, 2 cores`."""
    return (
        f"{text(record.finished[:10])}, profile {text(record.profile)}, base seed {record.base_seed}, "
        f"{text(machines(record.places) or 'it is not known where')}"
    )


def _link(folder: ClaimFolder) -> str:
    return f"[{text(folder.claim.title)}](claims/{folder.document.id}/{folder.claim.id}/claim.yaml)"


def _reading(claim: ClaimRecord, name: str) -> str:
    """Return `✓ as documented: gap closes 0.322 [0.28, 0.37]`."""
    reading = claim.readings[name]
    verdict = reading.verdict
    mark = "" if reading.as_expected else f" ({text(wording.came_out(reading))})"
    decided = wording.decided_words(reading)
    return f"{wording.SYMBOL[verdict]} {words(name)}{mark}{f': {decided}' if decided else ''}"
