"""What lies beside verdicts: trials as they were measured, pictures, timings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from harness.specification.kinds import Value
from harness.store.records.parts import Count, Number, Part, SeedIndex


class PointRecord(Part):
    """The trials of an arm under a condition, as they were measured."""

    control: str | None
    """the control under whose change; null: the claim as it stands"""
    point: dict[str, Value]
    """arm, and condition -> value"""
    values: dict[str, dict[SeedIndex, Number]]
    """metric -> seed -> value; a duration is lacking where seeds were measured side by side"""


class Curve(Part):
    """A line of a picture."""

    name: str
    x: list[float]
    y: list[float]

    @model_validator(mode="after")
    def _has_a_y_for_every_x(self) -> Curve:
        if len(self.x) != len(self.y):
            raise ValueError("should have a y for every x")
        return self


class Image(Part):
    """A small grey image."""

    caption: str
    width: Count
    height: Count
    png: str
    """the file in base 64"""


class CurvesRecord(Part):
    """Curves of one seed, to look at."""

    kind: Literal["curves"]
    title: str
    x: str
    y: str
    log: Literal["", "x", "y", "xy"]
    lines: Annotated[list[Curve], Field(min_length=1)]


class ImagesRecord(Part):
    """Images of one seed, to look at."""

    kind: Literal["images"]
    title: str
    images: Annotated[list[Image], Field(min_length=1)]


class MatrixRow(Part):
    """A row of a table of counts."""

    name: str
    counts: list[Annotated[int, Field(ge=0)]]
    """one per column"""


class MatrixRecord(Part):
    """Counts of one seed, to look at: which class was taken for which."""

    kind: Literal["matrix"]
    title: str
    down: str
    across: str
    columns: Annotated[list[str], Field(min_length=1)]
    rows: Annotated[list[MatrixRow], Field(min_length=1)]


class NoPicture(Part):
    """Why there is no picture."""

    kind: Literal["error"]
    title: str


Illustration = Annotated[CurvesRecord | ImagesRecord | MatrixRecord | NoPicture, Field(discriminator="kind")]


Timed = Literal["training", "inference"]


class TimingRecord(Part):
    """What pytest-benchmark measured of an arm."""

    what: Timed
    arm: str
    median: float
    """seconds, as is iqr, the interquartile range"""
    iqr: float
    rounds: Count
    condition: dict[str, str]
    device: str
    processor: str
    finished: str


class PassedRecord(Part):
    """That an instrument test passed, which a store keeps."""

    inputs: Any
    """what it read, as `Inputs` reads it"""
    finished: str


class PicturesRecord(Part):
    """What a store keeps of a claim's pictures."""

    pictures: list[Illustration]
    inputs: Any = None
    """what they were drawn from, as `Inputs` reads it"""
