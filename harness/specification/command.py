"""A command that yields a claim's trials in the place of measure(): how it is started, and where its metrics stand."""

from __future__ import annotations

import re
import shlex
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from harness.specification.kinds import Name, Strict
from harness.specification.placeholders import names_in

FILE = re.compile(r"\{out\}/(?!.*\.\.).+\.(json|jsonl|ndjson|csv|tsv)")
"""Files that can be read: below the trial's own folder, where nothing of another trial lies."""


def _word(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("should be text: put it in quotes, as the command is to get it")  # noqa: TRY004 - pydantic's way
    try:
        names_in(value)
    except ValueError as error:
        raise ValueError(f"should be text without {error}") from None
    if "\0" in value:
        raise ValueError("should be text without a character NUL, which no command can be given")
    return value


def _file(value: Any) -> Any:
    if not FILE.fullmatch(_word(value)):
        raise ValueError(
            "should be a file below the trial's own folder, such as {out}/metrics.json, .jsonl, .csv or .tsv"
        )
    return value


Word = Annotated[str, BeforeValidator(_word)]

Words = Annotated[list[Word], Field(min_length=1)]

File = Annotated[str, BeforeValidator(_file)]


def command_line(run: Any) -> str:
    """Return words as a shell would be given them; of arms with commands of their own each in turn."""
    if isinstance(run, dict):
        return "; ".join(f"{arm}: {command_line(words)}" for arm, words in run.items())
    return shlex.join(map(str, run)) if isinstance(run, list) else str(run)


class Place(Strict):
    """Where a metric stands in what a command leaves."""

    key: Annotated[str, Field(min_length=1)]
    """its name there, or a path of keys with dots: `eval.return`"""
    file: File | None = None
    """the file that holds it; the command's `output` by default"""
    take: Literal["last", "min", "max", "mean"] = "last"
    """of a file of rows: the last row that has it, or the smallest, largest or mean value over rows"""

    @model_validator(mode="before")
    @classmethod
    def _from_key(cls, value: Any) -> Any:
        return {"key": value} if isinstance(value, str) else value


class Command(Strict):
    """A command that is started once for each trial, without a shell; words may hold placeholders."""

    run: Words | dict[Name, Words]
    """its words, or arm -> its words"""
    folder: Annotated[str, Field(min_length=1)] = "."
    """where it is started, relative to the project"""
    environment: dict[str, Word] = {}
    """variables that are set besides those of the run"""
    output: File | None = None
    """the file that holds the metrics; the last line of standard output, as JSON, by default"""
    metrics: dict[Name, Place] = {}
    """where each metric stands; by its own name if it is not listed"""

    @model_validator(mode="before")
    @classmethod
    def _from_words(cls, value: Any) -> Any:
        return {"run": value} if isinstance(value, list) else value

    def words(self, arm: str) -> list[str]:
        """Return the words for an arm; none for one that has no command."""
        return self.run if isinstance(self.run, list) else self.run.get(arm, [])

    def place(self, metric: str) -> Place:
        """Return where a metric stands, its file filled in; the file is None for the last line of standard output."""
        found = self.metrics.get(metric) or Place(key=metric)
        return found if found.file else found.model_copy(update={"file": self.output})

    def of(self, arm: str, metrics: tuple[str, ...]) -> dict[str, Any]:
        """Return what the trials of an arm depend on, as plain values; the same however briefly it is written."""
        return {
            "run": self.words(arm),
            "folder": self.folder,
            "environment": self.environment,
            "metrics": {name: self.place(name).model_dump() for name in metrics},
        }
