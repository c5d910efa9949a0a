"""Numbers that a project's own texts print: which expectation stands for each, and what a printed number says.

A number as printed stands for all that rounds to it: 2.1 for [2.05, 2.15].
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from harness.specification.kinds import Name, Strict, Text, Value, Verdict

Unit = Literal["", "%", "ms", "s", "min", "h", "x"]

SCALES: dict[str, tuple[str, str]] = {
    "": ("1", ""),
    "x": ("1", ""),
    "%": ("0.01", "fraction"),
    "ms": ("0.001", "second"),
    "s": ("1", "second"),
    "min": ("60", "second"),
    "h": ("3600", "second"),
}
"""Unit of a printed number -> what it is in the metric's, and the unit that the metric then has; empty for any."""

NUMBER = r"[-+\u2212]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?"
"""A number as texts print it: 2.1, 1,200, .05, 1e-3."""

Range = tuple[float, float]


class Quotation(Strict):
    """A number in a text of the project, and the expectation that stands for it."""

    file: Annotated[str, Field(min_length=1)]
    """the text, relative to the project"""
    says: Text
    """the words around the number as they stand there, once; line breaks count as spaces"""
    number: Annotated[str, Field(pattern=f"^{NUMBER}$")]
    """the number as it stands in these words, in quotes"""
    unit: Unit = ""
    """its unit"""
    claim: Name
    """the claim that says whether it is so"""
    expectation: Name
    """the expectation of the claim whose estimate it is"""
    verdict: Verdict = "VERIFIED"
    """the verdict that the sentence relies on"""

    @model_validator(mode="after")
    def _within(self) -> Quotation:
        times = len(re.findall(alone(self.number), self.says))
        if times != 1:
            raise ValueError(
                f"number: {self.number!r} stands {times} times in says; quote words in which it stands once"
            )
        return self


class Table(Strict):
    """A Markdown table of the project whose cells are readings: rows are arms, columns values of a condition, or metrics."""

    file: Annotated[str, Field(pattern=r"^[^#]+(#[^#]+)?$")]
    """the text, relative to the project, and the heading above the table: README.md#benchmark"""
    metric: Name | None = None
    """the metric of all cells; with `over`"""
    over: Name | None = None
    """the condition whose values the columns are; without it columns are metrics"""
    unit: Unit = ""
    """unit of the numbers"""
    tolerance: Annotated[float, Field(gt=0)] | None = None
    """how far the truth may be from a number, in its unit; half of its last digit by default"""
    rows: dict[str, Name] = {}
    """what the first column says -> arm; by default all rows, each named as its arm"""
    columns: dict[str, Value] = {}
    """what the head says -> value, or metric; by default all columns, each named as its value or metric"""
    because: Text | None = None
    """where the numbers come from"""
    no_control: Text | None = None
    """why no control could turn a cell; else controls break `table`, which is all cells"""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"file": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _both_or_none(self) -> Table:
        if (self.metric is None) != (self.over is None):
            raise ValueError("metric and over go together; without both, columns are metrics")
        return self


def alone(number: str) -> str:
    """Return the pattern of a number that is no part of a longer one."""
    return rf"(?<![\d.,]){re.escape(number)}(?![\d]|[.,]\d)"


def meant(number: str, unit: Unit, tolerance: float | None = None) -> Range:
    """Return what a printed number stands for, in the metric's unit: all that rounds to it, or `tolerance` to either side.

    Raises:
        ValueError: it is no number.
    """
    if not re.fullmatch(NUMBER, number):
        raise ValueError(f"{number!r} is no number")
    value, scale = Decimal(number.replace(",", "").replace("\N{MINUS SIGN}", "-")), Decimal(SCALES[unit][0])
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)  # the pattern admits no infinity
    slack = Decimal(5).scaleb(exponent - 1) if tolerance is None else Decimal(str(tolerance))
    return float((value - slack) * scale), float((value + slack) * scale)


def misfit(unit: str, of: str) -> str:
    """Return why a number in `unit` cannot be an estimate that has the unit `of`; empty if it can."""
    wanted = SCALES[unit][1]
    if not wanted or wanted == of or (wanted == "fraction" and of in ("0 or 1", "rate", "ratio")):
        return ""
    return f"{unit!r} is a unit of {wanted}s, but the estimate has the unit {of!r}; give the unit that fits"
