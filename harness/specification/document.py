"""What document.yaml may say: where claims come from, and every checkable statement of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from harness.specification.kinds import Name, Strict, Text
from harness.specification.quotation import Quotation

STATEMENT = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,119}$"
StatementId = Annotated[str, Field(pattern=STATEMENT)]
"""What names a statement, in all documents of a project: `003:fits-random-labels`."""


class DocumentHead(Strict):
    """Where claims come from."""

    id: Name
    """the folder's name"""
    title: Text
    authors: str
    """who wrote it"""
    year: int
    """when"""
    url: str | None = None
    """where it can be read"""
    summary: Text
    """what it is, in our own words"""


class Wrong(Strict):
    """What is wrong with a statement, as a reader found it; a claim's verdict may say otherwise."""

    error: str | None = None
    """its number in a list of errors"""
    severity: Literal["untrue", "misquoted", "wording"]
    """untrue: numbers or a proof refute it; misquoted: it contradicts the source that it cites; wording: words alone"""
    because: Text
    """what is wrong, and what holds instead"""


class Statement(Strict):
    """A sentence of a document that can be checked."""

    place: str | None = None
    """where it stands, such as L41-43 for lines"""
    section: str
    """section of the document"""
    says: Text
    """the sentence, in our own words"""
    wrong: Wrong | None = None
    """what is wrong with it; absent from most"""
    unchecked: Text | None = None
    """which part of it stays unchecked, and why"""
    not_checked: Text | None = None
    """why no claim answers it"""


class Document(DocumentHead):
    """Where claims come from, and what can be checked of it."""

    text: str | None = None
    """glob of its text, in the folder that `claims report --documents` names; the text is no part of a project"""
    statements: dict[StatementId, Statement] = {}
    """statement -> what it says, in the order of the document"""
    quotations: dict[StatementId, Quotation] = {}
    """name -> a number in a text of the project, and the expectation that stands for it"""
    pages: list[Annotated[str, Field(min_length=1)]] = []
    """globs, relative to the project, of texts in which `claims index` keeps verdicts and numbers between marks"""


class Answer(Strict):
    """The readings that answer a statement; a list of readings stands for `literal`."""

    literal: Annotated[list[Name], Field(min_length=1)]
    """readings that take the sentence as it is written; it holds if all of them do"""
    only_when: list[Name] = []
    """readings that take it in a narrower scope"""
    instead: list[Name] = []
    """readings that say what holds instead of it"""

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, value: object) -> object:
        return {"literal": value} if isinstance(value, list) else value

    @property
    def readings(self) -> list[str]:
        """All of them."""
        return [*self.literal, *self.only_when, *self.instead]
