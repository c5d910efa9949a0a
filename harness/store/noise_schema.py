"""The shape of an A/A run in a report, and the plain parts that all of a report is made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

NOISE = "noise"
"""The kind of record that a store keeps of an A/A run beside a claim's trials."""

Number = float | None
"""A number, null where there is none: undefined, infinite, or not measured."""

Count = Annotated[int, Field(ge=0, le=2**53)]
"""A number of things, no larger than what every reader of JSON keeps exactly."""

Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]
"""A whole number that a store can hold."""

Verdict = Literal["VERIFIED", "REFUTED", "INCONCLUSIVE", "INVALID", "NOT_RUN"]
SeedIndex = Annotated[str, Field(pattern=r"^[0-9]{1,9}$")]
Rate = Annotated[float, Field(gt=0, lt=1)]
NotNegative = Annotated[float, Field(ge=0)]


class Part(BaseModel):
    """A part of a report; fields that a later version adds are let pass."""

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False, use_attribute_docstrings=True)


class Look(Part):
    """The interval after n seeds."""

    n: Count
    low: Number
    high: Number


class SeedPlanRecord(Part):
    """When the evidence is looked at."""

    first: Count
    """seeds at the first look"""
    step: Count
    """more seeds at every further look"""
    cap: Count
    """seeds at most"""


class Trials(Part):
    """How the trials were come by."""

    reused: Count
    measured: Count
    failed: Count


class Place(Part):
    """An arm, and a value of every condition."""

    arm: str


class Floor(Part):
    """How far reruns of a seed lie apart."""

    spread: float
    """largest less smallest"""
    in_sd: Number
    """the same in standard deviations over seeds; null where there is no spread"""
    from_evidence: float
    """largest distance to the stored trial"""
    reruns: dict[SeedIndex, list[Number]]
    """seed -> what each rerun gave"""


class SelfComparison(Part):
    """An arm's difference from itself in one metric, at one place."""

    metric: str
    unit: str
    point: Place
    constant: bool
    """whether the metric has one value in every trial, which says nothing"""
    verdict: Literal["NOT_TOLD_APART", "DIFFERENT", "INVALID"]
    problems: list[str] = []
    """what is no measurement; then the fields below are missing"""
    n: Count = 0
    estimate: Number = None
    low: Number = None
    high: Number = None
    sd: Number = None
    looks: list[Look] = []
    values: dict[SeedIndex, Number] = {}
    noise: Floor | None = None


class SelfExpectation(Part):
    """An expectation with the arm in both places."""

    verdict: Verdict
    reason: str
    alpha: Rate
    admits_equality: bool
    """whether the band holds the contrast of equals; then it must not be refuted, else it must not be verified"""
    as_it_must: bool


class NoiseRecord(Part):
    """An A/A run: an arm against itself, and the noise floor of reruns."""

    id: str
    arm: str
    profile: str
    base_seed: Whole
    streams: Annotated[list[Whole], Field(min_length=2, max_length=2)]
    """base seeds of the two streams"""
    seeds: SeedPlanRecord
    alpha: Rate
    verdict: Literal["NOT_TOLD_APART", "DIFFERENT", "INVALID"]
    comparisons: list[SelfComparison]
    expectations: dict[str, SelfExpectation]
    repeats: Count
    """times that the repeated seeds were measured again"""
    repeated_seeds: list[Whole]
    errors: list[str]
    trials: Trials
    compute_seconds: float
    fingerprint: str
    """of code, data, environment and settings: what was found holds for as long as this stays"""
    environment: dict[str, str]
    processor: str
    finished: str
