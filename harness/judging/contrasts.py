"""Trials to contrasts: one number per seed, paired from end to end."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from operator import mul
from statistics import fmean
from typing import TYPE_CHECKING, Any

from harness.judging import student, ties
from harness.judging.confidence_sequence import STUDENT, ConfidenceSequence
from harness.judging.groups import Groups
from harness.judging.points import (
    Point,
    expand,
    kind_of,
    metric_of,
    only,
    points_of,
    shown,
    sweep_values,
    wall_clock_metrics,
    whole_cells,
)
from harness.judging.ranges import Logarithmic, Sampled, bounds_of, reachable, sequence_of, tau_step, weights_of
from harness.specification.kinds import Difference, Exact, RankTrend, Rate, Ratio

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.specification.kinds import Cell
    from harness.specification.models import Claim, Metric


Evidence = dict[Point, dict[int, dict[str, float]]]
"""Trials of one variant of a claim: point -> seed index -> metric -> value."""

ChangeOf = Callable[[str], Mapping[str, Any]]
"""Arm -> the settings that a control changes for it."""

REDUCTIONS: dict[str, Callable[[list[float]], float]] = {"min": min, "max": max, "mean": fmean}
"""What `take` may say."""


@dataclass(frozen=True)
class PerSeed:
    """A contrast over seeds.

    Attributes:
        values: seed index -> contrast.
        rounding: seed index -> standard deviation of the contrast's rounding error; empty without a resolution.
        bounds: values the contrast can have.
        log: whether the values are logarithms (a ratio).
        problems: what is wrong, one line each; then nothing can be decided.
        rows: seed index -> everything that its trials yielded where the contrast reads them (see `ties`).
        steps: seed index -> how many steps of the resolution the metric is from where nothing is left to count.
        sequence: what the seeds are asked, and how that becomes an interval.
        raw: seed index -> the metric at every point.
        coarsest: the metric's resolution, of several the coarsest; 0 without one.
    """

    values: dict[int, float]
    rounding: dict[int, float] = field(default_factory=dict)
    bounds: tuple[float, float] = student.UNBOUNDED
    log: bool = False
    problems: tuple[str, ...] = ()
    sequence: ConfidenceSequence = STUDENT
    raw: dict[int, list[float]] = field(default_factory=dict)
    coarsest: float = 0.0
    rows: Mapping[int, Sequence[float]] = field(default_factory=dict)
    steps: Mapping[int, float] = field(default_factory=dict)

    def chance_of_tie(self, seeds: Sequence[int]) -> float:
        """Return how likely it is at most that seeds which draw data of their own agree as these do; 1 if they do not."""
        return ties.chance([self.rows[seed] for seed in seeds], self.steps_away(seeds)) if self.rows else 1.0

    def steps_away(self, seeds: Sequence[int]) -> float:
        """Return how many steps of the resolution seeds that agree are from where nothing is left to count."""
        return self.steps[seeds[0]]

    def sd_floor(self, seeds: Sequence[int]) -> float:
        """Return the standard deviation below which a spread over `seeds` cannot be trusted.

        It reads those seeds alone, so that a look never hears of later seeds.
        """
        return math.sqrt(fmean(self.rounding[seed] ** 2 for seed in seeds)) if self.rounding and seeds else 0.0


def unchanged(_arm: str) -> Mapping[str, Any]:
    """Return the settings that are changed for an arm where there is no control: none."""
    return {}


def evaluate(
    contrast: Sampled, claim: Claim, evidence: Evidence, settings: Mapping[str, Any], change_of: ChangeOf = unchanged
) -> PerSeed:
    """Return the contrast of every seed that has all its trials.

    A seed that lacks a trial is left out, and so is one whose duration was not measured; a
    trial that lacks another metric, or gives no finite number, is a problem: it never counts
    as a value.
    """
    read = _Reader(claim, evidence, metric_of(contrast), settings, change_of)
    points = points_of(contrast, claim)
    seeds = seeds_with(read.name, points, claim, evidence)
    read_at = _every(points, seeds, read)
    problems = tuple(_problems(read_at, read, binary=isinstance(contrast, Rate)))
    if problems or not seeds:
        return PerSeed({}, problems=problems)
    if isinstance(contrast, Difference | Ratio) and not claim.paired:
        found = _against_mean(contrast, read, read_at)
    elif isinstance(contrast, RankTrend):
        found = _rank_trend(contrast, read, seeds)
    else:
        found = _linear(contrast, read, seeds)
    beyond = tuple(
        f"seed {s}: the {kind_of(contrast)} of {read.name} is {v}"
        for s, v in found.values.items()
        if not math.isfinite(v)
    )
    if beyond:
        return replace(found, values={}, problems=beyond)
    raw = {seed: [evidence[point][seed][read.name] for point in points] for seed in seeds}
    coarsest = max(read.step(point) or 0.0 for point in points)
    sequence = found.sequence if isinstance(found.sequence, Groups) else sequence_of(contrast, claim)
    found = replace(found, sequence=sequence, raw=raw, coarsest=coarsest)
    if not found.sequence.spread:
        # Zeros and ones may well all agree.
        return found
    others = wall_clock_metrics(claim) - {read.name}
    rows = {seed: ties.row((evidence[point][seed] for point in points), others) for seed in seeds}
    steps = {seed: max(read.steps_left(point, seed) for point in points) for seed in seeds}
    return replace(found, rows=rows, steps=steps)


def instances(
    contrast: Exact, claim: Claim, evidence: Evidence, settings: Mapping[str, Any], change_of: ChangeOf = unchanged
) -> tuple[list[tuple[Point, int, float]], tuple[str, ...]]:
    """Return every instance of an exact contrast as (point, seed, value), and the problems."""
    read = _Reader(claim, evidence, contrast.exact, settings, change_of)
    points = points_of(contrast, claim)
    seeds = common_seeds(points, evidence)
    problems = tuple(_problems(dict.fromkeys(points, seeds), read))
    if problems:
        return [], problems
    return [(p, s, evidence[p][s][contrast.exact]) for s in seeds for p in points], ()


def seeds_with(name: str, points: list[Point], claim: Claim, evidence: Evidence) -> list[int]:
    """Return the seeds that have a trial at every point, ascending; those without a duration there left out, if it is one."""
    seeds = common_seeds(points, evidence)
    if name not in wall_clock_metrics(claim):
        return seeds
    return [seed for seed in seeds if all(name in evidence[point][seed] for point in points)]


def common_seeds(points: list[Point], evidence: Evidence) -> list[int]:
    """Return the seeds that have a trial at every point, ascending."""
    sets = [set(evidence.get(point, {})) for point in points]
    return sorted(set.intersection(*sets)) if sets else []


def _every(points: list[Point], seeds: list[int], read: _Reader) -> dict[Point, list[int]]:
    """Return the seeds that are read at each point: of a group all that it has."""
    return {point: seeds if read.claim.paired else list(read.evidence.get(point, {})) for point in points}


def _problems(read_at: Mapping[Point, list[int]], read: _Reader, *, binary: bool = False) -> Iterable[str]:
    metric = read.claim.metrics[read.name]
    binary = binary or metric.two_valued
    for point, seeds in read_at.items():
        step = read.step(point) or 0.0
        for seed in seeds:
            value = read.evidence[point][seed].get(read.name)
            if value is None:
                yield f"seed {seed} at {shown(point)}: metric {read.name!r} is missing"
            elif not math.isfinite(value):
                yield f"seed {seed} at {shown(point)}: {read.name} is {value}"
            elif binary and value not in (0, 1):
                yield f"seed {seed} at {shown(point)}: {read.name} is {value:g}, and a rate counts zeros and ones alone"
            elif _beyond(value, metric.bounds, step):
                low, high = metric.bounds
                yield f"seed {seed} at {shown(point)}: {read.name} is {value:g}, beyond its bounds [{low}, {high}]"


def _beyond(value: float, bounds: Sequence[float | None], resolution: float) -> bool:
    """Return whether a value lies beyond its bounds by more than its resolution and rounding explain."""
    low, high = bounds
    slack = resolution + 1e-9 * max([1.0, *(abs(bound) for bound in bounds if bound is not None)])
    return (low is not None and value < low - slack) or (high is not None and value > high + slack)


def step_at(
    metric: Metric, point: Point, claim: Claim, settings: Mapping[str, Any], change_of: ChangeOf = unchanged
) -> float | None:
    """Return a metric's resolution at a point as a number; `1/n_test` reads the setting n_test that holds there."""
    if not isinstance(metric.resolution, str):
        return metric.resolution
    arm = str(dict(point)["arm"])
    # In the order in which measure() gets them.
    there = {**settings, **claim.arms[arm], **dict(point), **change_of(arm)}
    return 1.0 / float(there[metric.resolution.removeprefix("1/")])


@dataclass(frozen=True)
class _Reader:
    """Reads one metric at a cell, lists reduced by `take`."""

    claim: Claim
    evidence: Evidence
    name: str
    settings: Mapping[str, Any]
    change_of: ChangeOf

    def __call__(self, cell: Cell, seed: int) -> float:
        values = [self.evidence[point][seed][self.name] for point in expand(cell, self.claim)]
        return REDUCTIONS[str(cell["take"])](values) if "take" in cell else only(values)

    def step(self, point: Point) -> float | None:
        """Return the metric's resolution at a point."""
        return step_at(self.claim.metrics[self.name], point, self.claim, self.settings, self.change_of)

    def steps_left(self, point: Point, seed: int) -> float:
        """Return how many steps of its resolution a value is from where nothing is left to count; see `ties`."""
        return ties.steps(
            self.evidence[point][seed][self.name], bounds_of(self.claim.metrics[self.name]), self.step(point)
        )


def steps_of(cells: list[Cell], claim: Claim, step: Callable[[Point], float | None]) -> list[float] | None:
    """Return the resolution at each cell, the coarsest of its points; None where a metric has none."""
    found = [[step(point) for point in expand(cell, claim)] for cell in cells]
    # A metric has a resolution everywhere or nowhere.
    return None if None in found[0] else [max(filter(None, row)) for row in found]


def _linear(contrast: Sampled, read: _Reader, seeds: list[int]) -> PerSeed:
    return _weighted(contrast, whole_cells(contrast, read.claim), weights_of(contrast, read.claim), read, seeds)


def _weighted(contrast: Sampled, cells: list[Cell], weights: list[float], read: _Reader, seeds: list[int]) -> PerSeed:
    """Return weighted sums over the cells, of logarithms for a ratio or a log-log slope."""
    steps, log = steps_of(cells, read.claim, read.step), isinstance(contrast, Logarithmic)
    rows = {s: [read(cell, s) for cell in cells] for s in seeds}
    if isinstance(contrast, Ratio) and steps:
        # An error rate of 0 among n test examples says "below one in n", and the log needs a number: half a step.
        rows = {
            s: [y if y < 0 else max(y, step / 2) for y, step in zip(row, steps, strict=True)] for s, row in rows.items()
        }
    kind = kind_of(contrast).replace("loglog_", "log-log ")
    bad = tuple(
        f"seed {s}: a {kind} needs positive values, not {', '.join(f'{y:g}' for y in row)}"
        for s, row in rows.items()
        if log and min(row) <= 0
    )
    if bad:
        return PerSeed({}, problems=bad)
    values = {s: float(sum(map(mul, weights, map(math.log, row) if log else row))) for s, row in rows.items()}
    rounding = {} if steps is None else {s: _rounding(weights, steps, row if log else None) for s, row in rows.items()}
    bounds = student.UNBOUNDED if log else reachable(contrast, read.claim)
    return PerSeed(values, rounding, bounds, isinstance(contrast, Ratio))


def _against_mean(contrast: Difference | Ratio, read: _Reader, read_at: Mapping[Point, list[int]]) -> PerSeed:
    """Return each run of the smaller group against the mean of the other, of logarithms for a ratio; see `groups`."""
    cells = whole_cells(contrast, read.claim)
    first, second = (
        _weighted(contrast, [cell], [1.0], read, read_at[only(expand(cell, read.claim))]) for cell in cells
    )
    if second.problems:
        # Without values the first is the smaller, and brings its own along.
        return second
    swapped = len(second.values) < len(first.values)
    own, other, sign = (second, first, -1.0) if swapped else (first, second, 1.0)
    mean, sd = student.moments(student.numbers(list(other.values.values())))
    error = max(sd, other.sd_floor(list(other.values))) ** 2 / len(other.values)
    return replace(own, values={s: sign * (value - mean) for s, value in own.values.items()}, sequence=Groups(error))


def _rounding(weights: list[float], steps: list[float], logs_of: list[float] | None) -> float:
    """Return the standard deviation of a weighted sum's rounding error; to first order that of log y is y's own, by y."""
    sizes = [step / y for step, y in zip(steps, logs_of, strict=True)] if logs_of else steps
    return student.resolution_floor(1.0, map(mul, weights, sizes))


def _rank_trend(contrast: RankTrend, read: _Reader, seeds: list[int]) -> PerSeed:
    x = sweep_values(contrast, read.claim)
    values = {s: student.kendall_tau(x, [read({**contrast.at, contrast.over: v}, s) for v in x]) for s in seeds}
    return PerSeed(values, dict.fromkeys(seeds, student.resolution_floor(tau_step(len(x)))), (-1.0, 1.0))
