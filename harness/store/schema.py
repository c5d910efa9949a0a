"""The shape of report.json: what every field is, published as JSON Schema.

A field is added in a line or two, in the model of the part that has it. A default says that a report may lack the field,
as those of earlier versions do; what is renamed or removed, or changes its meaning, raises SCHEMA_VERSION.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag, model_validator

from harness.store.claim_schema import ClaimRecord
from harness.store.noise_schema import Count, Number, Part, Whole
from harness.store.problem_schema import ProblemRecord

SCHEMA_VERSION = 1
"""Version of report.json; it changes when a field is renamed, removed or changes its meaning."""


class OptionsRecord(Part):
    """What the user chose."""

    profile: str
    base_seed: Whole
    accumulate: bool = False
    store: str = ""
    fresh: bool = False
    device: str = "auto"
    workers: Count = 0
    max_seconds: Number = None
    sources: dict[str, str] = {}
    """option -> where its value came from"""


class Machine(Part):
    """Where it was run."""

    commit: str | None
    uncommitted_changes: bool | None
    python: str
    packages: dict[str, str]
    platform: str
    processor: str
    cores: Count
    gpus: list[str] = []


class ErrorBudget(Part):
    """What all verdicts of the run together may get wrong, at most."""

    expectations: Count
    expected_false_verdicts: float
    expected_false_controls: float
    family_wise_rate: float
    """chance that even one adjusted verdict is false"""
    without_bound: Count = 0
    """sampled expectations that the sums leave out: their seeds are not what their error rates take for granted"""
    by_resolution: Count = 0
    """expectations among those summed that gave the same in every seed, and rest on their metric's resolution"""
    fallen: Count
    """readings whose verdict does not stand after the adjustment"""


def _kind_of(claim: Any) -> str:
    return "(problem)" if isinstance(claim, dict) and "problem" in claim else "(claim)"


AnyClaim = Annotated[
    Annotated[ClaimRecord, Tag("(claim)")] | Annotated[ProblemRecord, Tag("(problem)")], Discriminator(_kind_of)
]


class Head(Part):
    """A run without its claims."""

    id: str
    started: str
    """when, ISO 8601 in UTC"""
    finished: str | None = None
    options: OptionsRecord
    machine: Machine


class Run(Head):
    """report.json: one run, with all that it says of its claims. A number that does not exist is null, never 0."""

    schema_version: Literal[1]
    exit_code: Whole
    error_budget: ErrorBudget
    claims: list[AnyClaim]

    @model_validator(mode="after")
    def _each_claim_once(self) -> Run:
        ids = [claim.id for claim in self.claims]
        twice = next((name for name in ids if ids.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"should have each claim once, and has {twice!r} twice")
        return self


def schema() -> dict[str, Any]:
    """Return the JSON Schema of report.json."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Run.model_json_schema()}
