"""A claim as it is being measured: as it stands, or under one control's change."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.judging import verdict
from harness.judging.points import metric_of, points_of, shown, wall_clock_metrics
from harness.trials.plan import points_of_task

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from harness.judging.contrasts import Evidence
    from harness.judging.points import Point
    from harness.judging.verdict import Judgement
    from harness.seeds import Seed
    from harness.specification.models import Claim
    from harness.specification.readings import Expectation, Reading
    from harness.trials.place import Place
    from harness.trials.plan import Plan
    from harness.trials.task import Metrics, Outcome, Task


@dataclass
class Variant:
    """A claim being measured.

    Attributes:
        name: empty for the claim itself, else the control's name.
        change: settings that win over all others.
        changed_arms: arms that the change is made to.
        expectations: what is judged.
        groups: expectations that are closed together, as soon as one of them is refuted: those of a reading.
        evidence: trials so far.
        judgements: expectation -> what the trials say.
        errors: why trials failed, one line each.
        traces: their tracebacks, for those who ask.
        reused: trials taken from the store.
        measured: trials measured now.
        failed: trials that failed now.
        joined: first index of an earlier replication -> how many trials of it are evidence.
        seconds: compute time of all trials, reused ones included.
        cut: whether there was no time for its next batch.
        missing_trials: trials of that batch that are not stored.
        choices: arm -> what the engine chose while it trained.
        costs: arm -> seconds of each of its trials.
        places: where its trials ran, and whether their durations are evidence -> how many.
        anew: key of a trial that is measured although it, or one in its place, is stored -> why.
        ahead: key of a trial that was measured before the look that asks for it -> what became of it; no evidence yet.
    """

    name: str
    change: dict[str, Any]
    changed_arms: Collection[str]
    expectations: dict[str, Expectation]
    groups: list[list[str]]
    evidence: Evidence = field(default_factory=dict)
    judgements: dict[str, Judgement] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    traces: list[str] = field(default_factory=list)
    reused: int = 0
    measured: int = 0
    failed: int = 0
    joined: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0
    cut: bool = False
    missing_trials: int = 0
    choices: dict[str, set[str]] = field(default_factory=dict)
    costs: dict[str, list[float]] = field(default_factory=dict)
    places: Counter[tuple[Place, bool]] = field(default_factory=Counter)
    anew: dict[str, str] = field(default_factory=dict)
    ahead: dict[str, Outcome] = field(default_factory=dict)

    @property
    def trials(self) -> int:
        """Number of trials, however they were come by."""
        return self.reused + self.measured + self.failed

    @property
    def earlier(self) -> int:
        """Number of trials of earlier replications."""
        return sum(self.joined.values())

    def open(self) -> list[str]:
        """Return the expectations that still need seeds."""
        return [name for group in self.groups if not self._closed(group) for name in group if self.undecided(name)]

    def undecided(self, name: str) -> bool:
        """Whether more seeds could change what is said of an expectation."""
        return self._verdict(name) in (verdict.INCONCLUSIVE, verdict.NOT_RUN)

    def _closed(self, group: list[str]) -> bool:
        return any(self._verdict(name) in (verdict.REFUTED, verdict.INVALID) for name in group)

    def _verdict(self, name: str) -> str:
        return self.judgements[name].verdict if name in self.judgements else verdict.NOT_RUN

    def points(self, names: Collection[str], claim: Claim) -> list[Point]:
        """Return every point that some expectations read, each once."""
        return list(dict.fromkeys(p for name in names for p in points_of(self.expectations[name].contrast, claim)))

    def change_of(self, arm: str) -> dict[str, Any]:
        """Return the settings that are changed for an arm; nothing for one that the control leaves alone."""
        return self.change if arm in self.changed_arms else {}

    def timed(self, plan: Plan, task: Task | None = None) -> bool:
        """Whether an expectation that is still open reads a duration, of any task or under the condition of this one.

        All arms under such a condition are measured one seed at a time, in one process alone. Once what reads durations
        is decided, further seeds need no clock, and are measured side by side.
        """
        durations = wall_clock_metrics(plan.claim)
        timed = [name for name in self.open() if metric_of(self.expectations[name].contrast) in durations]
        if task is None:
            return bool(timed)
        conditions = {point[1:] for point in self.points(timed, plan.claim)}
        return any(point[1:] in conditions for point in points_of_task(plan, task))

    def judge(self, plan: Plan) -> None:
        """Judge every expectation by the trials so far; what is decided stays."""
        for name, expectation in self.expectations.items():
            if self.undecided(name):
                evidence, before = (plan.claim, self.evidence, plan.settings), self.judgements.get(name)
                self.judgements[name] = verdict.judge(expectation, *evidence, plan.seeds, self.change_of, before)

    def knows(self, plan: Plan, task: Task, seed: Seed) -> bool:
        """Whether a trial of `task` with `seed` is among the evidence, with all that is read of it."""
        known = self.evidence.get(points_of_task(plan, task)[0], {}).get(seed.index)
        return known is not None and self.suffices(plan, task, known)

    def suffices(self, plan: Plan, task: Task, metrics: Metrics | Mapping[str, float]) -> bool:
        """Whether a trial of `task` that yielded `metrics` will do: where durations are read, it must have them."""
        own = wall_clock_metrics(plan.claim).intersection(task.metrics)
        return own <= metrics.keys() or not self.timed(plan, task)

    def reuse(
        self,
        plan: Plan,
        task: Task,
        seed: Seed,
        metrics: Metrics,
        seconds: float,
        choices: Iterable[str] = (),
        place: Place | None = None,
    ) -> None:
        """Enter a stored trial as evidence."""
        self.reused += 1
        self.seconds += seconds
        self.costs.setdefault(task.arm, []).append(seconds)
        self.choices.setdefault(task.arm, set()).update(choices)
        self._note_place(plan, metrics, place)
        self.enter(points_of_task(plan, task), seed.index, metrics)

    def _note_place(self, plan: Plan, metrics: Metrics, place: Place | None) -> None:
        if place is not None:
            self.places[place, bool(wall_clock_metrics(plan.claim) & metrics.keys())] += 1

    def keep(self, plan: Plan, task: Task, seed: Seed, outcome: Outcome) -> None:
        """Enter a new trial as evidence; a failed one as NaN, which verifies nothing."""
        self.seconds += outcome.seconds
        self.choices.setdefault(task.arm, set()).update(outcome.choices)
        self._note_place(plan, outcome.metrics, outcome.place)
        if outcome.error is None:
            self.measured += 1
            self.costs.setdefault(task.arm, []).append(outcome.seconds)
            self.enter(points_of_task(plan, task), seed.index, outcome.metrics)
            return
        self.failed += 1
        self.traces.append(outcome.trace)
        self.errors.append(
            f"seed {seed.index} at {shown((('arm', task.arm), *task.condition.items()))}: {outcome.error}"
        )
        self.enter(points_of_task(plan, task), seed.index, dict.fromkeys(task.metrics, math.nan))

    def enter(self, points: Collection[Point], index: int, metrics: Metrics) -> None:
        """Enter the metrics of a seed, one value for each of the points that were measured together."""
        for position, point in enumerate(points):
            row = {name: value[position] if isinstance(value, list) else value for name, value in metrics.items()}
            self.evidence.setdefault(point, {})[index] = row


def main_variant(claim: Claim, readings: Collection[str] | None = None) -> Variant:
    """Return the claim as it stands, limited to some readings if asked."""
    chosen = [r for name, r in claim.readings.items() if readings is None or name in readings]
    expectations = {name: e for reading in chosen for name, e in reading.expectations.items()}
    groups = [group for reading in chosen for group in _groups(reading)]
    return Variant("", {}, (), expectations, groups)


def _groups(reading: Reading) -> list[list[str]]:
    """Return the expectations of a reading that a refuted one of them closes; each by itself where all are to be decided."""
    names = list(reading.expectations)
    return [[name] for name in names] if reading.decide == "all" else [names]


def control_variant(claim: Claim, name: str, main: Variant) -> Variant:
    """Return the claim under a control's change, with those expectations of `main` that it breaks."""
    control = claim.controls[name]
    broken = {e: claim.expectations[e] for e in control.breaks if e in main.expectations}
    return Variant(name, dict(control.change), control.arms or list(claim.arms), broken, [[e] for e in broken])
