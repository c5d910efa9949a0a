"""Specifications that could never be decided, found before anything is trained."""

from __future__ import annotations

import math
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from harness.judging import caps, names, points, ranges
from harness.judging.caps import located, settings_of
from harness.specification.kinds import Exact, Mean, Median, Quantile, Rate
from harness.specification.models import TWO_VALUED
from harness.specification.yaml12 import MOST_PROBLEMS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.judging.caps import Problem
    from harness.judging.points import Point
    from harness.judging.ranges import Sampled
    from harness.specification.kinds import Cell, Contrast
    from harness.specification.models import Claim, Metric
    from harness.specification.yaml12 import Location


SMALLEST_COUNT = 1e-300
"""What a setting must exceed so that one over it is a number."""

MOST_POINTS = 10_000
"""Points (an arm under a condition) that the expectations of a claim may read together; each is measured for every seed."""


def problems_of(claim: Claim) -> list[Problem]:
    """Return what makes a claim undecidable: where, and what to do; one more than is told at once where there is more."""
    found = _first(chain(names.problems_of(claim), _resolutions(claim)))
    # The other checks follow names and settings, so they wait until these are right; then they expand every cell.
    found = found or _first(_too_many(claim)) or _first(_two_valued(claim))
    return found or _first(chain(_empty(claim), _bands(claim), caps.problems_of(claim)))


def _first(problems: Iterable[Problem]) -> list[Problem]:
    return list(islice(problems, MOST_PROBLEMS + 1))


def _too_many(claim: Claim) -> Iterable[Problem]:
    """Find the expectation with which a claim reads too many points: a few short lists multiply to millions."""
    total = 0
    for where, expectation in located(claim):
        total += _points_read(expectation.contrast, claim)
        if total > MOST_POINTS:
            message = f"with it the claim reads more than {MOST_POINTS:,} points (an arm under a condition); name fewer values"
            yield (*where, "contrast"), message
            return


def _points_read(contrast: Contrast, claim: Claim) -> int:
    """Return the number of points that a contrast reads, those of two cells twice, without listing them."""
    sizes = [[len(value) for value in cell.values() if isinstance(value, list)] for cell in points.cells_of(contrast)]
    total = sum(map(math.prod, sizes))
    if isinstance(contrast, points.Swept):
        return total * len(points.sweep_values(contrast, claim))
    if isinstance(contrast, Exact):
        return total * math.prod(
            len(values) for name, values in names.choices(claim).items() if name not in contrast.at
        )
    return total


def _resolutions(claim: Claim) -> Iterable[Problem]:
    """Check that a resolution `1/n_test` finds one positive number at every point, in every profile and under every control."""
    for name, metric in claim.metrics.items():
        if not isinstance(metric.resolution, str):
            continue
        setting = metric.resolution.removeprefix("1/")
        for place, value in _values_of(setting, claim):
            usable = isinstance(value, int | float) and not isinstance(value, bool) and value > SMALLEST_COUNT
            if not usable:
                yield (
                    ("metrics", name, "resolution"),
                    f"is {metric.resolution!r}, but {setting!r} is {value!r} in {place}; it must be a positive number",
                )


def _values_of(setting: str, claim: Claim) -> Iterable[tuple[str, Any]]:
    """Return every value that a setting has at some point, and where it has it; a condition wins over arms and profiles."""
    if setting in claim.conditions:
        yield from ((f"condition {setting!r}", value) for value in claim.conditions[setting].values)
    else:
        yield from ((f"arm {arm!r}", own[setting]) for arm, own in claim.arms.items() if setting in own)
        if any(setting not in own for own in claim.arms.values()):
            for name, profile in claim.profiles.items():
                yield f"profile {name!r}", settings_of(claim, profile).get(setting)
    for name, control in claim.controls.items():
        if setting in control.change:
            yield f"control {name!r}", control.change[setting]


def _two_valued(claim: Claim) -> Iterable[Problem]:
    """Find metrics of zeros and ones under contrasts that are made for others, and rates of other metrics."""
    for where, expectation in located(claim):
        contrast = expectation.contrast
        name = points.metric_of(contrast)
        metric, here = claim.metrics[name], (*where, "contrast", points.kind_of(contrast))
        if isinstance(contrast, Rate):
            yield from _no_rate(name, metric, here)
            if contrast.at.get("take") == "mean":
                yield (
                    (*where, "contrast", "at", "take"),
                    "of zeros and ones a mean is neither; give min (all) or max (any)",
                )
        elif metric.two_valued and not isinstance(contrast, Exact):
            instead = _instead(contrast)
            if instead:
                yield (
                    here,
                    f"{name!r} is 0 or 1 in every trial, of which this interval keeps no error rate; use {instead}",
                )


def _no_rate(name: str, metric: Metric, here: Location) -> Iterable[Problem]:
    """Say of a metric that declares other values than 0 and 1 that it has no rate."""
    low, high = ranges.bounds_of(metric)
    fine = isinstance(metric.resolution, str) or (metric.resolution or 1) < 1
    if not (low <= 0 and high >= 1) or (fine and not metric.two_valued):
        message = (
            f"is a rate of {name!r}, which declares other values than 0 and 1; let measure() return 1 where a trial "
            f"succeeds, else 0, and declare `unit: {TWO_VALUED}`"
        )
        yield here, message


def _instead(contrast: Sampled) -> str:
    """Return what to ask of a metric of zeros and ones instead; nothing where the contrast is sound."""
    if isinstance(contrast, Mean | Median | Quantile):
        return "`rate`"
    if isinstance(contrast, ranges.Logarithmic):
        return "`difference`, or `linear`"
    return "the mean over seeds, which is one of rates: leave out `over_seeds`" if ranges.quantile_of(contrast) else ""


def _empty(claim: Claim) -> Iterable[Problem]:
    """Find contrasts that name a cell twice: of two alike it is zero (or one) whatever is measured."""
    for where, expectation in located(claim):
        if isinstance(expectation.contrast, points.Swept | Exact):
            continue
        cells = [_meant(cell, claim) for cell in points.cells_of(expectation.contrast)]
        if len(set(cells)) < len(cells):
            yield (
                (*where, "contrast"),
                "compares a cell with itself, so it is the same whatever is measured; name two cells",
            )


def _meant(cell: Cell, claim: Claim) -> tuple[frozenset[Point], Any]:
    """Return what tells two cells apart: their points, and how several are reduced."""
    meant = frozenset(points.expand(cell, claim))
    return meant, cell["take"] if len(meant) > 1 else None


def _bands(claim: Claim) -> Iterable[Problem]:
    """Check that each band can be met and can be missed."""
    for where, expectation in located(claim):
        low, high = ranges.reachable(expectation.contrast, claim)
        band = expectation.band
        span = f"the contrast can only lie between {low:g} and {high:g}"
        # An interval has a width, so a band that only touches the span cannot hold one; a single instance fits.
        touching = not isinstance(expectation.contrast, Exact) and (band.high == low or band.low == high)
        if band.high < low or band.low > high or touching:
            yield (*where, "band"), f"{band} can never be met: {span}; move the band"
        elif band.low <= low and band.high >= high:
            yield (*where, "band"), f"{band} can never be missed: {span}; such an expectation says nothing"
