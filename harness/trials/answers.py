"""Whether claims and documents fit: every answered statement is there, and answered once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import SpecError
from harness.specification.parsing import suggestion
from harness.specification.yaml12 import read_yaml
from harness.trials.documents import document_folders, load_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from harness.specification.document import Document, Statement
    from harness.specification.models import Claim
    from harness.specification.yaml12 import Location


def problems_of(root: Path, claims: Iterable[tuple[Path, Claim]]) -> list[str]:
    """Return a line for each document that is none, each statement that stands in two, and each answer that fits none.

    Args:
        root: the folder of the documents.
        claims: the folder of each claim, and the claim.
    """
    found: list[str] = []
    documents: list[Document] = []
    for home in document_folders(root):
        try:
            documents.append(load_document(home))
        except SpecError as error:
            found += error.problems
    statements: dict[str, Statement] = {}
    for document in documents:
        found += _twice(root, document, statements)
        statements |= document.statements
    first: dict[str, str] = {}
    for folder, claim in claims:
        problems = list(_unfitting(claim, statements, first))
        # A file is read again only to say where in it something is wrong.
        file = read_yaml(folder / "claim.yaml") if problems else None
        found += [file.problem(where, message) for where, message in problems if file]
    return found


def _twice(root: Path, document: Document, known: dict[str, Statement]) -> list[str]:
    both = document.statements.keys() & known.keys()
    file = read_yaml(root / document.id / "document.yaml") if both else None
    message = "stands in another document, too; each statement has a name of its own"
    return [file.problem(("statements", name), message) for name in sorted(both) if file]


def _unfitting(claim: Claim, statements: dict[str, Statement], first: dict[str, str]) -> Iterator[tuple[Location, str]]:
    for name in claim.answers:
        where = ("answers", name)
        statement = statements.get(name)
        if statement is None:
            yield where, f"no document.yaml has this statement; {suggestion(name, statements)}"
        elif statement.not_checked:
            yield where, "its document says `not_checked`; take out one of the two"
        if first.setdefault(name, claim.id) != claim.id:
            yield where, f"is answered by {first[name]}, too; one claim answers a statement"
