"""Trials to contrasts: one number per seed, paired from end to end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from harness import stats
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
    from collections.abc import Callable, Iterable, Mapping

    from harness.spec import Cell, Claim, Contrast, Metric, Value

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
        sd_floor: standard deviation below which a spread cannot be trusted.
        bounds: values the contrast can have.
        log: whether the values are logarithms (a ratio).
        problems: what is wrong, one line each; then nothing can be decided.
    """

    values: dict[int, float]
    sd_floor: float = 0.0
    bounds: tuple[float, float] = stats.UNBOUNDED
    log: bool = False
    problems: tuple[str, ...] = ()


def metric_of(contrast: Contrast) -> str:
    """Return the name of the metric that a contrast reads."""
    return str(getattr(contrast, kind_of(contrast)))


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
            found.update(dict.fromkeys(_expand({**cell, **swept}, claim)))
    return list(found)


def _swept(contrast: Contrast, claim: Claim) -> list[Cell]:
    if isinstance(contrast, Slope | LogLogSlope | RankTrend):
        return [{contrast.over: value} for value in sweep_values(contrast, claim)]
    if isinstance(contrast, Exact):
        free = [name for name in claim.conditions if name not in contrast.at]
        arms = [{}] if "arm" in contrast.at or len(claim.arms) == 1 else [{"arm": arm} for arm in claim.arms]
        grids = product(*(claim.conditions[name].values for name in free))
        return [{**arm, **dict(zip(free, grid, strict=True))} for grid in grids for arm in arms]
    return [{}]


def sweep_values(contrast: Slope | LogLogSlope | RankTrend, claim: Claim) -> list[Value]:
    """Return the values of the swept condition, as the condition writes them."""
    declared = claim.conditions[contrast.over].values
    return list(declared) if contrast.values is None else [v for v in declared if v in contrast.values]


def _expand(cell: Cell, claim: Claim) -> list[Point]:
    """Return the points of a cell: one, or one per value of its lists."""
    names = [name for name in cell if name != "take"]
    lists = [value if isinstance(value := cell[name], list) else [value] for name in names]
    return [_point(dict(zip(names, values, strict=True)), claim) for values in product(*lists)]


def _point(cell: Mapping[str, Any], claim: Claim) -> Point:
    """Fill in what a cell may leave out (a single arm, a condition of one value)."""
    filled = {"arm": next(iter(claim.arms)), **{n: c.values[0] for n, c in claim.conditions.items()}, **cell}
    return (("arm", filled["arm"]), *((name, filled[name]) for name in sorted(claim.conditions)))


def evaluate(contrast: Sampled, claim: Claim, evidence: Evidence, settings: Mapping[str, Any]) -> PerSeed:
    """Return the contrast of every seed that has all its trials.

    A seed that lacks a trial is left out; a trial that lacks the metric, or gives
    no finite number, is a problem: it never counts as a value.
    """
    points = points_of(contrast, claim)
    seeds = _common_seeds(points, evidence)
    name = metric_of(contrast)
    metric = claim.metrics[name]
    problems = tuple(_problems(points, seeds, name, evidence))
    if problems:
        return PerSeed({}, problems=problems)
    reader = _Reader(claim, evidence, name)
    resolution = resolve(metric, settings)
    if isinstance(contrast, Ratio):
        return _ratio(contrast, reader, seeds, resolution)
    return _linear_or_rank(contrast, reader, seeds, metric, resolution)


def instances(contrast: Exact, claim: Claim, evidence: Evidence) -> tuple[list[tuple[Point, int, float]], tuple[str, ...]]:
    """Return every instance of an exact contrast as (point, seed, value), and the problems."""
    points = points_of(contrast, claim)
    seeds = _common_seeds(points, evidence)
    problems = tuple(_problems(points, seeds, contrast.exact, evidence))
    if problems:
        return [], problems
    return [(p, s, evidence[p][s][contrast.exact]) for s in seeds for p in points], ()


def _common_seeds(points: list[Point], evidence: Evidence) -> list[int]:
    sets = [set(evidence.get(point, {})) for point in points]
    return sorted(set.intersection(*sets)) if sets else []


def _problems(points: list[Point], seeds: list[int], name: str, evidence: Evidence) -> Iterable[str]:
    for point in points:
        for seed in seeds:
            value = evidence[point][seed].get(name)
            if value is None:
                yield f"seed {seed} at {shown(point)}: metric {name!r} is missing"
            elif not math.isfinite(value):
                yield f"seed {seed} at {shown(point)}: {name} is {value}"


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
        values = [self.evidence[point][seed][self.metric] for point in _expand(cell, self.claim)]
        return REDUCTIONS[str(cell["take"])](values) if "take" in cell else values[0]


def _ratio(contrast: Ratio, read: _Reader, seeds: list[int], resolution: float | None) -> PerSeed:
    """Return log ratios; a zero of a metric with a resolution counts as half a step.

    An error rate of 0 among n test examples says "below one in n", and the log needs a number.
    """
    smallest = resolution / 2 if resolution is not None else 0.0
    pairs = {s: (max(read(contrast.of, s), smallest), max(read(contrast.to, s), smallest)) for s in seeds}
    bad = tuple(f"seed {s}: a ratio needs positive values, not {a:g} / {b:g}" for s, (a, b) in pairs.items() if min(a, b) <= 0)
    if bad:
        return PerSeed({}, log=True, problems=bad)
    values = {s: math.log(a / b) for s, (a, b) in pairs.items()}
    floor = 0.0
    if resolution is not None and pairs:
        # First-order error of log(a/b) from the rounding of a and b.
        weights = [1.0 / float(np.mean([pair[side] for pair in pairs.values()])) for side in (0, 1)]
        floor = stats.resolution_floor(resolution, weights)
    return PerSeed(values, floor, log=True)


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
    weights = _weights(contrast, read.claim)
    values = {s: float(sum(w * read(cell, s) for w, cell in zip(weights, cells, strict=True))) for s in seeds}
    floor = 0.0 if resolution is None else stats.resolution_floor(resolution, weights)
    return PerSeed(values, floor, linear_bounds(metric, weights))


def _weights(contrast: Mean | Difference | Interaction | Slope, claim: Claim) -> list[float]:
    if isinstance(contrast, Mean):
        return [1.0]
    if isinstance(contrast, Difference):
        return [1.0, -1.0]
    if isinstance(contrast, Interaction):
        return [1.0, -1.0, -1.0, 1.0]
    return [float(w) for w in stats.slope_weights([float(v) for v in sweep_values(contrast, claim)])]


def linear_bounds(metric: Metric, weights: Iterable[float]) -> tuple[float, float]:
    """Return the smallest and largest value of sum(weights * metrics) within the metric's bounds."""
    low = -math.inf if metric.bounds[0] is None else metric.bounds[0]
    high = math.inf if metric.bounds[1] is None else metric.bounds[1]
    pairs = [(w * low, w * high) for w in weights if w]
    return sum(min(p) for p in pairs), sum(max(p) for p in pairs)


def _rank_trend(contrast: RankTrend, read: _Reader, seeds: list[int]) -> PerSeed:
    x = sweep_values(contrast, read.claim)
    values = {s: stats.kendall_tau(x, [read({**contrast.at, contrast.over: v}, s) for v in x]) for s in seeds}
    # Without ties tau moves in steps of two pairs' worth.
    return PerSeed(values, stats.resolution_floor(4.0 / (len(x) * (len(x) - 1))), (-1.0, 1.0))


def _loglog(contrast: LogLogSlope, read: _Reader, seeds: list[int], resolution: float | None) -> PerSeed:
    x = sweep_values(contrast, read.claim)
    weights = stats.slope_weights(np.log([float(v) for v in x]))
    table = {s: [read({**contrast.at, contrast.over: v}, s) for v in x] for s in seeds}
    bad = tuple(f"seed {s}: a log-log slope needs positive values, not {min(row):g}" for s, row in table.items() if min(row) <= 0)
    if bad:
        return PerSeed({}, problems=bad)
    values = {s: float(weights @ np.log(row)) for s, row in table.items()}
    floor = 0.0
    if resolution is not None and table:
        floor = stats.resolution_floor(resolution, weights / np.mean(list(table.values()), axis=0))
    return PerSeed(values, floor)


def reachable(contrast: Contrast, claim: Claim) -> tuple[float, float]:
    """Return the smallest and largest value that a contrast can have at all."""
    metric = claim.metrics[metric_of(contrast)]
    low, high = metric.bounds
    if isinstance(contrast, RankTrend):
        return -1.0, 1.0
    if isinstance(contrast, Ratio):
        # A ratio of numbers that cannot be negative cannot be either; of others nothing is known.
        return (0.0, math.inf) if low is not None and low >= 0 else stats.UNBOUNDED
    if isinstance(contrast, LogLogSlope):
        return stats.UNBOUNDED
    if isinstance(contrast, Exact):
        return -math.inf if low is None else low, math.inf if high is None else high
    return linear_bounds(metric, _weights(contrast, claim))
