"""Trials to contrasts: one number per seed, paired from end to end."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import product
from statistics import fmean
from typing import TYPE_CHECKING, Any, TypeVar

from harness import stats, ties
from harness.spec import (
    Difference,
    Exact,
    Interaction,
    LogLogSlope,
    Mean,
    RankTrend,
    Ratio,
    Slope,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from harness.spec import Cell, Claim, Contrast, Metric, Value

T = TypeVar("T")

Point = tuple[tuple[str, "Value"], ...]
"""A cell with nothing open: (("arm", "cnn"), ("scene", "clutter")), arm first, then by name."""

Evidence = dict[Point, dict[int, dict[str, float]]]
"""Trials of one variant of a claim: point -> seed index -> metric -> value."""

Sampled = Mean | Difference | Ratio | Interaction | Slope | LogLogSlope | RankTrend
"""Contrasts that are a sample over seeds: all but `exact`."""

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
    """

    values: dict[int, float]
    rounding: dict[int, float] = field(default_factory=dict)
    bounds: tuple[float, float] = stats.UNBOUNDED
    log: bool = False
    problems: tuple[str, ...] = ()
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
    return [contrast.at]


def points_of(contrast: Contrast, claim: Claim) -> list[Point]:
    """Return every point that a contrast reads, each once, in order."""
    found: dict[Point, None] = {}
    for cell in cells_of(contrast):
        for swept in _swept(contrast, claim):
            found.update(dict.fromkeys(expand({**cell, **swept}, claim)))
    return list(found)


def _swept(contrast: Contrast, claim: Claim) -> list[Cell]:
    if isinstance(contrast, Slope | LogLogSlope | RankTrend):
        return [{contrast.over: value} for value in sweep_values(contrast, claim)]
    if isinstance(contrast, Exact):
        free = [name for name in claim.conditions if name not in contrast.at]
        arms = [{}] if "arm" in contrast.at else [{"arm": arm} for arm in claim.arms]
        grids = product(*(claim.conditions[name].values for name in free))
        return [{**arm, **dict(zip(free, grid, strict=True))} for grid in grids for arm in arms]
    return [{}]


def sweep_values(contrast: Slope | LogLogSlope | RankTrend, claim: Claim) -> list[Value]:
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


def evaluate(contrast: Sampled, claim: Claim, evidence: Evidence, settings: Mapping[str, Any]) -> PerSeed:
    """Return the contrast of every seed that has all its trials.

    A seed that lacks a trial is left out, and so is one whose duration was not measured; a
    trial that lacks another metric, or gives no finite number, is a problem: it never counts
    as a value.
    """
    points = points_of(contrast, claim)
    seeds = common_seeds(points, evidence)
    name = metric_of(contrast)
    if name in durations_of(claim):
        seeds = [seed for seed in seeds if all(name in evidence[point][seed] for point in points)]
    metric = claim.metrics[name]
    resolution = resolve(metric, settings)
    problems = tuple(_problems(points, seeds, name, evidence, metric.bounds, resolution))
    if problems:
        return PerSeed({}, problems=problems)
    reader = _Reader(claim, evidence, name)
    if isinstance(contrast, Ratio):
        found = _ratio(contrast, reader, seeds, resolution)
    else:
        found = _linear_or_rank(contrast, reader, seeds, metric, resolution)
    beyond = tuple(
        f"seed {s}: the {kind_of(contrast)} of {name} is {v}" for s, v in found.values.items() if not math.isfinite(v)
    )
    if beyond:
        return replace(found, values={}, problems=beyond)
    others = durations_of(claim) - {name}
    rows = {seed: ties.row((evidence[point][seed] for point in points), others) for seed in seeds}
    steps = {
        seed: max(ties.steps(evidence[point][seed][name], metric.bounds, resolution) for point in points)
        for seed in seeds
    }
    return replace(found, rows=rows, steps=steps)


def instances(
    contrast: Exact, claim: Claim, evidence: Evidence, settings: Mapping[str, Any]
) -> tuple[list[tuple[Point, int, float]], tuple[str, ...]]:
    """Return every instance of an exact contrast as (point, seed, value), and the problems."""
    points = points_of(contrast, claim)
    seeds = common_seeds(points, evidence)
    metric = claim.metrics[contrast.exact]
    problems = tuple(_problems(points, seeds, contrast.exact, evidence, metric.bounds, resolve(metric, settings)))
    if problems:
        return [], problems
    return [(p, s, evidence[p][s][contrast.exact]) for s in seeds for p in points], ()


def common_seeds(points: list[Point], evidence: Evidence) -> list[int]:
    """Return the seeds that have a trial at every point, ascending."""
    sets = [set(evidence.get(point, {})) for point in points]
    return sorted(set.intersection(*sets)) if sets else []


def _problems(
    points: list[Point],
    seeds: list[int],
    name: str,
    evidence: Evidence,
    bounds: Sequence[float | None],
    resolution: float | None,
) -> Iterable[str]:
    for point in points:
        for seed in seeds:
            value = evidence[point][seed].get(name)
            if value is None:
                yield f"seed {seed} at {shown(point)}: metric {name!r} is missing"
            elif not math.isfinite(value):
                yield f"seed {seed} at {shown(point)}: {name} is {value}"
            elif _beyond(value, bounds, resolution or 0.0):
                low, high = bounds
                yield f"seed {seed} at {shown(point)}: {name} is {value:g}, beyond its bounds [{low}, {high}]"


def _beyond(value: float, bounds: Sequence[float | None], resolution: float) -> bool:
    """Return whether a value lies beyond its bounds by more than its resolution and rounding explain."""
    low, high = bounds
    slack = resolution + 1e-9 * max([1.0, *(abs(bound) for bound in bounds if bound is not None)])
    return (low is not None and value < low - slack) or (high is not None and value > high + slack)


def shown(point: Point) -> str:
    """Return `arm=cnn, scene=clutter`."""
    return ", ".join(f"{name}={value}" for name, value in point)


def resolve(metric: Metric, settings: Mapping[str, Any]) -> float | None:
    """Return a metric's resolution as a number; `1/n_test` reads the setting n_test."""
    if isinstance(metric.resolution, str):
        return 1.0 / float(settings[metric.resolution.removeprefix("1/")])
    return metric.resolution


@dataclass(frozen=True)
class _Reader:
    """Reads one metric at a cell, lists reduced by `take`."""

    claim: Claim
    evidence: Evidence
    metric: str

    def __call__(self, cell: Cell, seed: int) -> float:
        values = [self.evidence[point][seed][self.metric] for point in expand(cell, self.claim)]
        return REDUCTIONS[str(cell["take"])](values) if "take" in cell else only(values)


def _ratio(contrast: Ratio, read: _Reader, seeds: list[int], resolution: float | None) -> PerSeed:
    """Return log ratios; a zero of a metric with a resolution counts as half a step.

    An error rate of 0 among n test examples says "below one in n", and the log needs a number.
    """
    read_pairs = {s: (read(contrast.of, s), read(contrast.to, s)) for s in seeds}
    smallest = resolution / 2 if resolution is not None else 0.0
    bad = tuple(
        f"seed {s}: a ratio needs positive values, not {a:g} / {b:g}"
        for s, (a, b) in read_pairs.items()
        if min(a, b) < 0 or max(min(a, b), smallest) <= 0
    )
    if bad:
        return PerSeed({}, problems=bad)
    pairs = {s: (max(a, smallest), max(b, smallest)) for s, (a, b) in read_pairs.items()}
    values = {s: math.log(a) - math.log(b) for s, (a, b) in pairs.items()}
    if resolution is None:
        return PerSeed(values, log=True)
    # First-order error of log(a/b) from the rounding of a and b.
    return PerSeed(
        values, {s: stats.resolution_floor(resolution, [1 / a, 1 / b]) for s, (a, b) in pairs.items()}, log=True
    )


def _linear_or_rank(
    contrast: Mean | Difference | Interaction | Slope | LogLogSlope | RankTrend,
    read: _Reader,
    seeds: list[int],
    metric: Metric,
    resolution: float | None,
) -> PerSeed:
    if isinstance(contrast, RankTrend):
        return _rank_trend(contrast, read, seeds)
    if isinstance(contrast, LogLogSlope):
        return _loglog(contrast, read, seeds, resolution)
    cells = [{**cell, **swept} for cell in cells_of(contrast) for swept in _swept(contrast, read.claim)]
    weights = weights_of(contrast, read.claim)
    values = {s: float(sum(w * read(cell, s) for w, cell in zip(weights, cells, strict=True))) for s in seeds}
    rounding = {} if resolution is None else dict.fromkeys(seeds, stats.resolution_floor(resolution, weights))
    return PerSeed(values, rounding, linear_bounds(metric, weights))


def weights_of(contrast: Mean | Difference | Interaction | Slope, claim: Claim) -> list[float]:
    """Return the weight of each cell's metric in a linear contrast, in the order of its cells."""
    if isinstance(contrast, Mean):
        return [1.0]
    if isinstance(contrast, Difference):
        return [1.0, -1.0]
    if isinstance(contrast, Interaction):
        return [1.0, -1.0, -1.0, 1.0]
    return stats.slope_weights([float(v) for v in sweep_values(contrast, claim)])


def linear_bounds(metric: Metric, weights: Iterable[float]) -> tuple[float, float]:
    """Return the smallest and largest value of sum(weights * metrics) within the metric's bounds."""
    low = -math.inf if metric.bounds[0] is None else metric.bounds[0]
    high = math.inf if metric.bounds[1] is None else metric.bounds[1]
    pairs = [(w * low, w * high) for w in weights if w]
    return sum(min(p) for p in pairs), sum(max(p) for p in pairs)


def _rank_trend(contrast: RankTrend, read: _Reader, seeds: list[int]) -> PerSeed:
    x = sweep_values(contrast, read.claim)
    values = {s: stats.kendall_tau(x, [read({**contrast.at, contrast.over: v}, s) for v in x]) for s in seeds}
    return PerSeed(values, dict.fromkeys(seeds, stats.resolution_floor(tau_step(len(x)))), (-1.0, 1.0))


def tau_step(points: int) -> float:
    """Return the step of Kendall's tau over `points` values without ties: one swap of neighbours."""
    return 4.0 / (points * (points - 1))


def _loglog(contrast: LogLogSlope, read: _Reader, seeds: list[int], resolution: float | None) -> PerSeed:
    x = sweep_values(contrast, read.claim)
    weights = stats.slope_weights([math.log(float(v)) for v in x])
    table = {s: [read({**contrast.at, contrast.over: v}, s) for v in x] for s in seeds}
    bad = tuple(
        f"seed {s}: a log-log slope needs positive values, not {min(row):g}"
        for s, row in table.items()
        if min(row) <= 0
    )
    if bad:
        return PerSeed({}, problems=bad)
    values = {s: math.fsum(w * math.log(y) for w, y in zip(weights, row, strict=True)) for s, row in table.items()}
    if resolution is None:
        return PerSeed(values)
    return PerSeed(
        values,
        {
            s: stats.resolution_floor(resolution, [w / y for w, y in zip(weights, row, strict=True)])
            for s, row in table.items()
        },
    )


def reachable(contrast: Contrast, claim: Claim) -> tuple[float, float]:
    """Return bounds of the values that a contrast can have at all."""
    metric = claim.metrics[metric_of(contrast)]
    low, high = metric.bounds
    if isinstance(contrast, RankTrend):
        return -1.0, 1.0
    if isinstance(contrast, Ratio):
        # Only positive numbers have a ratio here.
        return 0.0, math.inf
    if isinstance(contrast, LogLogSlope):
        return stats.UNBOUNDED
    if isinstance(contrast, Exact):
        return -math.inf if low is None else low, math.inf if high is None else high
    return linear_bounds(metric, weights_of(contrast, claim))
