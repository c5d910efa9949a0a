"""What claims say of the statements of documents."""

from __future__ import annotations

from collections import Counter

from harness.judging.statements import DECIDED, NOT_CHECKED, WORDS, Word
from harness.specification.document import Answer, DocumentHead, Statement, StatementId
from harness.specification.kinds import Verdict
from harness.store.records.parts import Part


class StatementRecord(Statement):
    """A statement, and what the readings that answer it say of it."""

    id: StatementId
    word: Word
    """what is said of it"""
    claim: str | None
    """the claim that answers it; null: none does"""
    answer: Answer | None
    """the readings that do"""
    verdicts: dict[str, Verdict]
    """reading -> verdict; empty where the claim was not run"""


class DocumentCoverage(Part):
    """A document, statement by statement."""

    document: DocumentHead
    statements: list[StatementRecord]

    @property
    def counts(self) -> dict[Word, int]:
        """How many statements are said what of, in the order of `WORDS`; none of which there is none."""
        found = Counter(statement.word for statement in self.statements)
        return {word: found[word] for word in WORDS if found[word]}


def share_decided(documents: list[DocumentCoverage]) -> float:
    """Return the percentage of statements that are decided, of those that can be checked; 100 of none."""
    words = [s.word for document in documents for s in document.statements if s.word != NOT_CHECKED]
    return 100.0 * sum(word in DECIDED for word in words) / len(words) if words else 100.0
