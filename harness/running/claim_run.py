"""The run of a claim as named steps: plan, measure, judge, control, record."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from harness.running.cost import PILOT, remaining_seconds
from harness.running.drawing import Drawing
from harness.running.measuring import measure, measured
from harness.running.pooling import count_once, join
from harness.running.proof.mutants import kept_as
from harness.running.record import make_record
from harness.running.variant import control_variant, main_variant
from harness.specification.models import EXTERNAL
from harness.specification.profiles import NO_VERDICT_PROFILE
from harness.store.records.aa import NOISE, NoiseRecord
from harness.store.records.beside import TimingRecord
from harness.store.records.claim import Left
from harness.store.records.proof import MutantsRecord
from harness.trials.options import resolve_workers
from harness.trials.plan import fingerprint, make_plan

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness.running.context import Context
    from harness.running.pooling import Series
    from harness.running.variant import Variant
    from harness.store.records.claim import ClaimRecord
    from harness.trials.catalogue import ClaimFolder
    from harness.trials.plan import Plan

TIMING = "timing"
"""What is kept of pytest-benchmark beside a claim's trials."""


def run_claim(folder: ClaimFolder, context: Context, readings: Collection[str] | None = None) -> ClaimRecord:
    """Run one claim; store and return its record.

    Args:
        folder: the claim.
        context: options, store and executor.
        readings: judge only these; all by default.

    Raises:
        UsageError: no such profile or device, or a store that cannot be written.
        TrialError: the experiment cannot be loaded.
        DataError: a data file is not what it should be.
    """
    started = time.monotonic()
    plan = make_plan(folder, context.options)
    if plan.claim.results:
        context.say(f"{plan.claim.id}: {plan.data[-1].name}: {plan.data[-1].source}")
    main = main_variant(plan.claim, readings)
    drawing = Drawing(plan, context.store, fresh=context.options.fresh)
    context = replace(context, drawing=drawing)
    admitted = context.budget.admits(plan.claim.id)
    series = sample_until_decided(
        plan, main, plan.seeds.looks if admitted else [], context, join_earlier(plan, main, context)
    )
    controls = [control_variant(plan.claim, name, main) for name in plan.claim.controls]
    controls = [control for control in controls if control.expectations]
    for control in controls:
        looks = control_looks(plan, control, main) if admitted else []
        sample_until_decided(plan, control, looks, context, join_earlier(plan, control, context))
    for variant in (main, *controls):
        variant.cut = variant.cut or not admitted
    cut = any(variant.cut for variant in (main, *controls))
    record = make_record(plan, main, controls, context.options, time.monotonic() - started, series, context.budget.lack)
    if not cut:
        draw_alone(plan, drawing, context)
    beside = partial(context.store.beside, plan.claim.id, fingerprint(plan))
    record = record.model_copy(
        update={
            "left": left_undone(plan, [main, *controls], context) if cut else None,
            "illustrations": drawing.pictures,
            "timings": beside(TIMING, TimingRecord),
            "mutants": next(iter(beside(kept_as(plan.claim), MutantsRecord)), None),
            "noise": next(iter(beside(NOISE, NoiseRecord)), None),
        }
    )
    context.store.save_record(context.run, record)
    return record


def draw_alone(plan: Plan, drawing: Drawing, context: Context) -> None:
    """Draw what was not drawn beside trials, because there were none to measure."""
    workers = resolve_workers(context.options, plan.device)
    with contextlib.closing(measured(plan, drawing.jobs(), context.executor(workers), context)) as results:
        for _, outcomes in results:
            drawing.keep(outcomes[0])


def join_earlier(plan: Plan, variant: Variant, context: Context) -> Series | None:
    """Enter the trials of earlier replications as evidence if that is asked for; return the series that they make."""
    drawn = plan.claim.evidence != EXTERNAL
    return join(plan, variant, context.store) if context.options.accumulate and drawn else None


def control_looks(plan: Plan, control: Variant, main: Variant) -> list[int]:
    """Return the looks of a control: as much evidence as the claim itself needed, no more."""
    needed = max(main.judgements[name].current for name in control.expectations)
    return [n for n in plan.seeds.looks if n <= max(needed, plan.seeds.first)]


def sample_until_decided(
    plan: Plan, variant: Variant, looks: list[int], context: Context, series: Series | None = None
) -> Series | None:
    """Measure and judge, look after look, until every reading is decided or the looks are used up.

    A look judges its own seeds alone, whatever was measured ahead of it.
    Return the series of replications without those that this run turned out to repeat.
    """
    for before, n in pairwise([0, *looks]):
        names = variant.open()
        if not names or variant.failed:
            break
        if not measure(plan, variant, names, n, context, begin=before, cap=looks[-1]):
            variant.cut = True
            break
        series = count_once(plan, variant, series)
        variant.judge(plan)
        context.say(progress(plan, variant, n, judged=context.options.profile != NO_VERDICT_PROFILE))
    variant.judge(plan)
    for line in series.repeated if series else []:
        context.say(f"{plan.claim.id}: {line}")
    if variant.ahead:
        number = len(variant.ahead)
        context.say(
            f"{_name(plan, variant)}: {number} trials measured ahead were not needed; they are stored, not judged"
        )
    return series


def left_undone(plan: Plan, variants: list[Variant], context: Context) -> Left:
    """Return what lack of time left of a claim: the seconds that it still takes, and the trials that its next batches lack."""
    seconds = remaining_seconds(plan, context.options, context.store, context.run)
    return Left(
        seconds=context.budget.estimates.get(plan.claim.id) if seconds is None else seconds,
        trials=sum(variant.missing_trials for variant in variants) or None,
    )


def pilot(folder: ClaimFolder, context: Context) -> None:
    """Measure a few seeds of everything that a claim and its controls read; the trials are stored as those of any run.

    Raises:
        UsageError, TrialError, DataError: as `run_claim`.
    """
    plan = make_plan(folder, context.options)
    n = min(PILOT, plan.seeds.cap)
    main = main_variant(plan.claim)
    for variant in (main, *(control_variant(plan.claim, name, main) for name in plan.claim.controls)):
        measure(plan, variant, list(variant.expectations), n, context)
        context.say(progress(plan, variant, n, judged=False))
        for error in variant.errors:
            context.say(f"trial failed: {error}")


def progress(plan: Plan, variant: Variant, n: int, *, judged: bool) -> str:
    """Return one line for a finished batch."""
    done = sum(not variant.undecided(name) for name in variant.expectations)
    counts = f"{done} of {len(variant.expectations)} expectations decided" if judged else "measured, not judged"
    failed = f", {variant.failed} failed" if variant.failed else ""
    return f"{_name(plan, variant)}: {n} seeds, {counts}; reused {variant.reused} of {variant.trials} trials{failed}"


def _name(plan: Plan, variant: Variant) -> str:
    return f"{plan.claim.id} [control {variant.name}]" if variant.name else plan.claim.id
