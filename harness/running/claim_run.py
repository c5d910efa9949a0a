"""The run of a claim as named steps: plan, measure, judge, control, record."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.judging.points import durations_of
from harness.running.cost import PILOT, batch_seconds, remaining_seconds
from harness.running.drawing import Drawing
from harness.running.pooling import count_once, join
from harness.running.progress import Step
from harness.running.record import make_record
from harness.running.reuse import anew_words, reusable, superseded
from harness.running.time_budget import Budget
from harness.running.variant import control_variant, main_variant
from harness.specification.models import EXTERNAL
from harness.specification.profiles import NO_VERDICT_PROFILE
from harness.store.claim_lock import turn
from harness.store.soundness import check_noise
from harness.trials.inputs import inputs_of
from harness.trials.memory import affordable
from harness.trials.occupancy import occupied, waiting
from harness.trials.options import resolve_workers
from harness.trials.plan import fingerprint, jobs_of, lasting, make_plan, only, tasks_of, timed_jobs_of
from harness.trials.rows import TrialRow

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Sequence

    from harness.running.pooling import Series
    from harness.running.record import Record
    from harness.running.variant import Variant
    from harness.seeds import Seed
    from harness.store.store import Store
    from harness.trials.catalogue import ClaimFolder
    from harness.trials.executor import Executor, Job, Result
    from harness.trials.experiment import Outcome, Task
    from harness.trials.options import Options
    from harness.trials.plan import Plan

TIMING = "timing"
"""What is kept of pytest-benchmark beside a claim's trials."""


def _silent(_line: str) -> None:
    """Tell nobody."""


def _unwatched(_step: Step) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Context:
    """What the claims of a run share.

    Attributes:
        options: what the user chose.
        store: where trials are kept.
        executor: number of processes -> where trials run.
        run: id of the run.
        say: is told one line per finished batch.
        budget: the time that the run may take.
        watch: is told before a batch and after every part of it.
        drawing: the pictures of the claim at hand, drawn beside its trials; None draws nothing.
        told: why it waits, as the user knows by now.
    """

    options: Options
    store: Store
    executor: Callable[[int], Executor]
    run: str
    say: Callable[[str], None] = _silent
    budget: Budget = field(default_factory=Budget)
    watch: Callable[[Step], None] = _unwatched
    drawing: Drawing | None = None
    told: set[str] = field(default_factory=set)


def run_claim(folder: ClaimFolder, context: Context, readings: Collection[str] | None = None) -> Record:
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
    main = main_variant(plan.claim, readings)
    drawing = Drawing(plan, context.store, fresh=context.options.fresh)
    context = replace(context, drawing=drawing)
    admitted = context.budget.admits(plan.claim.id)
    series = gather(plan, main, plan.seeds.looks if admitted else [], context, join_earlier(plan, main, context))
    controls = [control_variant(plan.claim, name, main) for name in plan.claim.controls]
    controls = [control for control in controls if control.expectations]
    for control in controls:
        looks = control_looks(plan, control, main) if admitted else []
        gather(plan, control, looks, context, join_earlier(plan, control, context))
    for variant in (main, *controls):
        variant.cut = variant.cut or not admitted
    cut = any(variant.cut for variant in (main, *controls))
    seconds = time.monotonic() - started
    record = make_record(plan, main, controls, context.options, seconds, series, context.budget.lack)
    record["left"] = left_undone(plan, [main, *controls], context) if cut else None
    if not cut:
        draw_alone(plan, drawing, context)
    record["illustrations"] = drawing.pictures
    beside = context.store.beside(plan.claim.id, fingerprint(plan))
    record["timings"] = [timing for kind, timing in beside.items() if kind.startswith(f"{TIMING} ")]
    record["noise"] = noise_of(plan, context.store)
    context.store.save_record(context.run, plan.claim.id, record)
    return record


def draw_alone(plan: Plan, drawing: Drawing, context: Context) -> None:
    """Draw what was not drawn beside trials, because there were none to measure."""
    workers = resolve_workers(context.options.workers, plan.device)
    with contextlib.closing(measured(plan, drawing.jobs(), context.executor(workers), context)) as results:
        for _, outcomes in results:
            drawing.keep(outcomes[0])


def noise_of(plan: Plan, store: Store) -> Record | None:
    """Return the claim's last A/A run with the code, data and settings of today, None if there is none.

    Raises:
        UsageError: what is stored is no such record.
    """
    found = store.noise(plan.claim.id, fingerprint(plan))
    if found is not None:
        check_noise(found, f"{store.path}: A/A run of {plan.claim.id}")
    return found


def join_earlier(plan: Plan, variant: Variant, context: Context) -> Series | None:
    """Enter the trials of earlier nights as evidence if that is asked for; return the series that they make."""
    drawn = plan.claim.evidence != EXTERNAL
    return join(plan, variant, context.store) if context.options.accumulate and drawn else None


def control_looks(plan: Plan, control: Variant, main: Variant) -> list[int]:
    """Return the looks of a control: as much evidence as the claim itself needed, no more."""
    needed = max(main.judgements[name].tonight for name in control.expectations)
    return [n for n in plan.seeds.looks if n <= max(needed, plan.seeds.first)]


def gather(
    plan: Plan, variant: Variant, looks: list[int], context: Context, series: Series | None = None
) -> Series | None:
    """Measure and judge, look after look, until every reading is decided or the looks are used up.

    Return the series of nights without those that tonight turned out to repeat.
    """
    for n in looks:
        names = variant.open()
        if not names or variant.failed:
            break
        if not measure(plan, variant, names, n, context):
            variant.cut = True
            break
        series = count_once(plan, variant, series)
        variant.judge(plan)
        context.say(progress(plan, variant, n, judged=context.options.profile != NO_VERDICT_PROFILE))
    variant.judge(plan)
    for line in series.repeated if series else []:
        context.say(f"{plan.claim.id}: {line}")
    return series


def measure(plan: Plan, variant: Variant, names: list[str], n: int, context: Context) -> bool:
    """Make sure that every point which the named expectations read has the seeds 0 to n - 1.

    Return False if there was no time for those that are not stored, or no time to finish them.
    """
    tasks = tasks_of(plan, variant.points(names, plan.claim), range(n), variant.change_of)
    missing = take_stored(plan, variant, tasks, context)
    if not missing or context.options.fresh:
        # A fresh run has no use for the trials of others.
        return measure_missing(plan, variant, missing, n, context)
    words = (
        f"{plan.claim.id}: another run on {context.store.path} is measuring this claim; waiting for its trials "
        "(--claims-store PATH measures them apart)"
    )
    with turn(context.store.path, plan.claim.id, patience(context, words)):
        # Another run may have measured some of them since.
        return measure_missing(plan, variant, take_stored(plan, variant, missing, context), n, context)


def measure_missing(plan: Plan, variant: Variant, missing: list[Task], n: int, context: Context) -> bool:
    """Measure tasks; return False if there was no time for them, or no time to finish them."""
    if missing and not in_time(plan, variant, missing, context):
        variant.lacking = sum(len(task.seeds) for task in missing)
        return False
    wanted = sum(len(task.seeds) for task in missing)
    step = Step(plan.claim.id, variant.name, n, plan.seeds.cap, 0, wanted)
    context.watch(step)
    # Closed here: what an exception's traceback keeps alive would go on holding the machine.
    with contextlib.closing(results_of(plan, variant, missing, context)) as results:
        for task, outcomes in results:
            if task.pictures and context.drawing:
                context.drawing.keep(outcomes[0])
                continue
            keep(plan, variant, task, outcomes, context)
            step = step._replace(done=step.done + len(task.seeds))
            context.watch(step)
    return step.done == step.trials


def patience(context: Context, words: str) -> Callable[[], bool]:
    """Return what is asked while another run holds what we need; a user is told once a claim why nothing happens."""

    def say(line: str) -> None:
        if line not in context.told:
            context.say(line)
        context.told.add(line)

    return waiting(say, words, lambda: context.budget.open)


def take_stored(plan: Plan, variant: Variant, tasks: list[Task], context: Context) -> list[Task]:
    """Enter the stored trials of `tasks` as evidence; return what is left to measure."""
    keys = [key for task in tasks for key in task.keys]
    found, refused = reusable(plan, keys, context.store, context.run, fresh=context.options.fresh)
    stored = {key: lasting(plan, one) for key, one in found.items()}
    missing, told = [], set(variant.anew.values())
    for task in tasks:
        wanted: list[Seed] = []
        for seed, key in zip(task.seeds, task.keys, strict=True):
            if variant.knows(plan, task, seed):
                continue
            if key in stored and variant.suffices(plan, task, stored[key].metrics):
                variant.reuse(plan, task, seed, *stored[key][:4])
            else:
                wanted.append(seed)
        part = only(task, wanted)
        missing += [part] if part else []
        if part and not context.options.fresh:
            variant.anew |= _not_reused(plan, part, refused, context.store)
    for reason, number in Counter(variant.anew.values()).items():
        if reason not in told:
            context.say(f"{plan.claim.id}: {anew_words(reason, number)}")
    return missing


def _not_reused(plan: Plan, task: Task, refused: dict[str, str], store: Store) -> dict[str, str]:
    """Return why trials are measured although they, or others in their place, are stored: key -> words."""
    if not any(key in refused for key in task.keys):
        reason = superseded(plan, task, task.seeds[0], store)
        return dict.fromkeys(task.keys, reason) if reason else {}
    return {key: refused[key] for key in task.keys if key in refused}


def in_time(plan: Plan, variant: Variant, tasks: list[Task], context: Context) -> bool:
    """Whether a batch may begin: before the deadline, and expected to end before it."""
    if not context.budget.limited:
        return True
    return context.budget.allows(plan.claim.id, batch_seconds(plan, variant, tasks, context.options, context.store))


def left_undone(plan: Plan, variants: list[Variant], context: Context) -> dict[str, float | None]:
    """Return what lack of time left of a claim: the seconds that it still takes, and the trials that its next batches lack.

    Either is None where nobody knows.
    """
    seconds = remaining_seconds(plan, context.options, context.store, context.run)
    return {
        "seconds": context.budget.estimates.get(plan.claim.id) if seconds is None else seconds,
        "trials": sum(variant.lacking for variant in variants) or None,
    }


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


def results_of(plan: Plan, variant: Variant, tasks: list[Task], context: Context) -> Generator[Result]:
    """Run tasks where they belong: durations in one process alone, all else in as many as the device allows."""
    workers = resolve_workers(context.options.workers, plan.device)
    executor = context.executor(workers)
    timed = [task for task in tasks if variant.timed(plan, task)]
    rest = [task for task in tasks if not variant.timed(plan, task)]
    yield from measured(plan, timed_jobs_of(timed), executor, context, at_once=1, alone=True)
    peaks = [peak for task in rest if (peak := context.store.peak_bytes(plan.claim.id, task))]
    # First, since it is one job that nobody can share.
    pictures = context.drawing.jobs() if context.drawing and rest else []
    fitting = affordable(workers, max(peaks, default=None))
    yield from measured(plan, pictures + jobs_of(rest, workers), executor, context, at_once=fitting)


def measured(
    plan: Plan,
    jobs: Sequence[Job],
    executor: Executor,
    context: Context,
    *,
    at_once: int | None = None,
    alone: bool = False,
) -> Generator[Result]:
    """Run jobs while the machine is ours, alone or beside others; nothing comes of those that it cannot be had for in time.

    Close what is returned: it holds the machine.
    """
    if not jobs:
        return
    plan.import_experiment()
    why = "is measuring, and durations need the machine for themselves" if alone else "needs the machine for itself"
    words = f"{plan.claim.id}: another run {why}; waiting"
    with occupied(alone=alone, patient=patience(context, words)) as company:
        if company is None:
            return
        told = [[replace(task, alone=company == "alone") for task in job] for job in jobs]
        for task, outcomes in executor.run(told, at_once):
            yield task, outcomes if task.alone else [without_durations(plan, outcome) for outcome in outcomes]


def without_durations(plan: Plan, outcome: Outcome) -> Outcome:
    """Return an outcome measured beside others: what it took there is no measurement of anything."""
    durations = durations_of(plan.claim)
    return replace(outcome, metrics={name: value for name, value in outcome.metrics.items() if name not in durations})


def keep(plan: Plan, variant: Variant, task: Task, outcomes: list[Outcome], context: Context) -> None:
    """Commit each trial of a task, then enter it as evidence."""
    # What the call read, none of its seeds read alone.
    seen = outcomes[0].seen
    inputs = inputs_of(seen, plan.inputs) if seen else None
    for seed, key, outcome in zip(task.seeds, task.keys, outcomes, strict=True):
        row = TrialRow(key, plan.claim.id, task, seed, outcome, plan.environment, inputs)
        # Durations are asked for again only where those that are stored are by another clock, or were not alone.
        timed = bool(durations_of(plan.claim) & outcome.metrics.keys())
        again = context.options.fresh or timed or key in variant.anew
        context.store.save_trial(row, context.run, replace=again)
        variant.keep(plan, task, seed, outcome)


def progress(plan: Plan, variant: Variant, n: int, *, judged: bool) -> str:
    """Return one line for a finished batch."""
    done = sum(not variant.undecided(name) for name in variant.expectations)
    name = f"{plan.claim.id} [control {variant.name}]" if variant.name else plan.claim.id
    counts = f"{done} of {len(variant.expectations)} expectations decided" if judged else "measured, not judged"
    failed = f", {variant.failed} failed" if variant.failed else ""
    return f"{name}: {n} seeds, {counts}; reused {variant.reused} of {variant.trials} trials{failed}"
