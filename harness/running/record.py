"""What a run says of a claim: the record that is the normative content of every report."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from statistics import median
from typing import TYPE_CHECKING

from harness import _clock
from harness.judging import verdict
from harness.judging.controls import Headline, Tried, headline, state_of
from harness.judging.expected import UNDECIDED, came_as_expected, expectations_expected
from harness.judging.points import metric_of, unit_of
from harness.judging.ranges import sequence_of
from harness.running.forecast import forecasts_of
from harness.running.pooling import replications_of
from harness.running.reuse import anew_words
from harness.running.waiver import waive
from harness.specification.kinds import Exact
from harness.specification.profiles import NO_VERDICT_PROFILE
from harness.store.records import claim as records
from harness.store.records.beside import PointRecord
from harness.store.records.claim import ClaimRecord, ForecastRecord
from harness.store.records.expectation import (
    BandRecord,
    ControlRecord,
    ExpectationRecord,
    ReadingRecord,
    SequenceRecord,
)
from harness.store.records.parts import Interval, PlaceRecord, Trials, finite

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.judging.controls import ControlState
    from harness.judging.ranges import Sampled
    from harness.running.forecast import Forecast
    from harness.running.pooling import Series
    from harness.running.variant import Variant
    from harness.specification.models import Claim
    from harness.trials.options import Options
    from harness.trials.plan import Plan

SMOKE = "the smoke profile shows that a claim runs; it gives no verdict"

LEFT = "left undecided, since another expectation decided the reading (`decide: all` samples on)"


def make_record(
    plan: Plan,
    main: Variant,
    controls: list[Variant],
    options: Options,
    wall_seconds: float,
    series: Series | None = None,
    lack: str = "",
) -> ClaimRecord:
    """Return everything that the run says of the claim.

    Args:
        plan: what was fixed before the first trial.
        main: the claim as it stands.
        controls: the claim under each control's change.
        options: what the user chose.
        wall_seconds: what it took.
        series: the replications that were joined, if any.
        lack: why what was cut off was measured no further.
    """
    claim = plan.claim
    judged = options.profile != NO_VERDICT_PROFILE
    states = {c.name: _state_of(plan, c, main, lack, judged=judged) for c in controls}
    everyone = (main, *controls)
    record = ClaimRecord(
        id=claim.id,
        title=claim.title,
        statement=claim.statement.strip(),
        source=claim.source,
        document=plan.folder.document,
        strength=claim.strength,
        tags=claim.tags,
        does_not_show=claim.does_not_show.strip(),
        profile=options.profile,
        settings=plan.settings,
        arms=claim.arms,
        conditions={name: c.values for name, c in claim.conditions.items()},
        seeds=plan.seeds,
        readings={
            name: _reading_record(plan, name, main, series, states, lack, judged=judged)
            for name, reading in claim.readings.items()
            if reading.expectations.keys() <= main.expectations.keys()
        },
        controls={c.name: _control_record(plan, c, states[c.name], judged=judged) for c in controls},
        answers=claim.answers,
        points=[point for variant in everyone for point in _points(variant)],
        forecast={e: forecast_record(found) for e, found in forecasts_of(plan, main).items()} if judged else {},
        trials=trials_of(everyone),
        measured_again=[anew_words(why, n) for why, n in _anew(everyone).items()],
        series=_series_record(series, main.earlier),
        errors=[error for v in everyone for error in v.errors],
        traces=list(dict.fromkeys(trace for v in everyone for trace in v.traces if trace))[:3],
        cost=records.Cost(compute_seconds=sum(v.seconds for v in everyone), wall_seconds=wall_seconds),
        seconds_per_trial={arm: median(costs) for arm, costs in main.costs.items()},
        data=[records.Data(**asdict(found)) for found in plan.data],
        device=plan.device,
        precision=claim.precision,
        environment=plan.environment,
        places=places_of(everyone),
        strategies={arm: sorted(chosen) for arm, chosen in main.choices.items() if chosen},
        code=records.CodeRecord(digest=plan.code.digest, modules=list(plan.code.modules)),
        base_seed=options.base_seed,
        finished=_clock.now(),
    )
    return waive(record, claim.waiver, _clock.today())


def trials_of(variants: Sequence[Variant]) -> Trials:
    """Return how the trials of variants were come by."""
    return Trials(
        reused=sum(v.reused for v in variants),
        measured=sum(v.measured for v in variants),
        failed=sum(v.failed for v in variants),
    )


def places_of(variants: Iterable[Variant]) -> list[PlaceRecord]:
    """Return where the trials of this run ran, reused ones too; first the place of most of them."""
    found = sum((variant.places for variant in variants), Counter())
    trials = {place: found[place, False] + found[place, True] for place, _ in found}
    ordered = sorted(trials, key=lambda place: (-trials[place], place.text))
    return [PlaceRecord(place=place, trials=trials[place], durations=found[place, True]) for place in ordered]


def _anew(variants: Sequence[Variant]) -> Counter[str]:
    """Return why stored trials were not reused -> how many; a control shares trials with its claim."""
    return Counter({key: why for variant in variants for key, why in variant.anew.items()}.values())


def _points(variant: Variant) -> list[PointRecord]:
    """Return the trials of this run as they were measured: every point with the values of each metric, seed by seed."""
    found = []
    for point, rows in variant.evidence.items():
        own = {seed: row for seed, row in sorted(rows.items()) if seed >= 0}
        names = dict.fromkeys(name for row in own.values() for name in row)
        values = {name: {str(seed): finite(row[name]) for seed, row in own.items() if name in row} for name in names}
        found.append(PointRecord(control=variant.name or None, point=dict(point), values=values))
    return found


def _series_record(series: Series | None, trials: int) -> records.SeriesRecord | None:
    """Return the series in short: how many replications, since when, trials joined, and why it begins anew if it does."""
    if series is None:
        return None
    return records.SeriesRecord(
        replications=len(series.replications),
        since=series.replications[0].date[:10],
        earlier_trials=trials,
        anew=series.anew,
        repeated=series.repeated,
    )


def _state_of(plan: Plan, control: Variant, main: Variant, lack: str, *, judged: bool) -> ControlState:
    tried = [
        _tried(plan, control, name, enough=_enough(control, main, name), judged=judged) for name in control.expectations
    ]
    return state_of(tried, control.errors, lack if control.cut else "")


def _tried(plan: Plan, variant: Variant, name: str, *, enough: bool = True, judged: bool) -> Tried:
    found = variant.judgements[name]
    verdict_, reason = (found.verdict, found.reason) if judged else (verdict.NOT_RUN, SMOKE)
    return Tried(name, verdict_, reason, expectations_expected(plan.claim)[name], enough)


def _enough(control: Variant, main: Variant, name: str) -> bool:
    """Whether a control is decided, or undecided after as many seeds as the claim itself needed."""
    found = control.judgements[name]
    return found.verdict not in UNDECIDED or 0 < main.judgements[name].current <= found.current


def _reading_record(
    plan: Plan,
    name: str,
    main: Variant,
    series: Series | None,
    states: Mapping[str, ControlState],
    lack: str,
    *,
    judged: bool,
) -> ReadingRecord:
    reading = plan.claim.readings[name]
    members = [_tried(plan, main, e, judged=judged) for e in reading.expectations]
    came = came_as_expected(reading, {member.name: member.verdict for member in members})
    flipped = [e for e, as_expected in came.items() if as_expected is False]
    found = (
        headline(members, states, flipped=flipped, errors=main.errors, lack=lack if main.cut else "")
        if judged
        else Headline(verdict.NOT_RUN, SMOKE, "")
    )
    return ReadingRecord(
        means=reading.means.strip() if reading.means else None,
        expected=reading.expected,
        because=reading.because.strip() if reading.because else None,
        decide=reading.decide,
        verdict=found.verdict,
        reason=found.reason,
        decided_by=found.by,
        as_expected=found.verdict == reading.expected and not flipped,
        expectations={e: _member_record(plan, main, e, came[e], series, judged=judged) for e in reading.expectations},
    )


def _member_record(
    plan: Plan, main: Variant, name: str, as_expected: bool | None, series: Series | None, *, judged: bool
) -> ExpectationRecord:
    """Return what was found of an expectation of a reading: whether it came, and what every replication says of it."""
    record = _expectation_record(plan, main, name, judged=judged)
    reason = record.reason if as_expected is not None else f"{record.reason}; {LEFT}"
    replications = replications_of(main.expectations[name], plan, main, series) if series else []
    return record.model_copy(update={"reason": reason, "as_expected": as_expected, "replications": replications})


def _control_record(plan: Plan, control: Variant, state: ControlState, *, judged: bool) -> ControlRecord:
    spec = plan.claim.controls[control.name]
    return ControlRecord(
        change=spec.change,
        arms=spec.arms,
        because=spec.because.strip(),
        finished=state.finished,
        behaves=state.behaves,
        reason=state.reason,
        expectations={name: _expectation_record(plan, control, name, judged=judged) for name in control.expectations},
    )


def _expectation_record(plan: Plan, variant: Variant, name: str, *, judged: bool) -> ExpectationRecord:
    expectation = variant.expectations[name]
    found = variant.judgements[name]
    metric = plan.claim.metrics[metric_of(expectation.contrast)]
    exact = isinstance(expectation.contrast, Exact)
    band = expectation.band
    return ExpectationRecord(
        verdict=found.verdict if judged else verdict.NOT_RUN,
        reason=found.reason if judged else SMOKE,
        expected=expectations_expected(plan.claim)[name],
        as_expected=None,
        no_control=expectation.no_control.strip() if expectation.no_control else None,
        contrast=expectation.contrast,
        exact=exact,
        sequence=None if isinstance(expectation.contrast, Exact) else _sequence(expectation.contrast, plan.claim),
        unit=unit_of(expectation.contrast, plan.claim),
        duration=metric.unit == "second",
        band=BandRecord(low=finite(band.low), high=finite(band.high), text=str(band)),
        because=expectation.because.strip(),
        reported=expectation.reported,
        alpha=expectation.alpha,
        n=found.n,
        earlier=found.earlier,
        p=finite(found.p) if judged else None,
        estimate=finite(found.estimate),
        low=finite(found.low),
        high=finite(found.high),
        sd=finite(found.sd),
        sd_floor=found.floor,
        shape=found.shape or None,
        # Of earlier replications their own records hold the values.
        values={str(seed): finite(value) for seed, value in found.values.items() if seed >= 0},
        looks=[Interval(n=look.n, low=finite(look.low), high=finite(look.high)) for look in found.looks],
    )


def _sequence(contrast: Sampled, claim: Claim) -> SequenceRecord:
    """Return what the seeds of a contrast are asked."""
    found = sequence_of(contrast, claim)
    # What tells one sequence of a kind from another.
    own = {name: getattr(found, name) for name in ("low", "high", "q") if hasattr(found, name)}
    return SequenceRecord.model_validate({"kind": type(found).__name__.lower(), **own})


def forecast_record(found: Forecast) -> ForecastRecord:
    """Return whether a further run would decide an expectation."""
    return ForecastRecord(
        n=found.n,
        effect=finite(found.effect),
        probability=finite(found.probability),
        seeds=None if found.reason else found.seeds,
        underpowered=found.underpowered,
        reason=found.reason,
    )
