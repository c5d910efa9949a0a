"""What was found of an expectation, of a reading, and of a control."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import field_serializer

from harness.judging.normality import Shape
from harness.specification.kinds import Contrast, Verdict
from harness.store.records.parts import Count, Interval, NotNegative, Number, Part, Rate, SeedIndex, Whole


class ReplicationEstimate(Interval):
    """What one replication, or all replications up to it, say of an expectation."""

    estimate: Number
    verdict: Verdict


class ReplicationRecord(Part):
    """A replication of an expectation: on its own, and together with all replications before it."""

    base_seed: Whole
    date: str
    """the day in UTC"""
    alone: ReplicationEstimate
    accumulated: ReplicationEstimate


class SequenceRecord(Part):
    """What the seeds were asked, and how that became an interval."""

    kind: Literal["student", "bounded", "quantile", "groups"]
    """student: the mean of roughly normal seeds; bounded: the mean of values between two bounds, a rate among them;
    quantile: a quantile; these two of whatever distribution; groups: the difference of two means, looked at once"""
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


class ExpectationRecord(Interval):
    """A contrast, what was found of it, and the band that it is held against."""

    verdict: Verdict
    reason: str
    """why that verdict, in one sentence"""
    contrast: Contrast
    """one number per seed, as claim.yaml has it"""
    exact: bool
    """whether it is mathematics, judged in every instance, and no sample over seeds"""
    sequence: SequenceRecord | None
    """null: mathematics"""
    unit: str
    duration: bool
    """whether it is of durations, which compare on one processor alone"""
    band: BandRecord
    because: str
    """where the band comes from"""
    reported: Number
    """the source's own figure"""
    alpha: Rate
    """error rate of the interval"""
    earlier: Count
    """how many of its seeds are of earlier replications"""
    p: Number
    """smallest error rate at which the evidence would still decide so; null where nothing is decided or sampled"""
    estimate: Number
    """mean over seeds (of a ratio the geometric mean), or what else `sequence` says"""
    sd: Number
    """standard deviation over seeds, of the logarithm for a ratio"""
    sd_floor: NotNegative
    """what the standard deviation was not taken below, by the metric's resolution"""
    shape: Shape | None
    """what speaks against the error rate beside it: seeds that are clustered or skewed, a metric of two values, or, where
    all seeds gave the same, that nothing but the resolution speaks for it; null: nothing"""
    values: dict[SeedIndex, Number]
    """seed -> contrast; of earlier replications their own reports hold the values"""
    looks: list[Interval]
    """the interval at every look, in order"""
    replications: list[ReplicationRecord] = []
    """in a series, every replication of it, oldest first"""
    adjusted_p: Number = None
    """p-value after Holm's adjustment over the run; null where nothing is decided"""
    adjusted_verdict: Verdict | None = None
    """verdict after that adjustment; controls and exact expectations have none"""
    expected: Verdict
    """the verdict to expect of the claim as it stands"""
    as_expected: bool | None
    """whether it came; null where it was left undecided because another expectation decided the reading, and in controls"""
    no_control: str | None
    """why no control could turn it; null where one does"""

    @field_serializer("contrast")
    def _as_in_claim_yaml(self, contrast: Contrast) -> dict[str, Any]:
        return contrast.model_dump(exclude_none=True)


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
    decide: Literal["verdict", "all"]
    """whether sampling went on until the verdict, or until every expectation was decided"""
    decided_by: str
    """what gave the verdict: `expectations.NAME` or `controls.NAME`; empty for neither"""

    @property
    def flipped(self) -> list[str]:
        """The expectations that came out otherwise than expected."""
        return [name for name, e in self.expectations.items() if e.as_expected is False]


class ControlRecord(Part):
    """A change under which some expectations must not come out as expected, and whether they did not."""

    change: dict[str, Any]
    """settings that it replaces"""
    arms: list[str] | None
    """arms that the change is made to; null: all"""
    because: str
    finished: bool
    """whether it was measured to its end"""
    behaves: bool
    """whether it is finished and broke what it must break"""
    reason: str
    """why it shows nothing; empty where it behaves"""
    expectations: dict[str, ExpectationRecord]
    waived: bool = False
    """whether it did not behave, with leave"""
