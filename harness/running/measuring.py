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
from harness.trials.experiment import CPU, CUDA
from harness.trials.inputs import inputs_of
from harness.trials.jobs import jobs_of, only, timed_jobs_of
from harness.trials.memory import affordable, affordable_on_gpus
from harness.trials.occupancy import occupied, waiting
from harness.trials.options import resolve_workers, visible_gpus
from harness.trials.plan import lasting, points_of_task, tasks_of
from harness.trials.rows import TrialRow
from harness.trials.worker import device_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from harness.running.context import Context
    from harness.running.variant import Variant
    from harness.seeds import Seed
    from harness.store.store import Store
    from harness.trials.executor import Executor
    from harness.trials.experiment import Outcome, Task
    from harness.trials.inputs import Inputs
    from harness.trials.occupancy import Company
    from harness.trials.place import Place
    from harness.trials.plan import Plan
    from harness.trials.reach import Seen
    from harness.trials.worker import Job, Result


def measure(
    plan: Plan, variant: Variant, names: list[str], n: int, context: Context, *, begin: int = 0, cap: int = 0
) -> bool:
    """Make sure that every point which the named expectations read has the seeds 0 to n - 1.

    Return False if there was no time for those that are not stored, or no time to finish them.

    Args:
        plan: the claim's plan.
        variant: the claim, as it stands or under a control's change.
        names: expectations.
        n: number of seeds at this look.
        context: what the claims of the run share.
        begin: seeds below it are there already, by an earlier look.
        cap: seeds from n up to it may be measured ahead, by workers that have nothing else to do.
    """
    tasks = tasks_of(plan, variant.points(names, plan.claim), range(begin, n), variant.change_of)
    missing, later = take_stored(plan, variant, tasks, context), range(n, cap)
    if not missing or context.options.fresh:
        # A fresh run has no use for the trials of others.
        return measure_missing(plan, variant, missing, later, context)
    words = (
        f"{plan.claim.id}: another run on {context.store.path} is measuring this claim; waiting for its trials "
        "(--claims-store PATH measures them apart)"
    )
    with turn(context.store.path, plan.claim.id, patience(context, words)):
        # Another run may have measured some of them since.
        return measure_missing(plan, variant, take_stored(plan, variant, missing, context), later, context)


def measure_missing(plan: Plan, variant: Variant, missing: list[Task], later: range, context: Context) -> bool:
    """Measure tasks, and of `later` seeds what costs no time; return False if there was no time for the tasks, or not for all."""
    if missing and not in_time(plan, variant, missing, context):
        variant.missing_trials = sum(len(task.seeds) for task in missing)
        return False
    wanted = sum(len(task.seeds) for task in missing)
    step = Step(plan.claim.id, variant.name, later.start, plan.seeds.cap, 0, wanted)
    context.watch(step)
    seen: Seen | None = None
    inputs: Inputs | None = None
    # Closed here: what an exception's traceback keeps alive would go on holding the machine.
    with contextlib.closing(results_of(plan, variant, missing, later, context)) as results:
        for task, outcomes in results:
            if task.pictures and context.drawing:
                context.drawing.keep(outcomes[0])
                continue
            # What the call read, none of its seeds read alone; most calls of a batch read the same.
            if outcomes[0].seen != seen:
                seen = outcomes[0].seen
                inputs = inputs_of(seen, plan.inputs) if seen else None
            ahead = task.seeds[0].index in later
            keep(plan, variant, task, outcomes, inputs, context, ahead=ahead)
            if not ahead:
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
    task_of = {key: task for task in tasks for key in task.keys}
    found, refused = reusable(plan, task_of, context.store, context.run, fresh=context.options.fresh)
    stored = {key: lasting(plan, task_of[key], one) for key, one in found.items()}
    missing, told = [], set(variant.anew.values())
    for task in tasks:
        wanted: set[Seed] = set()
        for seed, key in zip(task.seeds, task.keys, strict=True):
            if variant.knows(plan, task, seed):
                continue
            if key in variant.ahead:
                variant.keep(plan, task, seed, variant.ahead.pop(key))
            elif key in stored and variant.suffices(plan, task, stored[key].metrics):
                variant.reuse(plan, task, seed, *stored[key][:4])
            else:
                wanted.add(seed)
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


def results_of(plan: Plan, variant: Variant, tasks: list[Task], later: range, context: Context) -> Generator[Result]:
    """Run tasks where they belong: durations in one process alone, all else in as many as each device allows.

    Of `later` seeds only as much is run as there are processes without a job of these tasks.
    """
    executor = context.executor(resolve_workers(context.options, plan.device))
    timed = [task for task in tasks if variant.timed(plan, task)]
    rest = [task for task in tasks if not variant.timed(plan, task)]
    for device in (CPU, CUDA):
        own_jobs = [job for job in timed_jobs_of(timed) if device_of(job) == device]
        yield from measured(plan, own_jobs, executor, context, at_once={device: 1}, alone=True)
    # First, since it is one job that nobody can share.
    jobs, fitting, peaks = context.drawing.jobs() if context.drawing and rest else [], {}, {}
    for device in dict.fromkeys(task.device for task in rest):
        workers = resolve_workers(context.options, device)
        own = [task for task in rest if task.device == device]
        found = [context.store.peak(plan.claim.id, task) for task in own]
        peaks[device] = max((peak for peak, _ in found if peak), default=0)
        fitting[device] = workers if executor.elsewhere else _fitting(device, workers, peaks[device], found)
        jobs += jobs_of(own, workers)
        if all(peak for peak, _ in found):
            # Before it is known what memory a trial takes, none may run short of it for the sake of what nobody has asked for.
            spare = fitting[device] - sum(job[0].device == device for job in jobs)
            jobs += jobs_ahead(plan, variant, later, device, spare, context)
    yield from measured(plan, jobs, executor, context, at_once=fitting, peaks=peaks)


def _fitting(device: str, workers: int, most: int, peaks: list[tuple[int | None, Place | None]]) -> int:
    """Return how many processes a device here has the memory for, given what trials took before at most, and where."""
    if device == CPU:
        return affordable(workers, most)
    memory = min((place.gpu.memory for _, place in peaks if place and place.gpu), default=None)
    return affordable_on_gpus(workers, most, memory, len(visible_gpus(device)))


def jobs_ahead(plan: Plan, variant: Variant, seeds: range, device: str, spare: int, context: Context) -> list[Job]:
    """Return at most `spare` jobs of seeds of later looks on a device, one seed each and the next seeds first.

    None is of a task whose durations are read: those are measured alone. What is stored already, fit to be reused or not,
    waits for its look.
    """
    points = variant.points(variant.open(), plan.claim)
    tasks = tasks_of(plan, points, seeds[: max(0, spare)], variant.change_of)
    tasks = [task for task in tasks if task.device == device and not variant.timed(plan, task)]
    by = context.run if context.options.fresh else None
    known = {*variant.ahead, *context.store.finished([key for task in tasks for key in task.keys], by)}
    missing = [
        part
        for task in tasks
        if (part := only(task, {s for s, key in zip(task.seeds, task.keys, strict=True) if key not in known}))
    ]
    return sorted(jobs_of(missing, spare), key=lambda job: job[0].seeds[0])[: max(0, spare)]


def measured(
    plan: Plan,
    jobs: Sequence[Job],
    executor: Executor,
    context: Context,
    *,
    at_once: Mapping[str, int] | None = None,
    peaks: Mapping[str, int] | None = None,
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
    with _occupied(executor, alone=alone, patient=patience(context, words)) as company:
        if company is None:
            return
        told = [[replace(task, alone=company == "alone") for task in job] for job in jobs]
        for task, outcomes in executor.run(told, at_once, peaks):
            yield task, outcomes if task.alone else [without_durations(plan, outcome) for outcome in outcomes]


def _occupied(
    executor: Executor, *, alone: bool, patient: Callable[[], bool]
) -> contextlib.AbstractContextManager[Company | None]:
    """Hold this machine while trials are measured on it; elsewhere each node does so itself."""
    if executor.elsewhere:
        return contextlib.nullcontext("alone" if alone else "beside others")
    return occupied(alone=alone, patient=patient)


def without_durations(plan: Plan, outcome: Outcome) -> Outcome:
    """Return an outcome measured beside others: what it took there is no measurement of anything."""
    durations = wall_clock_metrics(plan.claim)
    return replace(outcome, metrics={name: value for name, value in outcome.metrics.items() if name not in durations})


def keep(
    plan: Plan,
    variant: Variant,
    task: Task,
    outcomes: list[Outcome],
    inputs: Inputs | None,
    context: Context,
    *,
    ahead: bool,
) -> None:
    """Commit the trials of a task, then enter them as evidence; those that were measured ahead wait for their looks."""
    trials = list(zip(task.seeds, task.keys, outcomes, strict=True))
    with context.store.at_once():
        for seed, key, outcome in trials:
            row = TrialRow(key, plan.claim.id, task, seed, outcome, plan.environment_of(task.arm), inputs)
            # Durations are asked for again only where those that are stored are by another clock, or were not alone.
            timed = bool(wall_clock_metrics(plan.claim) & outcome.metrics.keys())
            again = context.options.fresh or timed or key in variant.anew
            context.store.save_trial(row, context.run, replace=again)
    for seed, key, outcome in trials:
        if ahead:
            variant.ahead[key] = outcome
        else:
            variant.keep(plan, task, seed, outcome)
        for line in outcome.log:
            context.log(f"{plan.claim.id}: seed {seed.index} at {shown(points_of_task(plan, task)[0])}: {line}")
