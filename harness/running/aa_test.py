"""A/A runs and the noise floor: the instrument is held against itself.

An arm that is measured twice, under two independent streams of seeds, differs from itself by chance alone; if the
confidence sequence says otherwise, then pairing, seeding or the instrument is broken. And a trial that is measured
again with the seed it had should give the number it gave; what it gives instead is the floor below which no
difference between arms means anything.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import partial
from operator import mul
from typing import TYPE_CHECKING, Final

from harness._clock import now
from harness.errors import UsageError
from harness.judging import contrasts, student, verdict
from harness.running.measuring import measured
from harness.running.record import places_of, trials_of
from harness.running.reuse import reusable
from harness.running.streams import ALPHA, SECOND_STREAM, in_second_stream, streams_of
from harness.running.variant import Variant
from harness.specification.kinds import Difference, Interaction, Ratio
from harness.store.records.aa import NOISE, Floor, NoiseRecord, SelfComparison, SelfExpectation
from harness.store.records.parts import Interval, finite
from harness.trials.executor import Inline, Processes
from harness.trials.experiment import load_experiment
from harness.trials.jobs import jobs_of, timed_jobs_of
from harness.trials.plan import fingerprint, make_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.judging.contrasts import Evidence, PerSeed
    from harness.judging.points import Point
    from harness.running.context import Context
    from harness.running.streams import Streams
    from harness.specification.kinds import Contrast
    from harness.specification.models import Claim
    from harness.specification.readings import Expectation
    from harness.store.records.aa import AAVerdict
    from harness.trials.catalogue import ClaimFolder
    from harness.trials.executor import Executor
    from harness.trials.plan import Plan

REPEATED = (0, 1)
"""Seeds that are measured again."""

DIFFERENT: Final = "DIFFERENT"
NO_DIFFERENCE_DETECTED: Final = "NO_DIFFERENCE_DETECTED"


@dataclass(frozen=True)
class Request:
    """What an A/A run is asked for.

    Attributes:
        arm: the arm; None for the claim's first.
        seeds: the most seeds of each stream; None for the profile's first look and two more.
        repeats: how often a seed is measured again for the noise floor, once of these in a fresh process.
    """

    arm: str | None = None
    seeds: int | None = None
    repeats: int = 3


def run_aa(folder: ClaimFolder, context: Context, request: Request) -> NoiseRecord:
    """Run an arm of a claim against itself and measure its noise floor; store and return the record.

    Raises:
        UsageError: no such profile, device or arm, or too few seeds or repeats to say anything.
        TrialError: the experiment cannot be loaded.
        DataError: a data file is not what it should be.
    """
    if request.repeats < 2:
        raise UsageError(f"--repeats: {request.repeats} says nothing about a spread; give 2 or more")
    plan = make_plan(folder, context.options)
    streams = streams_of(plan, request.arm, request.seeds)
    context.say(forecast(streams, context, request.repeats))
    for n in streams.seeds.looks:
        streams.measure(n, context)
        comparisons = [] if streams.failed else compare(streams)
        context.say(f"{streams.claim.id}: {streams.arm} against itself, {n} seeds: {_state(comparisons)}")
        if streams.failed or any(row.verdict != NO_DIFFERENCE_DETECTED for row in comparisons):
            break
    again = [] if streams.failed else [rerun(streams, executor, context) for executor in _executors(request.repeats)]
    record = make_record(streams, comparisons, again, context)
    context.store.save_beside(streams.claim.id, NOISE, fingerprint(plan), record)
    return record


def forecast(streams: Streams, context: Context, repeats: int) -> str:
    """Return one line that says what is to be measured, and about how long that takes if stored trials tell."""
    tasks = [streams.tasks(side, range(streams.seeds.cap)) for side in (0, 1)]
    everything = [task for own in tasks for task in own]
    keys = [key for task in everything for key in task.keys]
    stored = {} if streams.timed else reusable(streams.plans[0], keys, context.store, context.run)[0]
    new = [sum(key not in stored for key in task.keys) for task in everything]
    again = [repeats * len(REPEATED)] * len(tasks[0])
    usual = [context.store.usual_seconds(streams.claim.id, task) for task in (*everything, *tasks[0])]
    known = [seconds for seconds in usual if seconds is not None]
    cost = "no stored trial tells how long that takes"
    if len(known) == len(usual):
        cost = f"about {sum(map(mul, new + again, known)):.0f} s of computing, by stored trials"
    return (
        f"{streams.claim.id}: {streams.arm} against itself, at most {streams.seeds.cap} seeds: {len(keys)} trials, {sum(new)} of them "
        f"to measure, and {sum(again)} for the noise floor; {cost}"
    )


def compare(streams: Streams) -> list[SelfComparison]:
    """Return, for every point and metric, the arm's difference from itself at every look so far."""
    claim = _with_twin(streams)
    evidence = streams.evidence()
    return [
        _comparison(streams, claim, evidence, point, name)
        for name in claim.metrics_of(streams.arm)
        for point in streams.points
    ]


def _with_twin(streams: Streams) -> Claim:
    arms = streams.claim.arms
    return streams.claim.model_copy(update={"arms": {**arms, SECOND_STREAM: arms[streams.arm]}})


def _comparison(streams: Streams, claim: Claim, evidence: Evidence, point: Point, metric: str) -> SelfComparison:
    contrast = Difference(difference=metric, of=dict(point), minus=dict(in_second_stream(point)))
    found = contrasts.evaluate(contrast, claim, evidence, streams.plans[0].settings)
    values = [row[metric] for p in (point, in_second_stream(point)) for row in evidence[p].values()]
    head = partial(
        SelfComparison,
        metric=metric,
        unit=claim.metrics[metric].unit,
        point=dict(point),
        constant=len(set(values)) == 1,
    )
    if found.problems:
        return head(verdict=verdict.INVALID, problems=list(found.problems))
    looks = [_look(found, n, values) for n in streams.seeds.looks if n <= len(found.values)]
    apart = next((row for row, look in enumerate(looks) if not look.low <= 0.0 <= look.high), len(looks) - 1)
    last = looks[apart]
    return head(
        verdict=NO_DIFFERENCE_DETECTED if last.low <= 0.0 <= last.high else DIFFERENT,
        n=last.n,
        estimate=finite(last.estimate),
        low=finite(last.low),
        high=finite(last.high),
        sd=finite(last.sd),
        looks=[Interval(n=look.n, low=finite(look.low), high=finite(look.high)) for look in looks[: apart + 1]],
        values={str(seed): finite(value) for seed, value in found.values.items()},
    )


def _look(found: PerSeed, n: int, metrics: list[float]) -> student.Interval:
    seeds = sorted(found.values)[:n]
    # Rounding in float64 alone must not tell an arm from itself.
    floor = max(found.sd_floor(seeds), student.ROUNDING * max(map(abs, metrics)))
    return found.sequence.interval([found.values[seed] for seed in seeds], ALPHA, floor, found.bounds)


def judge(streams: Streams) -> dict[str, SelfExpectation]:
    """Judge the claim's expectations between the arm and another, with the arm in both places.

    An expectation whose band does not admit equality must not be verified, and one that admits it must not be refuted.
    """
    claim, evidence, rows = _with_twin(streams), streams.evidence(), {}
    for name, expectation in claim.expectations.items():
        contrast = against_itself(expectation.contrast, streams.arm)
        if contrast is None:
            continue
        twin = expectation.model_copy(update={"contrast": contrast})
        found = verdict.judge(twin, claim, evidence, streams.plans[0].settings, streams.seeds)
        admits = admits_equality(expectation)
        rows[name] = SelfExpectation(
            verdict=found.verdict,
            reason=found.reason,
            alpha=expectation.alpha,
            admits_equality=admits,
            as_it_must=found.verdict != (verdict.REFUTED if admits else verdict.VERIFIED),
        )
    return rows


def against_itself(contrast: Contrast, arm: str) -> Contrast | None:
    """Return a contrast between `arm` and another with the twin in the other's place; None if it is no such contrast."""
    if not isinstance(contrast, Difference | Ratio | Interaction):
        return None
    other = "to" if isinstance(contrast, Ratio) else "minus"
    of, rival = contrast.of, getattr(contrast, other)
    arms = of.get("arm"), rival.get("arm")
    # Cells that differ in more than the arm would differ in it too.
    if arms[0] == arms[1] or arm not in arms or {**of, "arm": arm} != {**rival, "arm": arm}:
        return None
    return contrast.model_copy(update={(other if arms[0] == arm else "of"): {**of, "arm": SECOND_STREAM}})


def admits_equality(expectation: Expectation) -> bool:
    """Return whether a band holds the value that a contrast has if both its cells are alike."""
    equal = 1.0 if isinstance(expectation.contrast, Ratio) else 0.0
    return expectation.band.low <= equal <= expectation.band.high


def _executors(repeats: int) -> Iterator[Executor]:
    """Yield where each rerun takes place: the first in a fresh process, the others here."""
    fresh = Processes(1)
    try:
        yield fresh
    finally:
        fresh.close()
    for _ in range(repeats - 1):
        yield Inline()


def rerun(streams: Streams, executor: Executor, context: Context) -> Variant:
    """Measure the repeated seeds of the first stream again, past the store."""
    plan, again = streams.plans[0], Variant("", {}, (), {}, [])
    tasks = streams.tasks(0, REPEATED)
    forget(plan)
    jobs = timed_jobs_of(tasks) if streams.timed else jobs_of(tasks, 1)
    with contextlib.closing(measured(plan, jobs, executor, context, alone=streams.timed)) as results:
        for task, outcomes in results:
            for seed, outcome in zip(task.seeds, outcomes, strict=True):
                again.keep(plan, task, seed, outcome)
    return again


def forget(plan: Plan) -> None:
    """Empty the experiment's caches: a trained network that is kept would repeat itself, whatever its training does."""
    module = load_experiment(plan.folder.experiment, plan.folder.project)
    for value in vars(module).values():
        clear = getattr(value, "cache_clear", None)
        if callable(clear):
            clear()


def floor(streams: Streams, again: list[Variant], comparison: SelfComparison) -> Floor:
    """Return how far reruns lie apart at a comparison's point: the largest spread (max - min) of a repeated seed."""
    point, metric = tuple(comparison.point.items()), comparison.metric
    first = streams.variants[0].evidence[point]
    reruns = {seed: [rerun.evidence[point][seed][metric] for rerun in again] for seed in REPEATED}
    spread = max(max(values) - min(values) for values in reruns.values())
    sd = student.interval([row[metric] for row in first.values()], ALPHA).sd
    return Floor(
        spread=spread,
        in_sd=finite(spread / sd) if sd > 0 else None,
        from_evidence=max(abs(value - first[seed][metric]) for seed, values in reruns.items() for value in values),
        reruns={str(seed): [finite(value) for value in values] for seed, values in reruns.items()},
    )


def make_record(
    streams: Streams, comparisons: list[SelfComparison], again: list[Variant], context: Context
) -> NoiseRecord:
    """Return everything that the run says."""
    everyone = [*streams.variants, *again]
    errors = [error for variant in everyone for error in variant.errors]
    if not errors:
        comparisons = [row.model_copy(update={"noise": floor(streams, again, row)}) for row in comparisons]
    expectations = {} if streams.failed else judge(streams)
    plan, options = streams.plans[0], context.options
    return NoiseRecord(
        id=streams.claim.id,
        arm=streams.arm,
        profile=options.profile,
        base_seed=options.base_seed,
        streams=[plan.base_seed for plan in streams.plans],
        seeds=streams.seeds,
        alpha=ALPHA,
        verdict=_verdict(comparisons, expectations, errors),
        comparisons=comparisons,
        expectations=expectations,
        repeats=len(again),
        repeated_seeds=list(REPEATED),
        errors=errors,
        trials=trials_of(everyone),
        compute_seconds=sum(v.seconds for v in everyone),
        fingerprint=fingerprint(plan),
        environment=plan.environment,
        places=places_of(everyone),
        finished=now(),
    )


def _verdict(
    comparisons: list[SelfComparison], expectations: dict[str, SelfExpectation], errors: list[str]
) -> AAVerdict:
    found = {row.verdict for row in comparisons}
    if errors or not comparisons or verdict.INVALID in found:
        return verdict.INVALID
    broken = any(not row.as_it_must for row in expectations.values())
    return DIFFERENT if broken or DIFFERENT in found else NO_DIFFERENCE_DETECTED


def _state(comparisons: list[SelfComparison]) -> str:
    apart = sum(row.verdict == DIFFERENT for row in comparisons)
    return f"{apart} of {len(comparisons)} comparisons told apart" if comparisons else "a trial failed"
