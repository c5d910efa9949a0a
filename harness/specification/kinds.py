"""The kinds of contrast that claim.yaml may ask for: one number per seed, and what the seeds are asked for."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator

Value = bool | int | float | str
Cell = dict[str, Value | list[Value]]
"""An arm and a value of every condition; a list of values goes with `take`."""

Verdict = Literal["VERIFIED", "REFUTED", "INCONCLUSIVE", "INVALID", "NOT_RUN"]
"""What may come out of an expectation or a reading."""

NAME = r"^[a-z][a-z0-9_]{0,79}$"
Name = Annotated[str, Field(pattern=NAME)]


class Strict(BaseModel):
    """A part of a specification: nothing that is not declared, nothing converted."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True, defer_build=True
    )


Text = Annotated[str, Field(min_length=3, max_length=4000)]


class QuantileOver(Strict):
    """A quantile over seeds."""

    quantile: Annotated[float, Field(gt=0, lt=1)]


OverSeeds = Annotated[
    Literal["mean", "median"] | QuantileOver | None,
    Field(description="what the seeds are asked for: mean (the default), median, or {quantile: q}"),
]


class Mean(Strict):
    """The metric at one cell, its mean over seeds."""

    mean: Name
    at: Cell = {}


class Median(Strict):
    """The metric at one cell, its median over seeds."""

    median: Name
    at: Cell = {}


class Quantile(Strict):
    """The metric at one cell, a quantile of it over seeds."""

    quantile: Name
    q: Annotated[float, Field(gt=0, lt=1)]
    """share of seeds at or below it"""
    at: Cell = {}


class Rate(Strict):
    """The share of seeds in which a metric of zeros and ones is 1 at one cell."""

    rate: Name
    at: Cell = {}


class Difference(Strict):
    """The metric at `of` minus the metric at `minus`."""

    difference: Name
    of: Cell
    minus: Cell
    over_seeds: OverSeeds = None


class Ratio(Strict):
    """The metric at `of` divided by the metric at `to`, judged on the log scale."""

    ratio: Name
    of: Cell
    to: Cell
    over_seeds: OverSeeds = None


class Interaction(Strict):
    """(of - minus) under `here`, less (of - minus) under `there`."""

    interaction: Name
    of: Cell
    minus: Cell
    here: Cell
    there: Cell
    over_seeds: OverSeeds = None


class WeightedCell(Strict):
    """A cell of a linear contrast."""

    weight: Annotated[float, Field(json_schema_extra={"not": {"const": 0}})]
    """what its metric is multiplied by; not 0"""
    at: Cell

    @field_validator("weight")
    @classmethod
    def _says_something(cls, value: float) -> float:
        if value == 0:
            raise ValueError("should not be 0, which leaves the cell out")
        return value


class Linear(Strict):
    """The sum of the metric over some cells, each multiplied by its weight."""

    linear: Name
    cells: Annotated[list[WeightedCell], Field(min_length=2, max_length=100)]
    over_seeds: OverSeeds = None


class Slope(Strict):
    """Least-squares slope of the metric over a numeric condition."""

    slope: Name
    over: Name
    at: Cell = {}
    values: Annotated[list[float], Field(min_length=2)] | None = None
    over_seeds: OverSeeds = None


class LogLogSlope(Strict):
    """Least-squares slope of log metric over log condition."""

    loglog_slope: Name
    over: Name
    at: Cell = {}
    values: Annotated[list[float], Field(min_length=2)] | None = None
    over_seeds: OverSeeds = None


class RankTrend(Strict):
    """Kendall's tau between a numeric condition and the metric."""

    rank_trend: Name
    over: Name
    at: Cell = {}
    values: Annotated[list[float], Field(min_length=3)] | None = None
    over_seeds: OverSeeds = None


class Exact(Strict):
    """The metric in every instance; one outside the band refutes."""

    exact: Name
    at: Cell = {}


KINDS: dict[str, type[Strict]] = {
    "mean": Mean,
    "median": Median,
    "quantile": Quantile,
    "rate": Rate,
    "difference": Difference,
    "ratio": Ratio,
    "interaction": Interaction,
    "linear": Linear,
    "slope": Slope,
    "loglog_slope": LogLogSlope,
    "rank_trend": RankTrend,
    "exact": Exact,
}


def _kind_of(value: Any) -> str | None:
    if isinstance(value, Strict):
        return next(kind for kind, model in KINDS.items() if isinstance(value, model))
    named = [kind for kind in KINDS if isinstance(value, dict) and kind in value]
    return named[0] if named else None


Contrast = Annotated[
    Annotated[Mean, Tag("mean")]
    | Annotated[Median, Tag("median")]
    | Annotated[Quantile, Tag("quantile")]
    | Annotated[Rate, Tag("rate")]
    | Annotated[Difference, Tag("difference")]
    | Annotated[Ratio, Tag("ratio")]
    | Annotated[Interaction, Tag("interaction")]
    | Annotated[Linear, Tag("linear")]
    | Annotated[Slope, Tag("slope")]
    | Annotated[LogLogSlope, Tag("loglog_slope")]
    | Annotated[RankTrend, Tag("rank_trend")]
    | Annotated[Exact, Tag("exact")],
    Discriminator(_kind_of),
]
