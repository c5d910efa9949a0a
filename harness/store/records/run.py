"""A run: report.json, and its JSON Schema.

A field is added in a line or two, in the model of the part that has it; what is renamed or removed, or changes its
meaning, raises SCHEMA_VERSION.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Tag, model_validator

from harness.store.records.claim import ClaimRecord, ProblemRecord
from harness.store.records.coverage import DocumentCoverage
from harness.store.records.parts import Count, Number, Part, Whole
from harness.store.records.quotation import QuotationRecord

SCHEMA_VERSION: Final = 1
"""Version of report.json; it changes when a field is renamed, removed or changes its meaning."""


class OptionsRecord(Part):
    """What the user chose."""

    profile: str
    base_seed: Whole
    accumulate: bool
    store: str
    fresh: bool
    device: str
    workers: Count
    max_seconds: Number
    executor: str
    """where trials ran: `processes` of this machine, or `ray`"""
    ray_address: str
    """the cluster, if there was one"""
    sources: dict[str, str]
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
    gpus: list[str]


class ErrorBudget(Part):
    """What all verdicts of the run together may get wrong, at most."""

    expectations: Count
    expected_false_verdicts: float
    expected_false_controls: float
    family_wise_rate: float
    """chance that even one adjusted verdict is false"""
    without_bound: Count
    """sampled expectations that the sums leave out: their seeds are not what their error rates take for granted"""
    by_resolution: Count
    """expectations among those summed that gave the same in every seed, and rest on their metric's resolution"""
    lost_after_holm: Count
    """readings whose verdict does not stand after the adjustment"""


def _kind_of(claim: Any) -> str:
    problem = isinstance(claim, ProblemRecord) or (isinstance(claim, dict) and "problem" in claim)
    return "(problem)" if problem else "(claim)"


AnyClaim = Annotated[
    Annotated[ClaimRecord, Tag("(claim)")] | Annotated[ProblemRecord, Tag("(problem)")], Discriminator(_kind_of)
]


class Head(Part):
    """A run without its claims."""

    id: str
    started: str
    """when, ISO 8601 in UTC"""
    finished: str | None
    options: OptionsRecord
    machine: Machine


class Run(Head):
    """report.json: one run, with all that it says of its claims. A number that does not exist is null, never 0."""

    schema_version: Literal[1] = SCHEMA_VERSION
    exit_code: Whole
    error_budget: ErrorBudget
    claims: list[AnyClaim]
    documents: list[DocumentCoverage] = []
    """documents whose statements are listed, with what this run says of them"""
    quotations: list[QuotationRecord] = []
    """numbers that the project's texts print, of claims of this run"""

    @model_validator(mode="after")
    def _each_claim_once(self) -> Run:
        ids = [claim.id for claim in self.claims]
        twice = next((name for name in ids if ids.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"should have each claim once, and has {twice!r} twice")
        return self

    @property
    def judged(self) -> list[ClaimRecord]:
        """The claims that could be run."""
        return [claim for claim in self.claims if isinstance(claim, ClaimRecord)]

    @property
    def records(self) -> dict[str, ClaimRecord]:
        """The claims that could be run, by their ids."""
        return {claim.id: claim for claim in self.judged}

    @property
    def problems(self) -> list[ProblemRecord]:
        """The claims that could not be run."""
        return [claim for claim in self.claims if isinstance(claim, ProblemRecord)]


def schema() -> dict[str, Any]:
    """Return the JSON Schema of report.json."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Run.model_json_schema()}
