"""Evidence over replications: trials of earlier base seeds join the same confidence sequence.

A replication is a base seed under which a claim was run. Its trials join those of this run if
their keys differ in the base seed alone: same code, settings, data and environment. The
seeds of all replications are independent draws, and how many a replication took depends on nothing
that came after it, so the interval over all of them keeps its promise (a stopped sequence
begins anew: Lai 1976; Howard et al. 2021, "Time-uniform confidence sequences").
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness._clock import now
from harness.judging import contrasts, edges, points, verdict
from harness.judging.repetition import repeats
from harness.running.reuse import reusable
from harness.specification.kinds import Exact
from harness.specification.models import EXTERNAL
from harness.store.records.expectation import ReplicationEstimate, ReplicationRecord
from harness.store.records.parts import finite
from harness.trials.plan import lasting, points_of_task, tasks_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from harness.judging.contrasts import PerSeed
    from harness.judging.points import Point
    from harness.running.variant import Variant
    from harness.specification.readings import Expectation
    from harness.store.records.claim import KnownReplication
    from harness.store.store import Store
    from harness.trials.plan import Plan

MOST_SEEDS = 10_000
"""No replication has more: the largest cap that a specification may have."""


ONCE = "the same evidence, which counts once"
"""Of a replication whose numbers are another's."""


@dataclass(frozen=True)
class Replication:
    """One replication of a series.

    Attributes:
        base_seed: its base seed.
        date: when a record of it was first made, ISO 8601 in UTC.
        first: index of its first seed among the evidence: below zero for earlier replications, 0 for this run's.
    """

    base_seed: int
    date: str
    first: int

    def holds(self, seed: int) -> bool:
        """Whether a seed's index, as it stands in the evidence, belongs to this replication."""
        return self.first <= seed < self.first + MOST_SEEDS


@dataclass(frozen=True)
class Series:
    """The replications whose trials are judged together.

    Attributes:
        replications: oldest first, this run's last.
        apart: base seed -> why that replication is not among them, the latest first.
    """

    replications: tuple[Replication, ...]
    apart: Mapping[int, str]

    @property
    def repeated(self) -> list[str]:
        """Which replications are not among them because their numbers are another's again, in words."""
        return [f"base seed {base_seed}: {why}" for base_seed, why in self.apart.items() if why.endswith(ONCE)]

    @property
    def anew(self) -> str | None:
        """Why the series begins with this run although there were replications before; None if it does not."""
        return next(iter(self.apart.values()), None) if len(self.replications) == 1 else None


def join(plan: Plan, variant: Variant, store: Store) -> Series:
    """Enter the trials of earlier replications into the evidence of a variant; return the series."""
    known = store.replications(plan.claim.id, plan.profile)
    before = _before(known, plan.base_seed) if plan.claim.evidence != EXTERNAL else known[-1:]
    joined: list[Replication] = []
    apart: dict[int, str] = {}
    for age, replication in enumerate(reversed(before), start=1):
        entered = Replication(replication.base_seed, replication.first, -age * MOST_SEEDS)
        refused, other_clock = _enter(plan, variant, entered, store)
        again = _repeated(plan, variant, entered, joined)
        if again is not None:
            leave(variant, entered)
            apart[replication.base_seed] = _again(again)
        elif _has_seeds(plan, variant, entered):
            joined.append(entered)
        else:
            apart[replication.base_seed] = _refusal(refused, replication) or _changed(
                plan, replication, other_clock=other_clock
            )
    current = next((replication.first for replication in known if replication.base_seed == plan.base_seed), now())
    return Series((*reversed(joined), Replication(plan.base_seed, current, 0)), apart)


def _before(known: list[KnownReplication], base_seed: int) -> list[KnownReplication]:
    """Return the replications before the one with a base seed: all of them if it has not been run yet."""
    position = next((i for i, replication in enumerate(known) if replication.base_seed == base_seed), len(known))
    return known[:position]


def _enter(plan: Plan, variant: Variant, replication: Replication, store: Store) -> tuple[dict[str, str], bool]:
    """Enter the trials of an earlier replication, with durations by the present clock only.

    Return why others, which are stored, do not count (key -> words), and whether durations by another clock were left out.
    """
    then = replace(plan, base_seed=replication.base_seed) if plan.claim.evidence != EXTERNAL else plan
    tasks = tasks_of(then, variant.points(variant.expectations, plan.claim), range(plan.seeds.cap), variant.change_of)
    stored, refused = reusable(then, [key for task in tasks for key in task.keys], store, None)
    task_of = {key: task for task in tasks for key in task.keys}
    kept = {key: lasting(then, task_of[key], found) for key, found in stored.items()}
    for task in tasks:
        points = points_of_task(then, task)
        for seed, key in zip(task.seeds, task.keys, strict=True):
            if key in kept:
                variant.enter(points, replication.first + seed.index, kept[key].metrics)
    variant.joined[replication.first] = len(kept)
    return refused, kept != stored


def _has_seeds(plan: Plan, variant: Variant, replication: Replication) -> bool:
    """Whether some expectation gets a whole seed of a replication."""
    return any(replication.holds(seed) for e in variant.expectations.values() for seed in _seeds_of(e, plan, variant))


def _seeds_of(expectation: Expectation, plan: Plan, variant: Variant) -> list[int]:
    read, name = points.points_of(expectation.contrast, plan.claim), points.metric_of(expectation.contrast)
    return contrasts.seeds_with(name, read, plan.claim, variant.evidence)


def _refusal(refused: Mapping[str, str], replication: KnownReplication) -> str | None:
    """Return why the stored trials of a replication do not count, the commonest reason; None if there are none such."""
    common = Counter(refused.values()).most_common(1)
    return f"{common[0][0]} (base seed {replication.base_seed}, {replication.last[:10]})" if common else None


def leave(variant: Variant, replication: Replication) -> None:
    """Take the trials of a replication out of the evidence."""
    for rows in variant.evidence.values():
        for seed in [seed for seed in rows if replication.holds(seed)]:
            del rows[seed]
    variant.joined.pop(replication.first, None)


def _repeated(
    plan: Plan, variant: Variant, replication: Replication, others: Iterable[Replication]
) -> Replication | None:
    """Return the replication of others whose numbers a replication has again; None if there is none."""
    durations = points.wall_clock_metrics(plan.claim)
    own = replication_of(variant, replication, durations)
    return next((other for other in others if repeats(own, replication_of(variant, other, durations))), None)


def _again(other: Replication) -> str:
    return f"its numbers are those of base seed {other.base_seed} again: {ONCE}"


def replication_of(
    variant: Variant, replication: Replication, durations: Collection[str]
) -> dict[int, dict[tuple[Point, str], float]]:
    """Return what a replication measured, without durations: index of the seed -> (point, metric) -> number."""
    found: dict[int, dict[tuple[Point, str], float]] = {}
    for point, rows in variant.evidence.items():
        for seed, row in rows.items():
            if replication.holds(seed):
                numbers = {(point, name): value for name, value in row.items() if name not in durations}
                found.setdefault(seed - replication.first, {}).update(numbers)
    return found


def count_once(plan: Plan, variant: Variant, series: Series | None) -> Series | None:
    """Return a series without those earlier replications that this run repeats, which leave the evidence, too."""
    if series is None:
        return None
    *earlier, current = series.replications
    again = [replication for replication in earlier if _repeated(plan, variant, current, [replication])]
    for replication in again:
        leave(variant, replication)
    kept = tuple(replication for replication in series.replications if replication not in again)
    return replace(
        series,
        replications=kept,
        apart={**{replication.base_seed: _again(current) for replication in again}, **series.apart},
    )


def _changed(plan: Plan, replication: KnownReplication, *, other_clock: bool) -> str:
    """Return what tells this run from an earlier replication, in words."""
    parts = replication.identity.differences(plan.identity)
    if other_clock:
        parts.append("the clock of its durations")
    what = " and ".join(parts) or "what is measured"
    return f"{what} changed since {replication.last[:10]} (base seed {replication.base_seed})"


def replications_of(expectation: Expectation, plan: Plan, variant: Variant, series: Series) -> list[ReplicationRecord]:
    """Return the replications of an expectation that have seeds of it; none for `exact`, which is no sample."""
    contrast = expectation.contrast
    if isinstance(contrast, Exact):
        return []
    per_seed = contrasts.evaluate(contrast, plan.claim, variant.evidence, plan.settings, variant.change_of)
    found: list[ReplicationRecord] = []
    for replication in series.replications:
        own = [seed for seed in sorted(per_seed.values) if replication.holds(seed)]
        so_far = [seed for seed in sorted(per_seed.values) if seed < replication.first + MOST_SEEDS]
        if own:
            alone, accumulated = (_estimate(per_seed, seeds, expectation) for seeds in (own, so_far))
            day = replication.date[:10]
            found.append(
                ReplicationRecord(base_seed=replication.base_seed, date=day, alone=alone, accumulated=accumulated)
            )
    return found


def _estimate(per_seed: PerSeed, seeds: list[int], expectation: Expectation) -> ReplicationEstimate:
    found, floor = edges.interval_of(per_seed, seeds, expectation.alpha)
    estimate, low, high = (edges.on_scale(per_seed, v) for v in (found.estimate, found.low, found.high))
    tie = per_seed.chance_of_tie(seeds)
    return ReplicationEstimate(
        n=found.n,
        estimate=finite(estimate),
        low=finite(low),
        high=finite(high),
        verdict=verdict.judge_interval(found, per_seed.sequence, expectation, low, high, floor, tie),
    )
