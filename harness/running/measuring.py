"""The trials of a variant: those that are stored are taken, the others measured and committed one by one."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.judging.points import shown, wall_clock_metrics
from harness.running.cost import batch_seconds
from harness.running.progress import Step
from harness.running.reuse import anew_words, reusable, superseded
from harness.store.claim_lock import turn
from harness.trials.inputs import inputs_of
from harness.trials.memory import affordable
from harness.trials.occupancy import occupied, waiting
from harness.trials.options import resolve_workers
from harness.trials.plan import jobs_of, lasting, only, points_of_task, tasks_of, timed_jobs_of
from harness.trials.rows import TrialRow

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from harness.running.context import Context
    from harness.running.variant import Variant
    from harness.seeds import Seed
    from harness.store.store import Store
    from harness.trials.executor import Executor
    from harness.trials.experiment import Outcome, Task
    from harness.trials.plan import Plan
    from harness.trials.worker import Job, Result


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
        variant.missing_trials = sum(len(task.seeds) for task in missing)
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
    durations = wall_clock_metrics(plan.claim)
    return replace(outcome, metrics={name: value for name, value in outcome.metrics.items() if name not in durations})


def keep(plan: Plan, variant: Variant, task: Task, outcomes: list[Outcome], context: Context) -> None:
    """Commit each trial of a task, then enter it as evidence."""
    # What the call read, none of its seeds read alone.
    seen = outcomes[0].seen
    inputs = inputs_of(seen, plan.inputs) if seen else None
    for seed, key, outcome in zip(task.seeds, task.keys, outcomes, strict=True):
        row = TrialRow(key, plan.claim.id, task, seed, outcome, plan.environment, inputs)
        # Durations are asked for again only where those that are stored are by another clock, or were not alone.
        timed = bool(wall_clock_metrics(plan.claim) & outcome.metrics.keys())
        again = context.options.fresh or timed or key in variant.anew
        context.store.save_trial(row, context.run, replace=again)
        variant.keep(plan, task, seed, outcome)
        for line in outcome.log:
            context.log(f"{plan.claim.id}: seed {seed.index} at {shown(points_of_task(plan, task)[0])}: {line}")
