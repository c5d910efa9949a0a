"""The shape of a claim in report.json: its readings, controls, trials, and what became of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from harness.specification.kinds import Contrast, Name, Value
from harness.store.noise_schema import (
    Count,
    Look,
    NoiseRecord,
    NotNegative,
    Number,
    Part,
    Rate,
    SeedIndex,
    SeedPlanRecord,
    Trials,
    Verdict,
    Whole,
)
from harness.store.picture_schema import Illustration, PointRecord, TimingRecord
from harness.store.proof_schema import MutantsRecord


class NightEstimate(Look):
    """What one night, or all nights up to it, say of an expectation."""

    estimate: Number
    verdict: Verdict


class NightRecord(Part):
    """A night of an expectation: on its own, and together with all nights before it."""

    base_seed: Whole
    date: str
    """the day in UTC"""
    alone: NightEstimate
    accumulated: NightEstimate


class SequenceRecord(Part):
    """What the seeds were asked, and how that became an interval."""

    kind: Literal["student", "bounded", "quantile"]
    """student: the mean of roughly normal seeds; bounded: the mean of values between two bounds, a rate among them;
    quantile: a quantile; the last two of whatever distribution"""
    low: Number = None
    """bounded: the smallest value that a seed can have"""
    high: Number = None
    """and the largest"""
    q: Number = None
    """quantile: the share of seeds at or below it"""


class BandRecord(Part):
    """The values that an expectation admits."""

    low: Number
    """null: no lower end"""
    high: Number
    """null: no upper end"""
    text: str
    """the band in words"""


class ExpectationRecord(Part):
    """A contrast, what was found of it, and the band that it is held against."""

    verdict: Verdict
    reason: str
    """why that verdict, in one sentence"""
    contrast: Contrast
    """one number per seed, as claim.yaml has it"""
    exact: bool
    """whether it is mathematics, judged in every instance, and no sample over seeds"""
    sequence: SequenceRecord | None = None
    """null: mathematics, or a report of an earlier version"""
    unit: str
    duration: bool = False
    """whether it is of durations, which compare on one processor alone"""
    band: BandRecord
    because: str
    """where the band comes from"""
    reported: Number
    """the source's own figure"""
    alpha: Rate
    """error rate of the interval"""
    n: Count
    """seeds that the verdict rests on"""
    earlier: Count = 0
    """how many of them are of earlier nights"""
    p: Number = None
    """smallest error rate at which the evidence would still decide so; null where nothing is decided or sampled"""
    estimate: Number
    """mean over seeds (of a ratio the geometric mean), or what else `sequence` says"""
    low: Number
    high: Number
    sd: Number
    """standard deviation over seeds, of the logarithm for a ratio"""
    sd_floor: NotNegative = 0.0
    """what the standard deviation was not taken below, by the metric's resolution"""
    shape: Literal["not_normal", "two_values", "constant"] | None = None
    """what speaks against the error rate beside it: seeds that are clustered or skewed, a metric of two values, or, where
    all seeds gave the same, that nothing but the resolution speaks for it; null: nothing"""
    values: dict[SeedIndex, Number]
    """seed -> contrast; of earlier nights their own reports hold the values"""
    looks: list[Look]
    """the interval at every look, in order"""
    nights: list[NightRecord] = []
    """in a series, every night of it, oldest first"""
    adjusted_p: Number = None
    """p-value after Holm's adjustment over the run; null where nothing is decided"""
    adjusted_verdict: Verdict | None = None
    """verdict after that adjustment; controls and exact expectations have none"""
    expected: Verdict = "VERIFIED"
    """the verdict to expect of the claim as it stands"""
    as_expected: bool | None = None
    """whether it came; null where it was left undecided because another expectation decided the reading, and in controls"""
    no_control: str | None = None
    """why no control could turn it; null where one does"""


class ReadingRecord(Part):
    """One way to take the statement, with its verdict."""

    means: str | None
    """how it takes the statement"""
    expected: Verdict
    """the verdict that theory or source lets us expect"""
    because: str | None
    """why that verdict is expected"""
    verdict: Verdict
    reason: str
    as_expected: bool
    expectations: dict[str, ExpectationRecord]
    waived: bool = False
    """whether it came out otherwise than expected, with leave"""
    adjusted_verdict: Verdict | None = None
    """verdict after Holm's adjustment over the run"""
    decide: Literal["verdict", "all"] = "verdict"
    """whether sampling went on until the verdict, or until every expectation was decided"""
    decided_by: str = ""
    """what gave the verdict: `expectations.NAME` or `controls.NAME`; empty for neither"""


class ControlRecord(Part):
    """A change under which some expectations must not come out as expected, and whether they did not."""

    change: dict[str, Any]
    """settings that it replaces"""
    arms: list[str] | None = None
    """arms that the change is made to; null: all"""
    because: str
    finished: bool
    """whether it was measured to its end"""
    behaves: bool
    """whether it is finished and broke what it must break"""
    reason: str = ""
    """why it shows nothing; empty where it behaves"""
    expectations: dict[str, ExpectationRecord]
    waived: bool = False
    """whether it did not behave, with leave"""


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
    doubtful: bool
    """whether that probability is below 0.9"""
    reason: str
    """why there is no forecast; empty where there is one"""


class Source(Part):
    """Where the statement comes from."""

    document: str
    section: str
    paper: str | None
    """the original paper, with figure or table"""
    reported: dict[str, float | str]
    """the figures given there"""


class DocumentRecord(Part):
    """The document that the claim's folder stands in."""

    id: Name
    title: str
    authors: str
    year: Whole
    url: str | None
    summary: str


class SeriesRecord(Part):
    """The nights whose evidence was judged together."""

    nights: Count
    since: str
    """day of the first"""
    earlier_trials: Count
    """trials of the nights before this one"""
    anew: str | None
    """why the series begins with this night although there were nights before"""
    repeated: list[str] = []
    """nights whose numbers are another's again, and which count once"""


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


class ClockRecord(Part):
    """What durations were measured by."""

    processor: str
    """of the CPU, and of the GPU where one was used"""
    governor: str | None
    """how the CPU's frequency is chosen; null: the system does not say"""
    cores: Count
    """that the measuring process might use"""
    alone: bool
    """whether no other trial was measured on the machine meanwhile"""


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
    trials: Count | None = None
    """trials that its next looks lack"""


class ClaimRecord(Part):
    """A claim that was run."""

    id: Name
    title: str
    statement: str
    source: Source
    document: DocumentRecord
    strength: Literal["same_setting", "scaled_down", "analogue"]
    does_not_show: str
    tags: list[str] = []
    profile: str
    settings: dict[str, Any]
    arms: dict[str, dict[str, Any]]
    conditions: dict[str, list[Value]]
    seeds: SeedPlanRecord
    readings: Annotated[dict[str, ReadingRecord], Field(min_length=1)]
    controls: dict[str, ControlRecord]
    points: list[PointRecord] = []
    """the trials of this run, those of controls among them"""
    illustrations: list[Illustration] = []
    """what illustrate() drew of the first seed; no verdict reads it"""
    timings: list[TimingRecord] = []
    """the last benchmarks with the same code, data and settings"""
    forecast: dict[str, ForecastRecord] = {}
    trials: Trials
    measured_again: list[str] = []
    """why trials in the store were not reused, and how many"""
    series: SeriesRecord | None = None
    """null: the run stands alone"""
    errors: list[str]
    """why trials failed"""
    traces: list[str] = []
    """their tracebacks, three at most"""
    cost: Cost
    seconds_per_trial: dict[str, float] = {}
    """arm -> median seconds of its trials"""
    data: list[Data]
    device: str
    precision: str | None
    environment: dict[str, str]
    """what besides code, settings and data can change a trial's numbers"""
    arithmetic: dict[str, Any] = {}
    """what torch was told about threads and determinism; empty without torch"""
    clocks: list[ClockRecord] = []
    """what the durations among the evidence were measured by; none where there are no durations"""
    strategies: dict[str, list[str]] = {}
    """arm -> how its networks were trained"""
    code: CodeRecord
    base_seed: Whole
    finished: str
    waiver: WaiverRecord | None = None
    left: Left | None = None
    """what lack of time left; null: nothing"""
    lacking: Count = 0
    """of a judgement of stored trials: trials that the next looks lack"""
    noise: NoiseRecord | None = None
    """the claim's last A/A run with the same code, data and settings"""
    mutants: MutantsRecord | None = None
    """how many broken versions of its experiment the claim noticed, with the same code, data, settings and readings"""

    @model_validator(mode="after")
    def _waived_by_a_waiver(self) -> ClaimRecord:
        waived = [part.waived for part in self.readings.values()] + [part.waived for part in self.controls.values()]
        if self.waiver is None and any(waived):
            raise ValueError("should have a waiver, since a reading or control of it is waived")
        return self
