"""The plain parts that every record is made of."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from harness.trials import place

Count = place.Count
"""A number of things, no larger than what every reader of JSON keeps exactly."""

Number = float | None
"""A number, null where there is none: undefined, infinite, or not measured."""

Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]
"""A whole number that a store can hold."""

SeedIndex = Annotated[str, Field(pattern=r"^[0-9]{1,9}$")]
Rate = Annotated[float, Field(gt=0, lt=1)]
NotNegative = Annotated[float, Field(ge=0)]


class Part(BaseModel):
    """A part of a record; fields that a later version adds are let pass."""

    model_config = ConfigDict(
        extra="allow", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True, defer_build=True
    )


class Interval(Part):
    """An interval that n seeds give."""

    n: Count
    low: Number
    """null: no lower end"""
    high: Number
    """null: no upper end"""


class Trials(Part):
    """How the trials were come by."""

    reused: Count
    measured: Count
    failed: Count

    @property
    def total(self) -> int:
        """All of them."""
        return self.reused + self.measured + self.failed


class PlaceRecord(Part):
    """Where trials ran."""

    place: place.Place
    trials: Count
    """that ran there, reused and failed ones among them"""
    durations: Count
    """of them, those whose durations are evidence"""


def finite(value: float) -> float | None:
    """Return a number that JSON can hold, None for an infinite or undefined one."""
    return value if math.isfinite(value) else None
