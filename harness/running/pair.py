"""An arm and itself: the same trials under two independent streams of seeds."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.judging import student
from harness.running.claim_run import keep, measured, take_stored
from harness.running.reuse import reusable
from harness.running.variant import Variant, main_variant
from harness.specification.models import EXTERNAL, SeedPlan
from harness.specification.parsing import suggestion
from harness.trials.options import resolve_workers
from harness.trials.plan import jobs_of, lasting, only, tasks_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from harness.judging.contrasts import Evidence
    from harness.judging.points import Point
    from harness.running.claim_run import Context
    from harness.specification.models import Claim
    from harness.trials.executor import Job, Result
    from harness.trials.experiment import Task
    from harness.trials.plan import Plan

ALPHA = 0.001
"""Error rate of each comparison of the arm with itself."""

FURTHER_LOOKS = 2
"""Looks after the first, unless a number of seeds is given."""

TWIN = "the same arm again"
"""Stands for the arm under its second stream of seeds; no arm of a specification can have this name."""


@dataclass(frozen=True)
class Side:
    """The arm under one stream of seeds.

    Attributes:
        plan: the claim's plan under the stream's base seed.
        variant: holds the evidence.
    """

    plan: Plan
    variant: Variant

    def tasks(self, points: Iterable[Point], seeds: Iterable[int]) -> list[Task]:
        """Return the tasks of some points and seeds, with the keys of the claim's own trials."""
        return tasks_of(self.plan, points, seeds, self.variant.change_of)


@dataclass(frozen=True)
class Pair:
    """An arm and itself.

    Attributes:
        arm: the arm.
        points: what the claim's expectations read of it.
        sides: the arm under its two streams of seeds.
        seeds: how many seeds of each stream, and when to look.
        timed: whether a metric is a duration.
    """

    arm: str
    points: list[Point]
    sides: tuple[Side, Side]
    seeds: SeedPlan
    timed: bool

    @property
    def claim(self) -> Claim:
        """The specification."""
        return self.sides[0].plan.claim

    @property
    def failed(self) -> bool:
        """Whether a trial failed."""
        return any(side.variant.failed for side in self.sides)

    def evidence(self) -> Evidence:
        """Return the trials of both streams, those of the second as the twin's."""
        first, second = (side.variant.evidence for side in self.sides)
        return {**first, **{of_twin(point): trials for point, trials in second.items()}}


def of_twin(point: Point) -> Point:
    """Return a point of the arm as the twin's."""
    return (("arm", TWIN), *point[1:])


def stream(base: int, number: int = 1) -> int:
    """Return the base seed of an independent stream: 1 to 2^48, from the SHA-256 of ("a/a", base, number)."""
    digest = hashlib.sha256(f"a/a\x1f{base}\x1f{number}".encode()).digest()
    return 1 + int.from_bytes(digest[:6], "big")


def seed_plan(plan: SeedPlan, most: int | None) -> SeedPlan:
    """Return the looks of an A/A run: the profile's, from where an interval says something, up to `most` seeds.

    Raises:
        UsageError: with `most` seeds no interval says anything, or they are more than a claim may have.
    """
    least = student.smallest_n(ALPHA)
    first = max(plan.first, least)
    cap = first + FURTHER_LOOKS * plan.step if most is None else most
    if cap < least:
        raise UsageError(f"--seeds: {cap} seeds tell nothing apart at alpha {ALPHA:g}; give {least} or more")
    try:
        return SeedPlan(first=min(first, cap), step=plan.step, cap=cap)
    except ValueError:
        raise UsageError(f"--seeds: {cap} seeds are more than a claim may have; give fewer") from None


def pair_of(plan: Plan, arm: str | None = None, seeds: int | None = None) -> Pair:
    """Return an arm (the claim's first if none is named) with its two streams of at most `seeds` seeds.

    The first stream is the claim's own, so that its trials serve here too. Durations are comparable only beside each
    other, so where a metric is one, both streams are derived, and no trial of another day gets in.

    Raises:
        UsageError: no such arm, none that an expectation reads, or too few seeds to tell anything.
    """
    claim = plan.claim
    arm = next(iter(claim.arms)) if arm is None else arm
    if arm not in claim.arms:
        raise UsageError(f"{plan.folder.path / 'claim.yaml'}: no arm {arm!r}; {suggestion(arm, claim.arms)}")
    read = main_variant(claim).points(claim.expectations, claim)
    points = [point for point in read if point[0] == ("arm", arm)]
    points.sort(key=lambda point: [claim.conditions[name].values.index(value) for name, value in point[1:]])
    if claim.evidence == EXTERNAL:
        raise UsageError(
            f"{plan.folder.path / 'claim.yaml'}: evidence: external: no second stream of seeds would differ"
        )
    if not points:
        raise UsageError(f"{plan.folder.path / 'claim.yaml'}: no expectation reads arm {arm!r}; choose another")
    timed = any(metric.unit == "second" for metric in claim.metrics.values())
    bases = (stream(plan.base_seed, 2) if timed else plan.base_seed, stream(plan.base_seed))
    first, second = (Side(replace(plan, base_seed=base), Variant("", {}, (), {}, [])) for base in bases)
    return Pair(arm, points, (first, second), seed_plan(plan.seeds, seeds), timed)


def measure(pair: Pair, n: int, context: Context) -> None:
    """Make sure that both sides have the seeds 0 to n - 1 at every point."""
    tasks = [side.tasks(pair.points, range(n)) for side in pair.sides]
    results = _durations(pair, tasks, context) if pair.timed else _others(pair, tasks, context)
    # A duration that is measured again beside its twin replaces one that lost it.
    replacing = replace(context, options=replace(context.options, fresh=True)) if pair.timed else context
    by_base = {side.plan.base_seed: side for side in pair.sides}
    with contextlib.closing(results):
        for task, outcomes in results:
            side = by_base[task.seeds[0].base]
            keep(side.plan, side.variant, task, outcomes, replacing)


def _others(pair: Pair, tasks: list[list[Task]], context: Context) -> Generator[Result]:
    workers = resolve_workers(context.options.workers, pair.sides[0].plan.device)
    left = [
        task
        for side, own in zip(pair.sides, tasks, strict=True)
        for task in take_stored(side.plan, side.variant, own, context)
    ]
    return measured(pair.sides[0].plan, jobs_of(left, workers), context.executor(workers), context)


def _durations(pair: Pair, tasks: list[list[Task]], context: Context) -> Generator[Result]:
    """Run, in one process alone, what is not stored for both streams: either both are of one run, or both are new."""
    plan, everything = pair.sides[0].plan, [key for own in tasks for task in own for key in task.keys]
    found, _ = reusable(plan, everything, context.store, context.run)
    stored = {key: one for key, one in found.items() if lasting(plan, one) == one}
    left: list[tuple[Task, Task]] = []
    for task, twin in zip(*tasks, strict=True):
        keys = zip(task.keys, twin.keys, strict=True)
        both = {
            seed.index for seed, pair_of_keys in zip(task.seeds, keys, strict=True) if stored.keys() >= {*pair_of_keys}
        }
        for side, own in zip(pair.sides, (task, twin), strict=True):
            part = only(own, [seed for seed in own.seeds if seed.index in both])
            take_stored(side.plan, side.variant, [part] if part else [], context)
        rest, rest_of_twin = (only(own, [seed for seed in own.seeds if seed.index not in both]) for own in (task, twin))
        if rest and rest_of_twin:
            left.append((rest, rest_of_twin))
    return measured(plan, beside_each_other(left), context.executor(1), context, alone=True)


def beside_each_other(pairs: Sequence[tuple[Task, Task]]) -> list[Job]:
    """Return a job per seed, each followed by its twin, the two swapping places from seed to seed."""
    indices = sorted({seed.index for task, _ in pairs for seed in task.seeds})
    ordered = [
        only(task, [seed for seed in task.seeds if seed.index == index])
        for index in indices
        for pair in pairs
        for task in (pair if index % 2 == 0 else pair[::-1])
    ]
    return [[task] for task in ordered if task is not None]
