"""What other tools are told of a run: parameters, numbers over seeds, verdicts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from harness._text import one_line
from harness.running import waiver
from harness.running.results import run_of
from harness.store.records.parsing import plain
from harness.trials.provenance import canonical, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.store.records.claim import ClaimRecord
    from harness.store.records.expectation import ReadingRecord
    from harness.store.records.run import Run
    from harness.store.store import Store
    from harness.trials.rows import PastTrial


class Scalar(NamedTuple):
    """A number of a series.

    Attributes:
        tag: name of the series, parts of it after slashes.
        step: seed that it is of, or number of seeds that it rests on.
        value: the number, finite.
    """

    tag: str
    step: int
    value: float


@dataclass(frozen=True)
class Facts:
    """What is told of a claim in one run.

    Attributes:
        run: the run.
        claim: the claim's record in it.
        parameters: what it was run with, in text.
        scalars: its numbers.
        verdicts: reading -> what came out.
    """

    run: Run
    claim: ClaimRecord
    parameters: dict[str, str]
    scalars: list[Scalar]
    verdicts: dict[str, str]

    @property
    def digest(self) -> str:
        """SHA-256 of all that is told: an export that is there already can be told from one of other content."""
        return digest_of([plain(self.claim), self.parameters, self.scalars])

    @property
    def seconds(self) -> float:
        """When the record was made, in seconds of the epoch; that of the run if nobody can read when."""
        return seconds_of(self.claim.finished) or seconds_of(self.run.started)


def seconds_of(moment: str) -> float:
    """Return a time of ISO 8601 in seconds of the epoch, 0 for what is none."""
    try:
        return datetime.fromisoformat(moment).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def facts_of(store: Store) -> Iterator[Facts]:
    """Yield what is told of every claim of every run in a store, the latest run first.

    Raises:
        UsageError: a record is not what it should be.
    """
    for head in store.runs():
        run = run_of(store, head.id)
        # Only runs that have a record are looked at.
        assert run is not None
        for claim in run.judged:
            scalars = [*_of_record(claim), *_of_trials(claim, store, head.id)]
            yield Facts(run, claim, _parameters(claim), scalars, _verdicts(claim))


def _parameters(claim: ClaimRecord) -> dict[str, str]:
    named = {name: getattr(claim, name) for name in ("profile", "base_seed", "device", "precision", "strength")}
    parts = {"seeds": claim.seeds.model_dump(), "settings": claim.settings, "environment": claim.environment}
    parts |= {f"arm {name}": settings for name, settings in claim.arms.items()}
    parts |= {f"control {name}": control.change for name, control in claim.controls.items()}
    flat = {f"{part}.{name}": value for part, values in parts.items() for name, value in values.items()}
    flat |= {f"condition {name}": values for name, values in claim.conditions.items()}
    return {one_line(name): one_line(value) for name, value in {**named, **flat}.items()}


def _verdicts(claim: ClaimRecord) -> dict[str, str]:
    return {name: _outcome(claim, reading) for name, reading in claim.readings.items()}


def _outcome(claim: ClaimRecord, reading: ReadingRecord) -> str:
    leave = f", {waiver.mark(claim)}" if claim.waiver and reading.waived else ""
    return one_line(f"{reading.verdict}, expected {reading.expected}{leave}: {reading.reason}")


def _of_record(claim: ClaimRecord) -> Iterator[Scalar]:
    """Yield the contrasts seed by seed, the interval look by look, and whether each reading is as expected."""
    parts = [("", expectations) for expectations in (r.expectations for r in claim.readings.values())]
    parts += [(f"control {name}/", control.expectations) for name, control in claim.controls.items()]
    for place, expectations in parts:
        for name, found in expectations.items():
            tag = f"{claim.id}/{place}{name}"
            yield from _finite(f"{tag}/per seed", ((int(seed), value) for seed, value in found.values.items()))
            yield from _finite(f"{tag}/estimate", [(found.n, found.estimate)])
            for end in ("low", "high"):
                ends = {one.n: getattr(one, end) for one in (*found.looks, found)}
                yield from _finite(f"{tag}/{end}", ends.items())
    for name, reading in claim.readings.items():
        yield Scalar(f"{claim.id}/{name}/as expected", 0, float(reading.as_expected))


def _of_trials(claim: ClaimRecord, store: Store, run: str) -> Iterator[Scalar]:
    """Yield what the run's own trials measured; those that it reused are told of with the run that measured them."""
    trials = list(store.measured(run, claim.id))
    variants = {(_place(trial), canonical(trial.settings)) for trial in trials}
    # An arm under a control has other settings than the claim's own.
    several = Counter(place for place, _ in variants)
    for trial in trials:
        place = _place(trial)
        if several[place] > 1:
            place += f" ({digest_of(trial.settings)[:6]})"
        for metric, value in trial.metrics.items():
            values = value if isinstance(value, list) else [value]
            for position, one in enumerate(values):
                suffix = f" [{position}]" if isinstance(value, list) else ""
                yield from _finite(f"{claim.id}/trials/{metric}/{place}{suffix}", [(trial.seed.index, one)])


def _place(trial: PastTrial) -> str:
    return ", ".join([trial.arm, *(f"{name} {value}" for name, value in trial.condition.items())])


def _finite(tag: str, points: Any) -> Iterator[Scalar]:
    for step, value in points:
        if value is not None:
            yield Scalar(one_line(tag), step, float(value))
