"""The points that a contrast reads: an arm under a value of every condition."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, TypeVar

from harness.specification.kinds import Difference, Exact, Interaction, Linear, LogLogSlope, RankTrend, Ratio, Slope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.specification.kinds import Cell, Contrast, Value
    from harness.specification.models import Claim

T = TypeVar("T")


Point = tuple[tuple[str, "Value"], ...]
"""A cell with nothing open: (("arm", "cnn"), ("scene", "clutter")), arm first, then by name."""


Swept = Slope | LogLogSlope | RankTrend
"""Contrasts over the values of a numeric condition."""


def metric_of(contrast: Contrast) -> str:
    """Return the name of the metric that a contrast reads."""
    return str(getattr(contrast, kind_of(contrast)))


def wall_clock_metrics(claim: Claim) -> set[str]:
    """Return the names of a claim's metrics that are durations.

    A trial that was measured beside others has none: what shares the machine takes longer.
    """
    return {name for name, metric in claim.metrics.items() if metric.unit == "second"}


UNITS = {"rate": "rate", "ratio": "ratio", "loglog_slope": "exponent", "rank_trend": "tau"}
"""Units of contrasts that do not have their metric's."""


def unit_of(contrast: Contrast, claim: Claim) -> str:
    """Return the unit of a contrast's estimate, in words."""
    return UNITS.get(kind_of(contrast), claim.metrics[metric_of(contrast)].unit)


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
        arms = (
            [{}]
            if "arm" in contrast.at
            else [{"arm": arm} for arm in claim.arms if contrast.exact in claim.metrics_of(arm)]
        )
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


def shown(point: Point) -> str:
    """Return `arm=cnn, scene=clutter`."""
    return ", ".join(f"{name}={value}" for name, value in point)
