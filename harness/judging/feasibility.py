"""Specifications that could never be decided, found before anything is trained."""

from __future__ import annotations

import math
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from harness.judging import caps, contrasts, points
from harness.judging.caps import located, settings_of
from harness.specification.kinds import Exact, Interaction, Linear, LogLogSlope, Mean, Median, Quantile, RankTrend, Rate
from harness.specification.models import TWO_VALUED
from harness.specification.parsing import suggestion
from harness.specification.yaml12 import MOST_PROBLEMS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.judging.caps import Problem
    from harness.judging.contrasts import Sampled
    from harness.judging.points import Point
    from harness.specification.kinds import Cell, Contrast, Value
    from harness.specification.models import Claim, Metric
    from harness.specification.yaml12 import Location


SMALLEST_COUNT = 1e-300
"""What a setting must exceed so that one over it is a number."""

MOST_POINTS = 10_000
"""Points (an arm under a condition) that the expectations of a claim may read together; each is measured for every seed."""

RESERVED = {
    "arm": "measure() and cells name the arm so",
    "seeds": "measure() gets the seeds so",
    "device": "measure() gets the device so",
    "precision": "the claim's own `precision` says it",
    "take": "cells say so how to reduce a list",
}
"""Names that no setting and no condition may have."""


def problems_of(claim: Claim) -> list[Problem]:
    """Return what makes a claim undecidable: where, and what to do; one more than is told at once where there is more."""
    found = _first(chain(_names(claim), _duplicates(claim), _reserved(claim), _resolutions(claim)))
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
        return total * math.prod(len(values) for name, values in _choices(claim).items() if name not in contrast.at)
    return total


def _names(claim: Claim) -> Iterable[Problem]:
    """Check that every arm, condition, metric, setting and expectation that is named exists."""
    for where, expectation in located(claim):
        contrast = expectation.contrast
        here = (*where, "contrast")
        metric = points.metric_of(contrast)
        if metric not in claim.metrics:
            yield (*here, points.kind_of(contrast)), f"no metric {metric!r}; {suggestion(metric, claim.metrics)}"
        yield from _sweep_names(contrast, claim, here)
        for key, cell in _named_cells(contrast):
            yield from _cell_names(cell, claim, (*here, *key), lists_alone=isinstance(contrast, Exact))
            yield from _left_out(cell, claim, (*here, *key), _open_names(contrast, key[0], claim))
    known = _settings_known(claim)
    for name, control in claim.controls.items():
        for setting in control.change:
            if setting not in known:
                yield (
                    ("controls", name, "change", setting),
                    f"no setting {setting!r} to change; {suggestion(setting, known)}",
                )
        for index, arm in enumerate(control.arms or []):
            if arm not in claim.arms:
                yield ("controls", name, "arms", index), f"no arm {arm!r}; {suggestion(arm, claim.arms)}"
        for index, broken in enumerate(control.breaks):
            if broken not in claim.expectations:
                yield (
                    ("controls", name, "breaks", index),
                    f"no expectation {broken!r}; {suggestion(broken, claim.expectations)}",
                )
    for kind in ("training", "inference"):
        for index, arm in enumerate(getattr(claim.timings, kind)):
            if arm not in claim.arms:
                yield ("timings", kind, index), f"no arm {arm!r}; {suggestion(arm, claim.arms)}"


def _settings_known(claim: Claim) -> set[str]:
    sources: list[Iterable[str]] = [
        claim.settings,
        claim.conditions,
        *claim.arms.values(),
        *(p.settings for p in claim.profiles.values()),
    ]
    return {name for source in sources for name in source}


def _named_cells(contrast: Contrast) -> list[tuple[tuple[str | int, ...], Cell]]:
    """Return the cells of a contrast, each with where it stands."""
    if isinstance(contrast, Linear):
        return [(("cells", index, "at"), cell.at) for index, cell in enumerate(contrast.cells)]
    names = ("at", "of", "minus", "to", "here", "there")
    return [((name,), getattr(contrast, name)) for name in names if hasattr(contrast, name)]


def _open_names(contrast: Contrast, key: str | int, claim: Claim) -> set[str]:
    """Return the names that a cell may leave out because something else fixes them."""
    everything = {"arm", *claim.conditions}
    if isinstance(contrast, points.Swept):
        return {contrast.over}
    if isinstance(contrast, Interaction):
        return everything if key in ("here", "there") else set(contrast.here) & set(contrast.there)
    return everything if isinstance(contrast, Exact) else set()


def _sweep_names(contrast: Contrast, claim: Claim, here: Location) -> Iterable[Problem]:
    if not isinstance(contrast, points.Swept):
        return
    if contrast.over not in claim.conditions:
        yield (*here, "over"), f"no condition {contrast.over!r}; {suggestion(contrast.over, claim.conditions)}"
        return
    declared = claim.conditions[contrast.over].values
    if contrast.over in contrast.at:
        yield (*here, "at"), f"fixes {contrast.over!r}, which is swept; leave it out"
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in declared):
        yield (*here, "over"), f"condition {contrast.over!r} is not numeric; a slope or trend needs numbers"
        return
    unknown = [value for value in contrast.values or [] if value not in declared]
    for value in unknown:
        yield (*here, "values"), f"condition {contrast.over!r} has no value {value:g}; it has {declared}"
    if not unknown:
        yield from _sweep_values(contrast, claim, here)


def _sweep_values(contrast: points.Swept, claim: Claim, here: Location) -> Iterable[Problem]:
    """Check that a slope or trend can be computed over its values."""
    values = [float(value) for value in points.sweep_values(contrast, claim)]
    where = (*here, "over" if contrast.values is None else "values")
    needed = 3 if isinstance(contrast, RankTrend) else 2
    if len(values) < needed:
        yield where, f"sweeps {len(values)} different values of {contrast.over!r}; at least {needed} are needed"
    elif isinstance(contrast, LogLogSlope) and min(values) <= 0:
        yield (
            where,
            f"condition {contrast.over!r} takes the value {min(values):g}; a log-log slope needs positive values",
        )
    elif not isinstance(contrast, RankTrend):
        try:
            contrasts.weights_of(contrast, claim)
        except ValueError as error:
            yield where, str(error)


def _cell_names(cell: Cell, claim: Claim, here: Location, *, lists_alone: bool) -> Iterable[Problem]:
    known = _choices(claim)
    for name, value in cell.items():
        if name == "take":
            if lists_alone:
                yield (*here, name), "`take` says nothing in `exact`, where every instance counts; leave it out"
            elif value not in contrasts.REDUCTIONS:
                yield (*here, name), f"is {value!r}; give one of {', '.join(contrasts.REDUCTIONS)}"
            continue
        if name not in known:
            yield (*here, name), f"no condition {name!r}; {suggestion(name, known)}"
            continue
        chosen = value if isinstance(value, list) else [value]
        for one in chosen:
            if one not in known[name]:
                yield (*here, name), f"no {name} {one!r}; {suggestion(str(one), map(str, known[name]))}"
        if len(set(chosen)) < max(1, len(chosen)):
            yield (*here, name), f"is {value!r}; give at least one value, and each once"
    lists = [name for name, value in cell.items() if isinstance(value, list) and name != "take"]
    if not lists_alone and bool(lists) != ("take" in cell):
        yield here, "a list of values and `take` (min, max or mean) go together"


def _choices(claim: Claim) -> dict[str, list[Value]]:
    """Return what a cell may say: the arms, and the values of every condition."""
    return {"arm": list(claim.arms), **{name: condition.values for name, condition in claim.conditions.items()}}


def _left_out(cell: Cell, claim: Claim, here: Location, open_names: set[str]) -> Iterable[Problem]:
    """Find what a cell must say and does not."""
    for name, values in _choices(claim).items():
        if name not in cell and name not in open_names and len(values) > 1:
            yield here, f"does not say which {name}; add `{name}:` with one of {values}"


def _duplicates(claim: Claim) -> Iterable[Problem]:
    seen: dict[str, str] = {}
    for where, _ in located(claim):
        reading, name = str(where[1]), str(where[3])
        if name in seen:
            yield where, f"the name {name!r} also stands in reading {seen[name]!r}; give each expectation its own"
        seen[name] = reading


def _reserved(claim: Claim) -> Iterable[Problem]:
    """Find settings and conditions whose names measure() and cells use for something else."""
    places: list[tuple[Location, Iterable[str]]] = [
        (("settings",), claim.settings),
        (("conditions",), claim.conditions),
    ]
    places += [(("arms", name), arm) for name, arm in claim.arms.items()]
    places += [(("profiles", name), profile.settings) for name, profile in claim.profiles.items()]
    for where, names in places:
        for name in names:
            if name in RESERVED:
                yield (*where, name), f"the name {name!r} is taken ({RESERVED[name]}); choose another"


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
    low, high = contrasts.bounds_of(metric)
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
    if isinstance(contrast, contrasts.Logarithmic):
        return "`difference`, or `linear`"
    return (
        "the mean over seeds, which is one of rates: leave out `over_seeds`" if contrasts.quantile_of(contrast) else ""
    )


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
        low, high = contrasts.reachable(expectation.contrast, claim)
        band = expectation.band
        span = f"the contrast can only lie between {low:g} and {high:g}"
        # An interval has a width, so a band that only touches the span cannot hold one; a single instance fits.
        touching = not isinstance(expectation.contrast, Exact) and (band.high == low or band.low == high)
        if band.high < low or band.low > high or touching:
            yield (*where, "band"), f"{band} can never be met: {span}; move the band"
        elif band.low <= low and band.high >= high:
            yield (*where, "band"), f"{band} can never be missed: {span}; such an expectation says nothing"
