"""Trials as they are stored, and as they are read again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from harness.seeds import Seed
    from harness.trials.inputs import Inputs
    from harness.trials.place import Place
    from harness.trials.task import Metrics, Outcome, Task


@dataclass(frozen=True)
class TrialRow:
    """One trial as it is stored.

    Attributes:
        key: names code, settings, data, environment, base seed and seed.
        claim: id of the claim.
        task: the call that measured it.
        seed: the trial's seed.
        outcome: what became of it.
        environment: device, precision and versions.
        inputs: what else it rests on; None where nobody knows.
    """

    key: str
    claim: str
    task: Task
    seed: Seed
    outcome: Outcome
    environment: dict[str, str]
    inputs: Inputs | None = None


@dataclass(frozen=True)
class StoredTrial:
    """A finished trial as it is read again.

    Attributes:
        key: names code, settings, data, environment, base seed and seed.
        seed: the trial's seed.
        metrics: what was measured.
        seconds: its part of the time of the call that measured it.
        peak_bytes: the most memory during that call, None where nobody measured it.
        run: id of the run that measured it.
        inputs: digest of what it rests on; None where nobody knows.
    """

    key: str
    seed: Seed
    metrics: Metrics
    seconds: float
    peak_bytes: int | None
    run: str
    inputs: str | None = None


@dataclass(frozen=True)
class PastTrial:
    """A trial as a stranger asks for it, finished or failed.

    Attributes:
        key: names code, settings, data, environment, base seed and seed.
        seed: the trial's seed.
        arm: name of the arm.
        seconds: its part of the time of the call that measured it.
        error: why it failed, None if it did not.
        run: id of the run that measured it.
        finished: when, ISO 8601 in UTC.
        condition: condition -> value.
        settings: every keyword that measure() got; what was a tuple is a list.
        metrics: what was measured; empty for a failed trial.
        environment: device, precision and versions.
        batch_seeds: indices of the seeds that were measured in one call.
        place: where it ran, None where nobody knows.
        inputs: digest of what it rests on; None where nobody knows.
        log: the last lines that its command wrote; empty where it started none.
    """

    key: str
    seed: Seed
    arm: str
    seconds: float
    error: str | None
    run: str
    finished: str
    condition: dict[str, Any]
    settings: dict[str, Any]
    metrics: Metrics
    environment: dict[str, str]
    batch_seeds: list[int]
    place: Place | None = None
    inputs: str | None = None
    log: str = ""

    @property
    def claim(self) -> str:
        """Id of the claim."""
        return self.seed.claim


class Measured(NamedTuple):
    """What a finished trial is reused for.

    Attributes:
        metrics: what was measured.
        seconds: its part of the time of the call that measured it.
        choices: what the engine chose meanwhile, sorted.
        place: where it ran, None where nobody knows.
        run: id of the run that measured it.
        inputs: digest of what it rests on; None where nobody knows.
    """

    metrics: Metrics
    seconds: float
    choices: tuple[str, ...]
    place: Place | None = None
    run: str = ""
    inputs: str | None = None
