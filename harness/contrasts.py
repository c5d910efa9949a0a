"""Trials to contrasts: one number per seed, paired from end to end."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from operator import mul
from statistics import fmean
from typing import TYPE_CHECKING, Any, TypeVar

from harness import stats, ties
from harness.bounded import Bounded
from harness.confidence_sequence import STUDENT, ConfidenceSequence
from harness.kinds import (
    Difference,
    Exact,
    Interaction,
    Linear,
    LogLogSlope,
    Mean,
    Median,
    Quantile,
    QuantileOver,
    RankTrend,
    Rate,
    Ratio,
    Slope,
)
from harness.quantile import Quantile as QuantileSequence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.kinds import Cell, Contrast, Value
    from harness.spec import Claim, Metric

T = TypeVar("T")

Point = tuple[tuple[str, "Value"], ...]
"""A cell with nothing open: (("arm", "cnn"), ("scene", "clutter")), arm first, then by name."""

Evidence = dict[Point, dict[int, dict[str, float]]]
"""Trials of one variant of a claim: point -> seed index -> metric -> value."""

Sampled = Mean | Median | Quantile | Rate | Difference | Ratio | Interaction | Linear | Slope | LogLogSlope | RankTrend
"""Contrasts that are a sample over seeds: all but `exact`."""

Logarithmic = Ratio | LogLogSlope
"""Contrasts that are sums of logarithms."""

Swept = Slope | LogLogSlope | RankTrend
"""Contrasts over the values of a numeric condition."""

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
    bounds: tuple[float, float] = stats.UNBOUNDED
    log: bool = False
    problems: tuple[str, ...] = ()
    sequence: ConfidenceSequence = STUDENT
    raw: dict[int, list[float]] = field(default_factory=dict)
    coarsest: float = 0.0
    rows: Mapping[int, Sequence[float]] = field(default_factory=dict)
    steps: Mapping[int, float] = field(default_factory=dict)

    def chance_of_tie(self, seeds: Sequence[int]) -> float:
        """Return how likely it is at most that seeds which draw data of their own agree as these do; 1 if they do not."""
        return ties.chance([self.rows[seed] for seed in seeds], self.steps[seeds[0]]) if self.rows else 1.0

    def sd_floor(self, seeds: Sequence[int]) -> float:
        """Return the standard deviation below which a spread over `seeds` cannot be trusted.

        It reads those seeds alone, so that a look never hears of later seeds.
        """
        return math.sqrt(fmean(self.rounding[seed] ** 2 for seed in seeds)) if self.rounding and seeds else 0.0


def metric_of(contrast: Contrast) -> str:
    """Return the name of the metric that a contrast reads."""
    return str(getattr(contrast, kind_of(contrast)))


def durations_of(claim: Claim) -> set[str]:
    """Return the names of a claim's metrics that are durations.

    A trial that was measured beside others has none: what shares the machine takes longer.
    """
    return {name for name, metric in claim.metrics.items() if metric.unit == "second"}


def kind_of(contrast: Contrast) -> str:
    """Return `mean`, `difference`, ...: the key that names the kind."""
    return next(iter(type(contrast).model_fields))


def cells_of(contrast: Contrast) -> list[Cell]:
    """Return the cells as written, a swept condition still open."""
    if isinstance(contrast, Difference):
        return [contrast.of, contrast.minus]
    if isinstance(contrast, Ratio):
        return [contrast.of, contrast.to]
    if isinstance(contrast, Interaction):
        return [{**cell, **side} for side in (contrast.here, contrast.there) for cell in (contrast.of, contrast.minus)]
    if isinstance(contrast, Linear):
        return [cell.at for cell in contrast.cells]
    return [contrast.at]


def whole_cells(contrast: Contrast, claim: Claim) -> list[Cell]:
    """Return the cells that a contrast reads, the values of a swept condition filled in."""
    return [{**cell, **swept} for cell in cells_of(contrast) for swept in _swept(contrast, claim)]


def points_of(contrast: Contrast, claim: Claim) -> list[Point]:
    """Return every point that a contrast reads, each once, in order."""
    return list(dict.fromkeys(point for cell in whole_cells(contrast, claim) for point in expand(cell, claim)))


def _swept(contrast: Contrast, claim: Claim) -> list[Cell]:
    if isinstance(contrast, Swept):
        return [{contrast.over: value} for value in sweep_values(contrast, claim)]
    if isinstance(contrast, Exact):
        free = [name for name in claim.conditions if name not in contrast.at]
        arms = [{}] if "arm" in contrast.at else [{"arm": arm} for arm in claim.arms]
        grids = product(*(claim.conditions[name].values for name in free))
        return [{**arm, **dict(zip(free, grid, strict=True))} for grid in grids for arm in arms]
    return [{}]


def sweep_values(contrast: Swept, claim: Claim) -> list[Value]:
    """Return the values of the swept condition, as the condition writes them."""
    declared = claim.conditions[contrast.over].values
    return list(declared) if contrast.values is None else [v for v in declared if v in contrast.values]


def expand(cell: Cell, claim: Claim) -> list[Point]:
    """Return the points of a cell: one, or one per value of its lists."""
    # `take` goes along: it names no condition, so no point has it.
    lists = [value if isinstance(value, list) else [value] for value in cell.values()]
    return [_point(dict(zip(cell, values, strict=True)), claim) for values in product(*lists)]


def _point(cell: Mapping[str, Any], claim: Claim) -> Point:
    """Fill in what a cell may leave out (a single arm, a condition of one value), in the condition's own spelling."""
    conditions = {name: claim.conditions[name].values for name in sorted(claim.conditions)}
    # A cell may say 16.0 where the condition says 16: measure() gets what the condition says.
    values = (
        (name, known[known.index(cell[name])] if name in cell else only(known)) for name, known in conditions.items()
    )
    return (("arm", cell["arm"] if "arm" in cell else only(claim.arms)), *values)


def only(values: Iterable[T]) -> T:
    """Return the single value of `values`; where there are several, a cell that leaves it open has no meaning."""
    (value,) = values
    return value


def sequence_of(contrast: Sampled, claim: Claim) -> ConfidenceSequence:
    """Return what the seeds of a contrast are asked, and how that becomes an interval."""
    if isinstance(contrast, Rate):
        return Bounded(0.0, 1.0, binary=True)
    q = quantile_of(contrast)
    if q is not None:
        return QuantileSequence(q)
    # Of zeros and ones no t interval keeps its promise, however they are added up.
    return Bounded(*reachable(contrast, claim)) if claim.metrics[metric_of(contrast)].two_valued else STUDENT


def quantile_of(contrast: Sampled) -> float | None:
    """Return the share of seeds below what a contrast asks for, None where that is a mean or a rate."""
    if isinstance(contrast, Quantile):
        return contrast.q
    over = "median" if isinstance(contrast, Median) else getattr(contrast, "over_seeds", None)
    return over.quantile if isinstance(over, QuantileOver) else 0.5 if over == "median" else None


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
    problems = tuple(_problems(points, seeds, read, binary=isinstance(contrast, Rate)))
    if problems or not seeds:
        return PerSeed({}, problems=problems)
    found = _rank_trend(contrast, read, seeds) if isinstance(contrast, RankTrend) else _linear(contrast, read, seeds)
    beyond = tuple(
        f"seed {s}: the {kind_of(contrast)} of {read.name} is {v}"
        for s, v in found.values.items()
        if not math.isfinite(v)
    )
    if beyond:
        return replace(found, values={}, problems=beyond)
    raw = {seed: [evidence[point][seed][read.name] for point in points] for seed in seeds}
    coarsest = max(read.step(point) or 0.0 for point in points)
    found = replace(found, sequence=sequence_of(contrast, claim), raw=raw, coarsest=coarsest)
    if not found.sequence.spread:
        # Zeros and ones may well all agree.
        return found
    others = durations_of(claim) - {read.name}
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
    problems = tuple(_problems(points, seeds, read))
    if problems:
        return [], problems
    return [(p, s, evidence[p][s][contrast.exact]) for s in seeds for p in points], ()


def seeds_with(name: str, points: list[Point], claim: Claim, evidence: Evidence) -> list[int]:
    """Return the seeds that have a trial at every point, ascending; those without a duration there left out, if it is one."""
    seeds = common_seeds(points, evidence)
    if name not in durations_of(claim):
        return seeds
    return [seed for seed in seeds if all(name in evidence[point][seed] for point in points)]


def common_seeds(points: list[Point], evidence: Evidence) -> list[int]:
    """Return the seeds that have a trial at every point, ascending."""
    sets = [set(evidence.get(point, {})) for point in points]
    return sorted(set.intersection(*sets)) if sets else []


def _problems(points: list[Point], seeds: list[int], read: _Reader, *, binary: bool = False) -> Iterable[str]:
    metric = read.claim.metrics[read.name]
    binary = binary or metric.two_valued
    for point in points:
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


def shown(point: Point) -> str:
    """Return `arm=cnn, scene=clutter`."""
    return ", ".join(f"{name}={value}" for name, value in point)


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
    return None if any(None in row for row in found) else [max(filter(None, row)) for row in found]


def _linear(contrast: Sampled, read: _Reader, seeds: list[int]) -> PerSeed:
    """Return weighted sums over the cells, of logarithms for a ratio or a log-log slope."""
    cells, weights = whole_cells(contrast, read.claim), weights_of(contrast, read.claim)
    steps, log = steps_of(cells, read.claim, read.step), isinstance(contrast, Logarithmic)
    rows = {s: [read(cell, s) for cell in cells] for s in seeds}
    if isinstance(contrast, Ratio) and steps:
        # An error rate of 0 among n test examples says "below one in n", and the log needs a number: half a step.
        rows = {
            s: [y if y < 0 else max(y, step / 2) for y, step in zip(row, steps, strict=True)] for s, row in rows.items()
        }
    bad = tuple(_not_positive(contrast, s, row) for s, row in rows.items() if log and min(row) <= 0)
    if bad:
        return PerSeed({}, problems=bad)
    values = {s: float(sum(map(mul, weights, map(math.log, row) if log else row))) for s, row in rows.items()}
    rounding = {} if steps is None else {s: _rounding(weights, steps, row if log else None) for s, row in rows.items()}
    bounds = stats.UNBOUNDED if log else reachable(contrast, read.claim)
    return PerSeed(values, rounding, bounds, isinstance(contrast, Ratio))


def _not_positive(contrast: Sampled, seed: int, row: list[float]) -> str:
    kind = kind_of(contrast).replace("loglog_", "log-log ")
    return f"seed {seed}: a {kind} needs positive values, not {', '.join(f'{y:g}' for y in row)}"


def _rounding(weights: list[float], steps: list[float], logs_of: list[float] | None) -> float:
    """Return the standard deviation of a weighted sum's rounding error; to first order that of log y is y's own, by y."""
    sizes = [step / y for step, y in zip(steps, logs_of, strict=True)] if logs_of else steps
    return stats.resolution_floor(1.0, map(mul, weights, sizes))


def weights_of(contrast: Sampled, claim: Claim) -> list[float]:
    """Return the weight of each whole cell in a contrast: 1, or what the kind of contrast makes of its cells."""
    if isinstance(contrast, Difference | Ratio):
        return [1.0, -1.0]
    if isinstance(contrast, Interaction):
        return [1.0, -1.0, -1.0, 1.0]
    if isinstance(contrast, Linear):
        return [cell.weight for cell in contrast.cells]
    if isinstance(contrast, Slope | LogLogSlope):
        values = [float(v) for v in sweep_values(contrast, claim)]
        return stats.slope_weights(map(math.log, values) if isinstance(contrast, LogLogSlope) else values)
    return [1.0]


def linear_bounds(metric: Metric, weights: Iterable[float]) -> tuple[float, float]:
    """Return the smallest and largest value of sum(weights * metrics) within the metric's bounds."""
    low, high = bounds_of(metric)
    pairs = [(w * low, w * high) for w in weights if w]
    return sum(min(p) for p in pairs), sum(max(p) for p in pairs)


def bounds_of(metric: Metric) -> tuple[float, float]:
    """Return the smallest and largest value of a metric."""
    low, high = (0.0, 1.0) if metric.two_valued else metric.bounds
    return -math.inf if low is None else low, math.inf if high is None else high


def _rank_trend(contrast: RankTrend, read: _Reader, seeds: list[int]) -> PerSeed:
    x = sweep_values(contrast, read.claim)
    values = {s: stats.kendall_tau(x, [read({**contrast.at, contrast.over: v}, s) for v in x]) for s in seeds}
    return PerSeed(values, dict.fromkeys(seeds, stats.resolution_floor(tau_step(len(x)))), (-1.0, 1.0))


def tau_step(points: int) -> float:
    """Return the step of Kendall's tau over `points` values without ties: one swap of neighbours."""
    return 4.0 / (points * (points - 1))


def reachable(contrast: Contrast, claim: Claim) -> tuple[float, float]:
    """Return bounds of the values that a contrast can have at all."""
    metric = claim.metrics[metric_of(contrast)]
    if isinstance(contrast, RankTrend):
        return -1.0, 1.0
    if isinstance(contrast, Ratio):
        # Only positive numbers have a ratio here.
        return 0.0, math.inf
    if isinstance(contrast, LogLogSlope):
        return stats.UNBOUNDED
    if isinstance(contrast, Rate):
        return 0.0, 1.0
    return bounds_of(metric) if isinstance(contrast, Exact) else linear_bounds(metric, weights_of(contrast, claim))
