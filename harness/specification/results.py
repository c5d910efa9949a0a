"""Results that lie there already, in the place of measure(): which files hold them, and what their columns are."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from harness.specification.command import Word
from harness.specification.kinds import Name, Strict
from harness.specification.placeholders import names_in

ENDINGS = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet")
"""Of files that can be read."""

UNPAIRED = "none"
"""`pairing` of arms whose rows have nothing in common: groups, of different sizes or not."""

CHANGES = ("shuffle", "shift")
"""What a control may do to rows: permute the labels of arms (`true`), or add a number to every metric."""


def _files(value: Any) -> Any:
    fields = names_in(value) if isinstance(value, str) else []
    if not isinstance(value, str) or not value.endswith(ENDINGS) or len(set(fields)) < len(fields):
        raise ValueError(
            f"should be a file, or a glob with fields such as runs/{{arm}}_s{{seed}}.json, each once, that ends in {', '.join(ENDINGS)}"
        )
    return value


class Results(Strict):
    """Rows that trials are read from: one row for each arm, condition and pairing key."""

    files: Annotated[str, BeforeValidator(_files)]
    """a file or glob, relative to the project; `{name}` in it is a column that the file's name holds"""
    pairing: Annotated[str, Field(min_length=1)] = "seed"
    """the column whose value rows of different arms share, or `none`: then arms are groups of rows"""
    arm: Annotated[str, Field(min_length=1)] = "arm"
    """the column that names an arm which has no settings of its own"""
    metrics: dict[Name, Word] = {}
    """the column of a metric, by its own name if it is not listed; `{arm}` and settings in braces are filled in"""

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"files": value} if isinstance(value, str) else value

    @property
    def paired(self) -> bool:
        """Whether rows of different arms belong together."""
        return self.pairing != UNPAIRED

    def column(self, metric: str) -> str:
        """Return the column of a metric, placeholders still open."""
        return self.metrics.get(metric, metric)
