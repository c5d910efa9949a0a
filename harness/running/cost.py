"""What a claim will cost under a profile, and whether it will be decided: forecasts, seconds and memory.

It rests on the stored trials that a run of today could have measured: same code, settings,
data and environment, under whatever base seed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from statistics import fmean, median
from typing import TYPE_CHECKING

from harness.judging.points import points_of
from harness.running.forecast import forecasts_of
from harness.running.reuse import stale, unseen
from harness.running.variant import control_variant, main_variant
from harness.trials.options import resolve_workers
from harness.trials.plan import keys_of, points_of_task, tasks_of

if TYPE_CHECKING:
    from harness.running.forecast import Forecast
    from harness.running.variant import Variant
    from harness.seeds import Seed
    from harness.store.store import Store
    from harness.trials.experiment import Task
    from harness.trials.options import Options
    from harness.trials.plan import Plan
    from harness.trials.rows import StoredTrial

NEWEST = 256
"""Stored trials of an arm under a condition that are read at most: enough for any mean and spread."""

PILOT = 3
"""Seeds that a pilot measures."""


def stored_trials(plan: Plan, task: Task, store: Store) -> list[StoredTrial]:
    """Return the stored trials that a call for `task` could have measured today, under whatever base seed."""
    alike = store.alike(plan.claim.id, task, NEWEST)
    keys = keys_of(plan, task, (trial.seed for trial in alike))
    found = [trial for trial, key in zip(alike, keys, strict=True) if trial.key == key]
    changed = {digest: stale(plan, digest, store) for digest in {trial.inputs for trial in found}}
    return [trial for trial in found if changed[trial.inputs] is None]


@dataclass(frozen=True)
class Part:
    """The trials of one arm under one condition, with or without a control's change.

    Attributes:
        task: the call that measures them (its seeds do not matter).
        readers: expectations that read them.
        trials: those in the store.
        timed: whether they are measured one at a time, in one process.
    """

    task: Task
    readers: list[str]
    trials: list[StoredTrial]
    timed: bool

    @property
    def key(self) -> str:
        """What names these trials: equal keys in two variants are the same trials."""
        return self.task.keys[0]

    @property
    def seconds(self) -> float | None:
        """Mean computing time of a trial, None where there is none."""
        return fmean(trial.seconds for trial in self.trials) if self.trials else None


@dataclass(frozen=True)
class VariantForecast:
    """A variant of a claim, with what the store says of it.

    Attributes:
        variant: the claim as it stands or under a control's change; its evidence is all stored trials.
        parts: its trials.
    """

    variant: Variant
    parts: list[Part]


@dataclass(frozen=True)
class Outlook:
    """What to expect of a claim under a profile.

    Attributes:
        plan: what is fixed before the first trial.
        profile: name of the profile.
        prospects: the claim as it stands, then under each control's change.
        expected: of each of these, expectation -> what to expect of it.
    """

    plan: Plan
    profile: str
    prospects: list[VariantForecast]
    expected: list[dict[str, Forecast]]

    @property
    def forecasts(self) -> dict[str, Forecast]:
        """Forecasts of the claim's own expectations."""
        return self.expected[0]

    @property
    def least_powered(self) -> str:
        """The expectation that is least likely to be decided; one without a forecast comes before all."""
        return min(self.forecasts, key=lambda name: _ease(self.forecasts[name]))

    @property
    def parts(self) -> dict[str, Part]:
        """All parts, each once: a control shares those that it leaves alone with the claim."""
        return {part.key: part for prospect in self.prospects for part in prospect.parts}

    @property
    def trials(self) -> int:
        """Number of stored trials that it rests on."""
        return sum(len(part.trials) for part in self.parts.values())

    @property
    def complete(self) -> bool:
        """Whether a pilot would add nothing: every part has trials enough, and every expectation a forecast."""
        enough = min(PILOT, self.plan.seeds.cap)
        measured = all(len(part.trials) >= enough for part in self.parts.values())
        return measured and not any(forecast.reason for forecast in self.forecasts.values())

    @property
    def seconds(self) -> float | None:
        """Computing time of a run that reuses nothing, on average; None where no trial was timed."""
        seeds = [{name: found.seeds for name, found in forecasts.items()} for forecasts in self.expected]
        return _total(list(zip(self.parts.values(), _needs(self.plan, self.prospects, seeds).values(), strict=True)))

    @property
    def peak_bytes(self) -> int | None:
        """The most memory that a process held during any of the trials, None where nobody measured it."""
        return max(
            (t.peak_bytes for p in self.parts.values() for t in p.trials if t.peak_bytes is not None), default=None
        )


def _needs(plan: Plan, prospects: list[VariantForecast], seeds: list[dict[str, float]]) -> dict[str, float]:
    """Return how many seeds each part needs, in the order of `Outlook.parts`, given what each expectation needs."""
    needs: dict[str, float] = {}
    for prospect, own in zip(prospects, seeds, strict=True):
        # A control gets no more seeds than the claim itself needed.
        limit = max(plan.seeds.first, *(seeds[0][name] for name in own))
        for part in prospect.parts:
            most = min(limit, max(own[name] for name in part.readers))
            needs[part.key] = max(needs.get(part.key, 0.0), most)
    return needs


def _total(parts: list[tuple[Part, float]]) -> float | None:
    """Return the seconds of so many trials of each part; a part that was never timed counts as the mean of the others."""
    known = [part.seconds for part, _ in parts if part.seconds is not None]
    return sum(n * (fmean(known) if part.seconds is None else part.seconds) for part, n in parts) if known else None


def _ease(forecast: Forecast) -> tuple[float, float]:
    """Return what is the smaller, the harder an expectation is to decide."""
    return (-1.0 if forecast.reason else forecast.probability, -forecast.seeds)


def outlook_of(plan: Plan, profile: str, store: Store) -> Outlook:
    """Return what the stored trials let one expect of a claim."""
    prospects = _prospects(plan, store)
    return Outlook(plan, profile, prospects, [forecasts_of(plan, prospect.variant) for prospect in prospects])


def _prospects(plan: Plan, store: Store) -> list[VariantForecast]:
    main = main_variant(plan.claim)
    controls = [control_variant(plan.claim, name, main) for name in plan.claim.controls]
    return [_prospect(plan, variant, store) for variant in (main, *controls)]


def _prospect(plan: Plan, variant: Variant, store: Store) -> VariantForecast:
    """Return a variant with all stored trials as its evidence, each (base seed, index) a seed of its own."""
    readers = {name: set(points_of(e.contrast, plan.claim)) for name, e in variant.expectations.items()}
    numbers: dict[Seed, int] = {}
    parts = []
    for task in tasks_of(plan, variant.points(list(variant.expectations), plan.claim), [0], variant.change_of):
        points = points_of_task(plan, task)
        trials = stored_trials(plan, task, store)
        for trial in trials:
            seed = replace(trial.seed, index=numbers.setdefault(trial.seed, len(numbers)))
            variant.reuse(plan, task, seed, trial.metrics, trial.seconds)
        reading = [name for name, read in readers.items() if read.intersection(points)]
        parts.append(Part(task, reading, trials, variant.timed(plan, task)))
    return VariantForecast(variant, parts)


def remaining_seconds(plan: Plan, options: Options, store: Store, run: str) -> float | None:
    """Return the time that the claim still takes in a run, as stored trials took; None where no trial was timed."""
    workers = resolve_workers(options, plan.device)
    prospects = _prospects(plan, store)
    parts = {part.key: part for prospect in prospects for part in prospect.parts}
    inputs = {trial.inputs for part in parts.values() for trial in part.trials}
    # What no later run may reuse is measured anew by each.
    by = run if options.fresh or any(unseen(plan, digest, store) for digest in inputs) else None
    needs = _needs(plan, prospects, [_seeds(plan, prospect, by) for prospect in prospects])
    done = {key: sum(t.seed.index < needs[key] for t in _own(plan, part, by)) for key, part in parts.items()}
    left = {key: max(0.0, needs[key] - done[key]) / (1 if part.timed else workers) for key, part in parts.items()}
    return _total([(part, left[key]) for key, part in parts.items()])


def _own(plan: Plan, part: Part, run: str | None) -> list[StoredTrial]:
    """Return the trials that a run under the plan's base seed reuses; those of `run` alone, if given."""
    return [t for t in part.trials if t.seed.base == plan.base_seed and run in (None, t.run)]


def _seeds(plan: Plan, prospect: VariantForecast, run: str | None) -> dict[str, float]:
    """Return how many seeds each expectation needs: those that decided it, or its usual number, at least up to the next look."""
    variant = replace(prospect.variant, evidence={}, judgements={})
    usual = dict.fromkeys(variant.expectations, 0.0)
    for part in prospect.parts:
        own = _own(plan, part, run)
        for trial in own:
            variant.reuse(plan, part.task, trial.seed, trial.metrics, trial.seconds)
        keys = {trial.key for trial in own}
        others = Counter(trial.seed.base for trial in part.trials if trial.key not in keys)
        for name in part.readers:
            usual[name] = max(usual[name], median(others.values() or [0]))
    variant.judge(plan)
    n = {name: variant.judgements[name].n for name in usual}
    after = {name: next((look for look in plan.seeds.looks if look > n[name]), n[name]) for name in usual}
    return {name: max(usual[name], after[name]) if name in variant.open() else n[name] for name in usual}


def batch_seconds(plan: Plan, variant: Variant, tasks: list[Task], options: Options, store: Store) -> float | None:
    """Return the time that a batch of trials takes, as stored ones took; None where no trial was timed."""
    workers = resolve_workers(options, plan.device)
    parts = [Part(task, [], stored_trials(plan, task, store), variant.timed(plan, task)) for task in tasks]
    return _total([(part, len(part.task.seeds) / (1 if part.timed else workers)) for part in parts])
