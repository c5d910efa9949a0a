"""Three smoke runs of a claim: in one batch, every seed alone, and under another base seed.

Held against each other they say whether numbers repeat, whether a seed notices its neighbours, and whether the seed
changes the draw.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.errors import TrialError
from harness.judging.contrasts import step_at
from harness.judging.points import shown, wall_clock_metrics
from harness.running.measuring import measured
from harness.running.proof.check import Check, timed
from harness.running.proof.examination import variants_of
from harness.seeds import Seed
from harness.specification.kinds import Exact
from harness.specification.models import EXTERNAL
from harness.specification.profiles import NO_VERDICT_PROFILE
from harness.trials.executor import Processes
from harness.trials.experiment import load_experiment
from harness.trials.jobs import jobs_of
from harness.trials.plan import make_plan, placement, settings_for, tasks_of
from harness.trials.worker import one_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.judging.points import Point
    from harness.running.context import Context
    from harness.trials.catalogue import ClaimFolder
    from harness.trials.executor import Executor
    from harness.trials.plan import Plan

TOLERANCE = 1e-4
"""Relative; float32 sums in another order differ by some 1e-6, and training amplifies that."""

ABSOLUTE = 1e-9
"""For metrics without a resolution, where they are zero."""

EXAMPLES = 2
"""Test examples that may change sides when sums are rounded otherwise."""

FEWEST = 2
"""Seeds without which nothing has a neighbour."""

MOST_TOLD = 3
"""Differences that a failure names."""

Place = tuple[str, "Point", int, str]
"""Control (empty for the claim as it stands), point, seed, metric."""

Numbers = dict[Place, float]


@dataclass(frozen=True)
class _Runs:
    """The three runs, and how to measure once more as at first."""

    plan: Plan
    batch: Numbers
    alone: Numbers
    other: Numbers
    again: Callable[[], Numbers]


def repeated(folder: ClaimFolder, context: Context) -> list[Check]:
    """Return what three smoke runs say of a claim: repetition, neighbours, base seed."""
    with timed(Check("runs", "every trial of the smoke profile yields its metrics")) as check:
        runs = _three(folder, context)
    if check.failures:
        return [check]
    return [check, _repetition(runs), _neighbours(runs), _base_seed(runs)]


def _three(folder: ClaimFolder, context: Context) -> _Runs:
    """Measure everything that a claim and its controls read three times, each time in processes that know nothing of the others."""
    first = context.options.base_seed
    options = replace(context.options, profile=NO_VERDICT_PROFILE, base_seed=first)
    plan, other = (make_plan(folder, replace(options, base_seed=seed)) for seed in (first, first + 1))
    n = max(plan.seeds.first, FEWEST)
    one, many = context.executor(1), context.executor(2)

    def again() -> Numbers:
        with contextlib.closing(Processes(1)) as fresh:
            return dict(_numbers(plan, n, 1, fresh, context))

    batch = dict(_numbers(plan, n, 1, one, context))
    return _Runs(
        plan, batch, dict(_numbers(plan, n, n, many, context)), dict(_numbers(other, n, 1, one, context)), again
    )


def _numbers(plan: Plan, n: int, parts: int, executor: Executor, context: Context) -> Iterator[tuple[Place, float]]:
    """Yield every number but durations, measured in `parts` batches of seeds.

    Raises:
        TrialError: a trial fails.
    """
    durations = wall_clock_metrics(plan.claim)
    for variant in variants_of(plan.claim):
        tasks = tasks_of(plan, variant.points(list(variant.expectations), plan.claim), range(n), variant.change_of)
        tasks = [replace(task, code=None) for task in tasks]
        with contextlib.closing(measured(plan, jobs_of(tasks, parts), executor, context)) as results:
            for task, outcomes in results:
                for seed, outcome in zip(task.seeds, outcomes, strict=True):
                    variant.keep(plan, task, seed, outcome)
        if variant.errors:
            raise TrialError(variant.errors[0])
        for point, rows in variant.evidence.items():
            for index, row in rows.items():
                yield from (
                    ((variant.name, point, index, name), value) for name, value in row.items() if name not in durations
                )


def _repetition(runs: _Runs) -> Check:
    with timed(Check("repetition", "the same seeds give bit for bit the same numbers")) as check:
        # Rounding of a batch may differ from that of a seed alone; then only the same batch can tell.
        if runs.batch != runs.alone:
            check.failures = _differences(runs.batch, runs.again(), "measured again, in the same batch", _equal)
    return check


def _neighbours(runs: _Runs) -> Check:
    with timed(Check("neighbours", "a seed gives in a batch what it gives alone")) as check:
        tolerances = _tolerances(runs.plan)

        def near(place: Place, first: float, second: float) -> bool:
            return abs(first - second) <= TOLERANCE * abs(first) + tolerances[place[3]]

        check.failures = _differences(runs.batch, runs.alone, "alone", near)
    return check


def _base_seed(runs: _Runs) -> Check:
    claim = runs.plan.claim
    check = Check("base seed", "another base seed gives other numbers")
    if claim.evidence == EXTERNAL or all(isinstance(e.contrast, Exact) for e in claim.expectations.values()):
        check.applies, check.holds = False, "nothing is drawn"
    elif runs.batch == runs.other:
        first, second = runs.plan.base_seed, runs.plan.base_seed + 1
        check.failures = [
            f"base seeds {first} and {second} give the same numbers in every trial; draw all randomness from the seed"
        ]
    return check


def _equal(_place: Place, first: float, second: float) -> bool:
    return first == second


def _differences(first: Numbers, second: Numbers, how: str, alike: Callable[[Place, float, float], bool]) -> list[str]:
    """Return where numbers differ: which seed, which metric, which numbers; the first of them, and how many there are."""
    places = [place for place, value in first.items() if not alike(place, value, second[place])]
    lines = [
        f"seed {seed} at {shown(point)}{f' under control {control}' if control else ''}: "
        f"{metric} is {first[place]:.9g}, and {second[place]:.9g} {how}"
        for place in places[:MOST_TOLD]
        for control, point, seed, metric in [place]
    ]
    more = len(places) - MOST_TOLD
    return [*lines, *([f"and {more} more numbers of {len(first)}"] if more > 0 else [])]


def _tolerances(plan: Plan) -> dict[str, float]:
    """Return metric -> the absolute tolerance: some steps of its resolution, as the point with the largest has it."""
    claim = plan.claim
    points = {point for variant in variants_of(claim) for point in variant.points(list(variant.expectations), claim)}
    return {
        name: EXAMPLES * max((step_at(metric, point, claim, plan.settings) or 0.0 for point in points), default=0.0)
        + ABSOLUTE
        for name, metric in claim.metrics.items()
    }


def timings_run(folder: ClaimFolder, context: Context) -> Check:
    """Return whether what is declared to be timed can be run."""
    timings = folder.claim.timings
    pairs = [(what, arm) for what in ("training", "inference") for arm in getattr(timings, what)]
    with timed(Check("timed parts", "what is declared to be timed runs", applies=bool(pairs))) as check:
        if not pairs:
            check.holds = "nothing is declared to be timed"
        for what, arm in pairs:
            _run_timed(folder, context, what, arm, check)
    return check


def _run_timed(folder: ClaimFolder, context: Context, what: str, arm: str, check: Check) -> None:
    plan = make_plan(folder, replace(context.options, profile=NO_VERDICT_PROFILE))
    prepare = getattr(load_experiment(folder.experiment, folder.project), f"prepare_{what}", None)
    if prepare is None:
        check.failures.append(f"experiment.py: has no prepare_{what}(arm, seed, **settings)")
        return
    condition = {name: condition.values[0] for name, condition in plan.claim.conditions.items()}
    settings = {**settings_for(plan, arm, condition, {}), **placement(plan, arm)}
    try:
        with one_thread():
            prepare(arm, Seed(plan.base_seed, plan.claim.id, 0), **settings)()
    except Exception as error:
        check.failures.append(f"prepare_{what}() of arm {arm}: {type(error).__name__}: {error}")
