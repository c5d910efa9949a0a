"""A claim that was run: its readings, controls, trials, and what became of them; and one that could not be run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from harness.specification.document import Answer, DocumentHead, StatementId
from harness.specification.kinds import Name, Value
from harness.specification.models import SeedPlan, Source
from harness.store.records.aa import NoiseRecord
from harness.store.records.beside import Illustration, PointRecord, TimingRecord
from harness.store.records.expectation import ControlRecord, ExpectationRecord, ReadingRecord
from harness.store.records.parts import Count, Number, Part, PlaceRecord, Trials, Whole
from harness.store.records.proof import MutantsRecord
from harness.trials.identity import Identity

if TYPE_CHECKING:
    from harness.trials.place import Clock


class ForecastRecord(Part):
    """Whether a further run would decide an expectation."""

    n: Count
    """values that the forecast rests on"""
    effect: Number
    """distance of the mean to the nearest edge of the band, in standard deviations"""
    probability: Number
    """that it is decided within the cap"""
    seeds: Number
    """mean number of seeds until then"""
    underpowered: bool
    """whether that probability is below 0.9"""
    reason: str
    """why there is no forecast; empty where there is one"""


class SeriesRecord(Part):
    """The replications whose evidence was judged together."""

    replications: Count
    since: str
    """day of the first"""
    earlier_trials: Count
    """trials of the replications before this one"""
    anew: str | None
    """why the series begins with this replication although there were replications before"""
    repeated: list[str]
    """replications whose numbers are another's again, and which count once"""


class Cost(Part):
    """What the claim took."""

    compute_seconds: float
    """of all trials, reused ones included"""
    wall_seconds: float
    """of this run"""


class Data(Part):
    """A data set that trials read."""

    name: str
    sha256: str
    """of the content"""
    size: Count
    """number of examples"""
    source: str


class CodeRecord(Part):
    """The code that the trials ran."""

    digest: str
    """SHA-256 over the modules"""
    modules: list[str]


class WaiverRecord(Part):
    """Leave to come out otherwise than expected, up to a day."""

    reason: str
    owner: str
    expires: str
    """the last day, in UTC"""
    expired: bool
    """whether it had expired on the day of the run"""


class Left(Part):
    """What lack of time left of a claim."""

    seconds: Number
    """what it still takes; null: nobody knows"""
    trials: Count | None
    """trials that its next looks lack"""


class Measured(Part):
    """What numbers depend on besides claim, arm and seed."""

    code: CodeRecord
    data: list[Data]
    environment: dict[str, str]
    """what besides code, settings and data can change a trial's numbers"""
    settings: dict[str, Any]
    arms: dict[str, dict[str, Any]]
    conditions: dict[str, list[Value]]

    @property
    def identity(self) -> Identity:
        """The identity of the trials that the record rests on."""
        data = [one.sha256 for one in self.data]
        return Identity(self.code.digest, data, self.environment, self.settings, self.arms, self.conditions)


class KnownReplication(Measured):
    """A base seed that a claim was run with, and what its last record rests on."""

    base_seed: Whole
    first: str
    """when a record of it was first made"""
    last: str
    """and last"""


class ClaimRecord(Measured):
    """A claim that was run."""

    id: Name
    title: str
    statement: str
    source: Source
    document: DocumentHead
    strength: Literal["same_setting", "scaled_down", "analogue"]
    does_not_show: str
    tags: list[str]
    profile: str
    seeds: SeedPlan
    readings: Annotated[dict[str, ReadingRecord], Field(min_length=1)]
    controls: dict[str, ControlRecord]
    answers: dict[StatementId, Answer]
    """statement of a document -> the readings that answer it"""
    points: list[PointRecord]
    """the trials of this run, those of controls among them"""
    illustrations: list[Illustration] = []
    """what illustrate() drew of the first seed; no verdict reads it"""
    timings: list[TimingRecord] = []
    """the last benchmarks with the same code, data and settings"""
    forecast: dict[str, ForecastRecord]
    trials: Trials
    measured_again: list[str]
    """why trials in the store were not reused, and how many"""
    series: SeriesRecord | None
    """null: the run stands alone"""
    errors: list[str]
    """why trials failed"""
    traces: list[str]
    """their tracebacks, three at most"""
    cost: Cost
    seconds_per_trial: dict[str, float]
    """arm -> median seconds of its trials"""
    device: str
    precision: str | None
    places: list[PlaceRecord]
    """where the trials of this run ran, and those that it reused"""
    strategies: dict[str, list[str]]
    """arm -> how its networks were trained"""
    base_seed: Whole
    finished: str
    waiver: WaiverRecord | None = None
    left: Left | None = None
    """what lack of time left; null: nothing"""
    missing_trials: Count = 0
    """of a judgement of stored trials: trials that the next looks lack"""
    noise: NoiseRecord | None = None
    """the claim's last A/A run with the same code, data and settings"""
    mutants: MutantsRecord | None = None
    """how many broken versions of its experiment the claim noticed, with the same code, data, settings and readings"""

    @model_validator(mode="after")
    def _waived_by_a_waiver(self) -> ClaimRecord:
        if self.waiver is None and any(part.waived for part in self.parts):
            raise ValueError("should have a waiver, since a reading or control of it is waived")
        return self

    @model_validator(mode="after")
    def _measured_where_it_has_arms_and_conditions(self) -> ClaimRecord:
        for point in (one.point for one in self.points):
            if "arm" not in point or any(point.get(name) not in values for name, values in self.conditions.items()):
                raise ValueError("should have an arm, and a value of every condition, in each of its points")
        return self

    @property
    def expectations(self) -> dict[str, ExpectationRecord]:
        """The expectations of all readings, by name."""
        return {name: e for reading in self.readings.values() for name, e in reading.expectations.items()}

    @property
    def clocks(self) -> set[Clock]:
        """What the durations among the evidence were measured by; nothing where there are no durations."""
        return {found.place.clock for found in self.places if found.durations}

    @property
    def parts(self) -> list[ReadingRecord | ControlRecord]:
        """Its readings and controls."""
        return [*self.readings.values(), *self.controls.values()]


class Home(Part):
    """The document of a claim that could not be run."""

    id: str


ProblemKind = Literal["specification", "usage", "data", "trial", "error"]


class Problem(Part):
    """What kept a claim from being run."""

    kind: ProblemKind
    lines: Annotated[list[str], Field(min_length=1)]


class ProblemRecord(Part):
    """A claim that could not be run."""

    id: Annotated[str, Field(min_length=1)]
    """its folder's name, be that no name for a claim"""
    document: Home
    problem: Problem
    finished: str
