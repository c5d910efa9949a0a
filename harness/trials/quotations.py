"""Printed numbers found in the project's texts: where each stands, and which expectation it is held against."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.judging.points import unit_of
from harness.specification.parsing import suggestion
from harness.specification.quotation import alone, meant, misfit
from harness.specification.yaml12 import read_yaml
from harness.trials.tables import cells_of, printed, range_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from harness.specification.document import Document
    from harness.specification.kinds import Verdict
    from harness.specification.models import Claim
    from harness.specification.quotation import Quotation
    from harness.trials.catalogue import ClaimFolder


@dataclass(frozen=True)
class QuotedNumber:
    """A number in a text, and what it stands for.

    Attributes:
        file: the text, relative to the project.
        line: where the number stands in it, from 1.
        printed: the number with its unit, as it is printed.
        low: the least that rounds to it, or that its tolerance admits, in the metric's unit.
        high: the most.
        claim: the claim that says whether it is so.
        expectation: the expectation whose estimate it is.
        relied_on: the verdict that the text relies on; None where none is relied on.
    """

    file: str
    line: int
    printed: str
    low: float
    high: float
    claim: str
    expectation: str
    relied_on: Verdict | None


def quoted(
    root: Path, documents: Iterable[Document], folders: Iterable[ClaimFolder]
) -> tuple[list[QuotedNumber], list[str]]:
    """Return the printed numbers of a project, those of its documents and of its claims' tables; and what is wrong, a line each.

    Args:
        root: the folder of the documents, in the project.
        documents: whose quotations are looked for.
        folders: the claims that they name.
    """
    claims = {folder.claim.id: folder.claim for folder in folders}
    found = [number for folder in folders for number in quoted_by(folder)]
    problems: list[str] = []
    for document in documents:
        wrong: list[tuple[tuple[str, str, str], str]] = []
        for name, quotation in document.quotations.items():
            trouble = list(_unfitting(quotation, claims))
            number = None if trouble else _found(quotation, root.parent, trouble)
            found += [number] if number else []
            wrong += [(("quotations", name, field), message) for field, message in trouble]
        # A file is read again only to say where in it something is wrong.
        file = read_yaml(root / document.id / "document.yaml") if wrong else None
        problems += [file.problem(where, message) for where, message in wrong if file]
    return found, problems


def quoted_by(folder: ClaimFolder) -> list[QuotedNumber]:
    """Return the numbers of a claim's table; none where it has none."""
    claim, table = folder.claim, folder.claim.table
    if table is None:
        return []
    columns = claim.conditions[table.over].values if table.over else list(claim.metrics)
    return [
        QuotedNumber(
            table.file.partition("#")[0],
            cell.line,
            printed(cell, table),
            *range_of(cell, table),
            claim.id,
            cell.name(table),
            None,
        )
        for cell in cells_of(table, folder.project, claim.arms, columns)[0]
    ]


def _unfitting(quotation: Quotation, claims: Mapping[str, Claim]) -> Iterator[tuple[str, str]]:
    """Yield what a quotation names that is not there, each with the field."""
    claim = claims.get(quotation.claim)
    if claim is None:
        yield "claim", f"there is no claim {quotation.claim!r}; {suggestion(quotation.claim, claims)}"
        return
    expectation = claim.expectations.get(quotation.expectation)
    if expectation is None:
        known = suggestion(quotation.expectation, claim.expectations)
        yield "expectation", f"{claim.id} has no expectation {quotation.expectation!r}; {known}"
        return
    if wrong := misfit(quotation.unit, unit_of(expectation.contrast, claim)):
        yield "unit", wrong


def _found(quotation: Quotation, project: Path, trouble: list[tuple[str, str]]) -> QuotedNumber | None:
    """Return where a quotation stands; None, and one more in `trouble`, where it does not stand once."""
    path = project / quotation.file
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        trouble.append(("file", f"{quotation.file!r} cannot be read: {error}; name a text of the project, in UTF-8"))
        return None
    places = list(re.finditer(r"\s+".join(map(re.escape, quotation.says.split())), text))
    if len(places) != 1:
        lines = ", ".join(str(line_at(text, place.start())) for place in places)
        where = (
            f"stands {len(places)} times, in lines {lines}; quote more of it" if places else _vanished(quotation, text)
        )
        trouble.append(("says", f"{quotation.file}: {where}"))
        return None
    inner = re.search(alone(quotation.number), places[0][0])
    assert inner  # the specification has seen to that
    return QuotedNumber(
        quotation.file,
        line_at(text, places[0].start() + inner.start()),
        f"{quotation.number} {quotation.unit}".strip(),
        *meant(quotation.number, quotation.unit),
        quotation.claim,
        quotation.expectation,
        quotation.verdict,
    )


def _vanished(quotation: Quotation, text: str) -> str:
    """Return that the words do not stand in a text any more, and how far they still do."""
    words = quotation.says.split()
    for count in range(len(words) - 1, 2, -1):
        place = re.search(r"\s+".join(map(re.escape, words[:count])), text)
        if place:
            still, line = " ".join(words[:count]), line_at(text, place.start())
            return f"the words are not there any more; line {line} still has {still!r}: quote what stands there now, and look whether it holds"
    return "the words are not there any more; quote what stands there now, and look whether it holds"


def line_at(text: str, position: int) -> int:
    """Return the line of a position in a text, from 1."""
    return text.count("\n", 0, position) + 1
