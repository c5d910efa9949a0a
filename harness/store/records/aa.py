"""An A/A run: an arm against itself, and the noise floor of reruns."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.specification.kinds import Value, Verdict
from harness.specification.models import SeedPlan
from harness.store.records.parts import Count, Interval, Number, Part, PlaceRecord, Rate, SeedIndex, Trials, Whole

NOISE = "noise"
"""The kind of record that a store keeps of an A/A run beside a claim's trials."""

AAVerdict = Literal["NO_DIFFERENCE_DETECTED", "DIFFERENT", "INVALID"]


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


class SelfComparison(Interval):
    """An arm's difference from itself in one metric, at one place."""

    metric: str
    unit: str
    point: dict[str, Value]
    """arm, and condition -> value"""
    constant: bool
    """whether the metric has one value in every trial, which says nothing"""
    verdict: AAVerdict
    problems: list[str] = []
    """what is no measurement; then there is no seed"""
    n: Count = 0
    low: Number = None
    high: Number = None
    estimate: Number = None
    sd: Number = None
    looks: list[Interval] = []
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
    seeds: SeedPlan
    alpha: Rate
    verdict: AAVerdict
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
    places: list[PlaceRecord]
    finished: str
