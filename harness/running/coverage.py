"""Documents statement by statement: which claim answers each, and what its readings say of it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from harness.errors import SpecError
from harness.judging.statements import NOT_CHECKED, UNRUN, word_of
from harness.judging.verdict import NOT_RUN
from harness.running.quotations import held
from harness.store.records.coverage import DocumentCoverage, StatementRecord
from harness.trials.catalogue import claim_folders, declares, load_claim
from harness.trials.documents import load_documents
from harness.trials.quotations import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from harness.judging.statements import Word
    from harness.specification.document import Answer, Document, Statement
    from harness.specification.kinds import Verdict
    from harness.specification.models import Claim
    from harness.store.records.claim import ClaimRecord
    from harness.store.records.run import Run

    Answers = Mapping[str, tuple[str, Answer]]


def coverage(
    documents: Iterable[Document], claims: Iterable[Claim], records: Mapping[str, ClaimRecord]
) -> list[DocumentCoverage]:
    """Return every document with statements, each statement with what is said of it.

    Args:
        documents: what is to be covered.
        claims: specifications; their `answers` say which readings answer what.
        records: claim -> its record, of claims that were run.
    """
    answers = {name: (claim.id, answer) for claim in claims for name, answer in claim.answers.items()}
    return [
        DocumentCoverage(
            document=document,
            statements=[_covered(name, s, answers, records) for name, s in document.statements.items()],
        )
        for document in documents
        if document.statements
    ]


def with_coverage(run: Run, root: Path) -> Run:
    """Return a run with what it says of the documents below `root`, and of numbers that the project's texts print.

    A claim that cannot be loaded answers nothing.
    """
    documents, folders = load_documents(root), claim_folders(root)
    if not any(document.statements or document.quotations for document in documents):
        # Only tables print numbers then, and most claims have none.
        folders = [folder for folder in folders if declares(folder, "table")]
    claims = []
    for folder in folders:
        with contextlib.suppress(SpecError):
            claims.append(load_claim(folder))
    found = coverage(documents, [folder.claim for folder in claims], run.records)
    numbers, _ = quoted(root, documents, claims)
    held_against = [held(number, run.records[number.claim]) for number in numbers if number.claim in run.records]
    return run.model_copy(update={"documents": found, "quotations": held_against})


def _covered(name: str, statement: Statement, answers: Answers, records: Mapping[str, ClaimRecord]) -> StatementRecord:
    claim, answer = answers.get(name, (None, None))
    record = records.get(claim) if claim else None
    verdicts: dict[str, Verdict] = {}
    word: Word = NOT_CHECKED if statement.not_checked else UNRUN
    if answer and record:
        verdicts = {r: record.readings[r].verdict if r in record.readings else NOT_RUN for r in answer.readings}
        word = word_of([verdicts[r] for r in answer.literal], [verdicts[r] for r in answer.only_when])
    return StatementRecord(**dict(statement), id=name, word=word, claim=claim, answer=answer, verdicts=verdicts)
