"""An arm under two independent streams of seeds: what an A/A run measures, by the ordinary runner."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.judging import student
from harness.judging.points import wall_clock_metrics
from harness.running.measuring import measure
from harness.running.variant import Variant, main_variant
from harness.specification.kinds import Mean
from harness.specification.models import EXTERNAL, SeedPlan
from harness.specification.parsing import suggestion
from harness.specification.readings import Band, Expectation
from harness.trials.plan import tasks_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.judging.contrasts import Evidence
    from harness.judging.points import Point
    from harness.running.context import Context
    from harness.specification.models import Claim
    from harness.trials.plan import Plan
    from harness.trials.task import Task

ALPHA = 0.001
"""Error rate of each comparison of the arm with itself."""

FURTHER_LOOKS = 2
"""Looks after the first, unless a number of seeds is given."""

SECOND_STREAM = "the same arm again"
"""Stands for the arm under its second stream of seeds; no arm of a specification can have this name."""


@dataclass(frozen=True)
class Streams:
    """An arm under two streams of seeds.

    Attributes:
        arm: the arm.
        points: what the claim's expectations read of it.
        plans: the claim's plan under the base seed of each stream.
        variants: hold the evidence of each stream.
        seeds: how many seeds of each stream, and when to look.
    """

    arm: str
    points: list[Point]
    plans: tuple[Plan, Plan]
    variants: tuple[Variant, Variant]
    seeds: SeedPlan

    @property
    def claim(self) -> Claim:
        """The specification."""
        return self.plans[0].claim

    @property
    def timed(self) -> bool:
        """Whether a metric is a duration."""
        return bool(wall_clock_metrics(self.claim))

    @property
    def failed(self) -> bool:
        """Whether a trial failed."""
        return any(variant.failed for variant in self.variants)

    def tasks(self, stream: int, seeds: Iterable[int]) -> list[Task]:
        """Return the tasks of some seeds of a stream, with the keys of the claim's own trials."""
        return tasks_of(self.plans[stream], self.points, seeds, self.variants[stream].change_of)

    def evidence(self) -> Evidence:
        """Return the trials of both streams, those of the second as the twin's."""
        first, second = (variant.evidence for variant in self.variants)
        return {**first, **{in_second_stream(point): trials for point, trials in second.items()}}

    def measure(self, n: int, context: Context) -> None:
        """Make sure that both streams have the seeds 0 to n - 1 at every point.

        Durations are measured anew, and seed by seed, the streams swapping places: a drift of the machine's speed cancels.
        """
        if self.timed:
            context = replace(context, options=replace(context.options, fresh=True))
        for upto in range(1, n + 1) if self.timed else [n]:
            pair = list(zip(self.plans, self.variants, strict=True))
            for plan, variant in pair if upto % 2 else pair[::-1]:
                measure(plan, variant, list(variant.expectations), upto, context)


def in_second_stream(point: Point) -> Point:
    """Return a point of the arm as the twin's."""
    return (("arm", SECOND_STREAM), *point[1:])


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


def streams_of(plan: Plan, arm: str | None = None, seeds: int | None = None) -> Streams:
    """Return an arm (the claim's first if none is named) with its two streams of at most `seeds` seeds.

    The first stream is the claim's own, so that its trials serve here too; where a metric is a duration, both are derived,
    so that what is measured anew replaces none of the claim's.

    Raises:
        UsageError: no such arm, none that an expectation reads, or too few seeds to tell anything.
    """
    claim, file = plan.claim, plan.folder.path / "claim.yaml"
    arm = next(iter(claim.arms)) if arm is None else arm
    if arm not in claim.arms:
        raise UsageError(f"{file}: no arm {arm!r}; {suggestion(arm, claim.arms)}")
    if claim.evidence == EXTERNAL:
        raise UsageError(f"{file}: evidence: external: no second stream of seeds would differ")
    read = main_variant(claim).points(claim.expectations, claim)
    points = [point for point in read if point[0] == ("arm", arm)]
    points.sort(key=lambda point: [claim.conditions[name].values.index(value) for name, value in point[1:]])
    if not points:
        raise UsageError(f"{file}: no expectation reads arm {arm!r}; choose another")
    own = stream(plan.base_seed, 2) if wall_clock_metrics(claim) else plan.base_seed
    plans = (replace(plan, base_seed=own), replace(plan, base_seed=stream(plan.base_seed)))
    return Streams(arm, points, plans, (_reading(claim, points), _reading(claim, points)), seed_plan(plan.seeds, seeds))


def _reading(claim: Claim, points: list[Point]) -> Variant:
    """Return a variant that reads every metric at some points, and is never decided."""
    names = [(metric, point) for point in points for metric in claim.metrics_of(str(dict(point)["arm"]))]
    contrasts = {f"{metric} at {point}": Mean(mean=metric, at=dict(point)) for metric, point in names}
    band = Band(at_least=0.0)
    expectations = {
        name: Expectation(contrast=contrast, band=band, because="it is measured twice")
        for name, contrast in contrasts.items()
    }
    return Variant("", {}, (), expectations, [[name] for name in expectations])
