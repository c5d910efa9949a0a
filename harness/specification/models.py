"""What claim.yaml may say."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.specification.command import Command
from harness.specification.document import Answer, StatementId
from harness.specification.kinds import Name, Strict, Text, Value
from harness.specification.quotation import Table
from harness.specification.readings import Control, Expectation, Reading, Setting
from harness.specification.results import Results
from harness.specification.waiver import Waiver

DEVICE = "device"
"""What says where an arm runs, among its settings."""

MOST_SEEDS = 10_000
"""The largest cap that a profile may have."""

ALL = "all"
"""Seeds of a claim about results: as many as there are; until these are read, the most there can be."""

EXTERNAL = "external"
"""Evidence that lies there already: seed k names a run, or a row of a file, and is the same under every base seed."""


class Source(Strict):
    """Where a claim comes from."""

    document: Name
    """folder of the document in `claims/`"""
    section: str
    """section of the document"""
    paper: str | None = None
    """the original paper, with figure or table"""
    reported: dict[Name, float | str] = {}
    """the figures that the document or the paper gives"""


class Metric(Strict):
    """A number that a trial yields."""

    unit: str
    """unit in words, such as `fraction`, `second`, `nat`; `0 or 1` says that a trial succeeds or fails"""
    better: Literal["lower", "higher", "neither"]
    """which direction is an improvement"""
    bounds: Annotated[list[float | None], Field(min_length=2, max_length=2)] = [None, None]
    """smallest and largest possible value; null where there is none"""
    resolution: Annotated[float, Field(gt=0)] | Annotated[str, Field(pattern=r"^1/[a-z][a-z0-9_]*$")] | None = None
    """smallest step between two values: a number, or `1/<setting>` such as `1/n_test`"""
    arms: Annotated[list[Name], Field(min_length=1)] | None = None
    """arms whose trials yield it; all by default"""

    @model_validator(mode="after")
    def _ordered(self) -> Metric:
        low, high = self.bounds
        if low is not None and high is not None and not low < high:
            raise ValueError(f"the lower bound ({low:g}) must be below the upper ({high:g})")
        return self

    @property
    def two_valued(self) -> bool:
        """Whether it is declared to be 0 or 1 in every trial: by its unit, or by bounds and resolution."""
        return self.unit == TWO_VALUED or (self.bounds == [0, 1] and self.resolution == 1)


TWO_VALUED = "0 or 1"
"""The unit of a metric that says of a trial whether something happened."""


class SeedPlan(Strict):
    """How many seeds: a first look, then some more at each further look, up to a cap."""

    first: Annotated[int, Field(ge=1)]
    step: Annotated[int, Field(ge=1)] = 2
    cap: Annotated[int, Field(ge=1, le=MOST_SEEDS)]

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, value: Any) -> Any:
        number = MOST_SEEDS if value == ALL else value
        return {"first": number, "cap": number} if isinstance(number, int) and not isinstance(number, bool) else number

    @model_validator(mode="after")
    def _ordered(self) -> SeedPlan:
        if self.first > self.cap:
            raise ValueError(f"first ({self.first}) is above cap ({self.cap})")
        return self

    @property
    def looks(self) -> list[int]:
        """Numbers of seeds at which the evidence is judged."""
        return [*range(self.first, self.cap, self.step), self.cap]


class Profile(BaseModel):
    """The scale a claim is run at: a seed plan and settings."""

    model_config = ConfigDict(
        extra="allow", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True, defer_build=True
    )
    __pydantic_extra__: dict[str, Setting]

    seeds: SeedPlan
    """a number, or {first, step, cap}; of results `all`"""

    @property
    def settings(self) -> dict[str, Any]:
        """Everything but the seeds."""
        return dict(self.__pydantic_extra__)


class Condition(Strict):
    """What is varied besides the arm."""

    values: Annotated[list[Value], Field(min_length=1)]
    """the values it takes"""
    together: bool = False
    """hand all values to one call of measure()"""

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, value: Any) -> Any:
        return {"values": value} if isinstance(value, list) else value

    @model_validator(mode="after")
    def _distinct(self) -> Condition:
        # Equal as trials are told apart: 1, 1.0 and true are one value.
        if len(set(self.values)) < len(self.values):
            raise ValueError("a condition takes each value once")
        return self


class Timings(Strict):
    """Which arms have their training and inference timed by the benchmark."""

    training: list[Name] = []
    inference: list[Name] = []


class Limits(Strict):
    """What a trial may take at most; one that takes more has failed."""

    seconds: Annotated[float, Field(gt=0)] | None = None
    """time of a call of measure(), for each of its seeds"""
    gigabytes: Annotated[float, Field(gt=0)] | None = None
    """memory that a call of measure() may add to what its process holds (Linux)"""


class Claim(Strict):
    """One statement of a document, made testable."""

    id: Name
    """the folder's name: an assertion in snake case"""
    title: Annotated[str, Field(min_length=3, max_length=160)]
    """one line"""
    statement: Text
    """what is claimed, in our own words"""
    source: Source
    strength: Literal["same_setting", "scaled_down", "analogue"]
    tags: list[Name] = []
    """what it is about, to find it by"""
    does_not_show: Text
    """what a reader must not conclude"""
    precision: Literal["float32", "float64", "bfloat16"] | None = None
    """arithmetic of the training; absent where torch is not used"""
    data: list[Name] = []
    """data sets that trials read, each described by a module of the project, fixtures/NAME.py"""
    experiment: Literal["estimators"] | None = None
    """`estimators`: arms are estimators of scikit-learn's kind, in the place of an experiment.py with measure()"""
    command: Command | None = None
    """what is started for each trial, in the place of an experiment.py with measure()"""
    results: Results | None = None
    """what was measured already, in the place of an experiment.py with measure()"""
    arms: Annotated[dict[Name, dict[str, Setting]], Field(min_length=1)]
    """arm -> its own settings; one with `device: cpu` stays on the processor when others go to a GPU"""
    conditions: dict[Name, Condition] = {}
    metrics: Annotated[dict[Name, Metric], Field(min_length=1)]
    settings: dict[str, Setting] = {}
    """settings that all profiles share"""
    table: Table | None = None
    """a Markdown table of the project; each cell is a reading"""
    readings: Annotated[dict[Name, Reading], Field(min_length=1)]
    answers: dict[StatementId, Answer] = {}
    """statement of a document.yaml -> the readings that answer it"""
    controls: dict[Name, Control]
    """every expectation is broken by one, or says `no_control: why`"""
    profiles: Annotated[dict[Name, Profile], Field(min_length=1, max_length=12)]
    timings: Timings = Timings()
    limits: Limits = Limits()
    """what a trial may take at most; nothing by default"""
    inputs: list[Annotated[str, Field(min_length=1)]] = []
    """globs, relative to the project, of files that trials rest on and this tool cannot see being read"""
    evidence: Literal["drawn", "external"] = "drawn"
    """drawn: each base seed draws other numbers; external: seed k names a run or a row that lies there already"""
    waiver: Waiver | None = None
    """leave to come out otherwise than expected until a day; absent from most claims"""

    @model_validator(mode="before")
    @classmethod
    def _lying_there(cls, value: Any) -> Any:
        external = isinstance(value, dict) and value.get("results") is not None
        return {"evidence": EXTERNAL, **value} if external else value

    @property
    def paired(self) -> bool:
        """Whether the arms of a seed belong together; else each arm is a group of its own."""
        return self.results is None or self.results.paired

    @property
    def has_experiment(self) -> bool:
        """Whether it is measured by an experiment.py of its own."""
        return self.command is None and self.experiment is None and self.results is None

    def metrics_of(self, arm: str) -> tuple[str, ...]:
        """Return the names of the metrics that trials of an arm yield."""
        return tuple(name for name, metric in self.metrics.items() if metric.arms is None or arm in metric.arms)

    def device_of(self, arm: str, device: str) -> str:
        """Return where trials of an arm run when a run is on `device`: there, unless the arm says otherwise."""
        return str(self.arms.get(arm, {}).get(DEVICE, device))

    @property
    def expectations(self) -> dict[str, Expectation]:
        """All expectations by name; names are unique over the readings."""
        return {name: e for reading in self.readings.values() for name, e in reading.expectations.items()}


def schema() -> dict[str, Any]:
    """Return the JSON Schema of claim.yaml, for editors."""
    result = Claim.model_json_schema()
    # Short forms are accepted before validation; the generator cannot see that.
    words = {"type": "array", "minItems": 1, "items": {"type": "string"}}
    seeds = {"anyOf": [{"type": "integer", "minimum": 1}, {"const": ALL}]}
    short = {"SeedPlan": seeds, "Condition": {"type": "array", "minItems": 1}, "Command": words}
    short |= {"Place": {"type": "string", "minLength": 1}, "Table": {"type": "string"}, "Results": {"type": "string"}}
    # A table's cells become readings before they are validated.
    result["required"].remove("readings")
    result["anyOf"] = [{"required": ["readings"]}, {"required": ["table"]}]
    result["$defs"] |= {name: {"anyOf": [form, result["$defs"][name]]} for name, form in short.items()}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **result}
