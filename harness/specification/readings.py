"""What claim.yaml may ask: readings, their expectations with a contrast and a band, and controls."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from harness.specification.kinds import Contrast, Name, Strict, Text

Setting = bool | int | float | str | None | list[bool | int | float | str]


class Band(Strict):
    """The values that an expectation admits: exactly one of the three forms."""

    at_most: float | None = None
    at_least: float | None = None
    between: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Band:
        given = [form for form in (self.at_most, self.at_least, self.between) if form is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of at_most, at_least, between")
        if self.between is not None and not self.between[0] < self.between[1]:
            raise ValueError("between needs a lower end below its upper end")
        return self

    @property
    def low(self) -> float:
        """Lower end, -inf where there is none."""
        if self.between is not None:
            return self.between[0]
        return float("-inf") if self.at_least is None else self.at_least

    @property
    def high(self) -> float:
        """Upper end, inf where there is none."""
        if self.between is not None:
            return self.between[1]
        return float("inf") if self.at_most is None else self.at_most

    def __str__(self) -> str:
        if self.between is not None:
            return f"between {self.between[0]:g} and {self.between[1]:g}"
        return f"at least {self.at_least:g}" if self.at_least is not None else f"at most {self.at_most:g}"


class Expectation(Strict):
    """A contrast, the band it must lie in, and why that band."""

    contrast: Contrast
    """one number per seed"""
    band: Band
    """the values it may have"""
    because: Text
    """where the band comes from: the source, or a reason; never the run"""
    reported: float | None = None
    """the source's own figure, on the scale of the estimate"""
    alpha: Annotated[float, Field(gt=0, le=0.2)] = 0.001
    """error rate of this expectation's interval"""
    expected: Literal["VERIFIED", "REFUTED", "INCONCLUSIVE"] | None = None
    """the verdict to expect; VERIFIED by default, or the reading's where it is its only expectation"""
    no_control: Text | None = None
    """why no control could turn it; an expectation has this, or a control that breaks it"""


class Reading(Strict):
    """One way to take the statement, with one verdict."""

    means: str | None = None
    """how this reading takes the statement, in words"""
    expected: Literal["VERIFIED", "REFUTED", "INCONCLUSIVE"] = "VERIFIED"
    """the verdict that theory or source lets us expect"""
    because: Text | None = None
    """why that verdict is expected; needed unless VERIFIED"""
    decide: Literal["verdict", "all"] = "verdict"
    """sample until the reading has its verdict, or until every expectation has its own"""
    expectations: Annotated[dict[Name, Expectation], Field(min_length=1)]
    """all must hold"""

    @model_validator(mode="after")
    def _reasoned(self) -> Reading:
        if self.expected != "VERIFIED" and self.because is None:
            raise ValueError(f"expected: {self.expected} needs a `because` from theory or source")
        return self


class Control(Strict):
    """A change under which some expectations must not come out as expected."""

    change: Annotated[dict[str, Setting], Field(min_length=1)]
    """settings that replace those of every arm and profile"""
    arms: Annotated[list[Name], Field(min_length=1)] | None = None
    """arms that the change is made to; all by default. The others' trials are the claim's own"""
    breaks: Annotated[list[Name], Field(min_length=1)]
    """expectations that must not come out as expected under the change"""
    because: Text
    """why they must not"""
