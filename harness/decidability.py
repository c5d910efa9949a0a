"""Specifications that could never be decided, found before anything is trained."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from harness import contrasts, stats
from harness.options import NO_VERDICT_PROFILE
from harness.spec import Exact, Interaction, LogLogSlope, RankTrend, Slope
from harness.validation import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.spec import Cell, Claim, Contrast, Expectation, Profile, Value
    from harness.yaml_nodes import Location

Problem = tuple["Location", str]


def problems_of(claim: Claim) -> list[Problem]:
    """Return everything that makes a claim undecidable: where, and what to do."""
    found = [*_names(claim), *_duplicates(claim)]
    if found:
        # The other checks follow names, so they wait until the names are right.
        return found
    return [*_settings(claim), *_bands(claim), *_caps(claim)]


def _names(claim: Claim) -> Iterable[Problem]:
    """Check that every arm, condition, metric and expectation that is named exists."""
    for where, expectation in _located(claim):
        contrast = expectation.contrast
        here = (*where, "contrast")
        metric = contrasts.metric_of(contrast)
        if metric not in claim.metrics:
            yield (*here, contrasts.kind_of(contrast)), f"no metric {metric!r}; {suggestion(metric, claim.metrics)}"
        yield from _sweep_names(contrast, claim, here)
        for key, cell in _named_cells(contrast):
            open_names = _open_names(contrast, key)
            yield from _cell_names(cell, claim, (*here, key), open_names)
    for name, control in claim.controls.items():
        for index, broken in enumerate(control.breaks):
            if broken not in claim.expectations:
                yield ("controls", name, "breaks", index), f"no expectation {broken!r}; {suggestion(broken, claim.expectations)}"
    for kind in ("training", "inference"):
        for index, arm in enumerate(getattr(claim.timings, kind)):
            if arm not in claim.arms:
                yield ("timings", kind, index), f"no arm {arm!r}; {suggestion(arm, claim.arms)}"


def _located(claim: Claim) -> Iterable[tuple[Location, Expectation]]:
    for reading, body in claim.readings.items():
        for name, expectation in body.expectations.items():
            yield ("readings", reading, "expectations", name), expectation


def _named_cells(contrast: Contrast) -> list[tuple[str, Cell]]:
    return [(key, getattr(contrast, key)) for key in ("at", "of", "minus", "to", "here", "there") if hasattr(contrast, key)]


def _open_names(contrast: Contrast, key: str) -> set[str]:
    """Return the names that a cell may leave out because something else fixes them."""
    if isinstance(contrast, Slope | LogLogSlope | RankTrend):
        return {contrast.over}
    if isinstance(contrast, Interaction):
        return {"arm", *contrast.of, *contrast.here} if key in ("here", "there") else set(contrast.here) | set(contrast.there)
    return set()


def _sweep_names(contrast: Contrast, claim: Claim, here: Location) -> Iterable[Problem]:
    if not isinstance(contrast, Slope | LogLogSlope | RankTrend):
        return
    if contrast.over not in claim.conditions:
        yield (*here, "over"), f"no condition {contrast.over!r}; {suggestion(contrast.over, claim.conditions)}"
        return
    declared = claim.conditions[contrast.over].values
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in declared):
        yield (*here, "over"), f"condition {contrast.over!r} is not numeric; a slope or trend needs numbers"
    for value in contrast.values or []:
        if value not in declared:
            yield (*here, "values"), f"condition {contrast.over!r} has no value {value:g}; it has {declared}"
    if contrast.over in contrast.at:
        yield (*here, "at"), f"fixes {contrast.over!r}, which is swept; leave it out"


def _cell_names(cell: Cell, claim: Claim, here: Location, open_names: set[str]) -> Iterable[Problem]:
    known: dict[str, list[Value]] = {"arm": list(claim.arms), **{name: c.values for name, c in claim.conditions.items()}}
    lists = [name for name, value in cell.items() if isinstance(value, list)]
    for name, value in cell.items():
        if name == "take":
            if value not in contrasts.REDUCTIONS:
                yield (*here, name), f"is {value!r}; give one of {', '.join(contrasts.REDUCTIONS)}"
            continue
        if name not in known:
            yield (*here, name), f"no condition {name!r}; {suggestion(name, known)}"
            continue
        for one in value if isinstance(value, list) else [value]:
            if one not in known[name]:
                yield (*here, name), f"no {name} {one!r}; {suggestion(str(one), map(str, known[name]))}"
    if bool(lists) != ("take" in cell):
        yield here, "a list of values and `take` (min, max or mean) go together"
    for name in known:
        if name not in cell and name not in open_names and len(known[name]) > 1 and here[-1] not in ("here", "there"):
            if not _is_exact_cell(claim, here):
                yield here, f"does not say which {name}; add `{name}:` with one of {known[name]}"


def _is_exact_cell(claim: Claim, here: Location) -> bool:
    reading, name = str(here[1]), str(here[3])
    return isinstance(claim.readings[reading].expectations[name].contrast, Exact)


def _duplicates(claim: Claim) -> Iterable[Problem]:
    seen: dict[str, str] = {}
    for where, _ in _located(claim):
        reading, name = str(where[1]), str(where[3])
        if name in seen:
            yield where, f"the name {name!r} also stands in reading {seen[name]!r}; names of expectations are unique within a claim"
        seen[name] = reading


def settings_of(claim: Claim, profile: Profile) -> dict[str, Any]:
    """Return what every trial of a profile shares: the claim's settings, then the profile's."""
    return {**claim.settings, **profile.settings}


def _settings(claim: Claim) -> Iterable[Problem]:
    """Check that a resolution `1/n_test` finds its setting, a positive number, in every profile."""
    for name, metric in claim.metrics.items():
        if not isinstance(metric.resolution, str):
            continue
        setting = metric.resolution.removeprefix("1/")
        for profile_name, profile in claim.profiles.items():
            value = settings_of(claim, profile).get(setting)
            if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
                where: Location = ("metrics", name, "resolution")
                yield where, f"is {metric.resolution!r}, but {setting!r} is {value!r} in profile {profile_name!r}; it must be a positive number"


def _bands(claim: Claim) -> Iterable[Problem]:
    """Check that each band can be met and can be missed."""
    for where, expectation in _located(claim):
        low, high = contrasts.reachable(expectation.contrast, claim)
        band = expectation.band
        span = f"the contrast can only lie between {low:g} and {high:g}"
        if band.high < low or band.low > high:
            yield (*where, "band"), f"{band} can never be met: {span}; move the band"
        elif band.low <= low and band.high >= high:
            yield (*where, "band"), f"{band} can never be missed: {span}; such an expectation says nothing"


def _caps(claim: Claim) -> Iterable[Problem]:
    """Check that the cap leaves room for a verdict, at best, in each profile that gives one."""
    sampled = [(where, e) for where, e in _located(claim) if not isinstance(e.contrast, Exact)]
    for profile_name, profile in claim.profiles.items():
        if profile_name == NO_VERDICT_PROFILE:
            continue
        at: Location = ("profiles", profile_name, "seeds")
        for _, expectation in sampled:
            needed = stats.smallest_n(expectation.alpha)
            if profile.seeds.cap < needed:
                yield at, f"cap {profile.seeds.cap} can never decide at alpha {expectation.alpha:g}; at least {needed} seeds are needed"
                break
        else:
            yield from _too_narrow(claim, profile_name, profile)


def _too_narrow(claim: Claim, profile_name: str, profile: Profile) -> Iterable[Problem]:
    """Find bands narrower than the best interval that the metric's resolution allows at the cap."""
    settings = settings_of(claim, profile)
    for where, expectation in _located(claim):
        if isinstance(expectation.contrast, Exact) or expectation.band.between is None:
            continue
        metric = claim.metrics[contrasts.metric_of(expectation.contrast)]
        resolution = contrasts.resolve(metric, settings)
        if resolution is None or contrasts.kind_of(expectation.contrast) not in ("mean", "difference", "interaction"):
            continue
        weights = {"mean": 1, "difference": 2, "interaction": 4}[contrasts.kind_of(expectation.contrast)]
        floor = stats.resolution_floor(resolution, [1.0] * weights)
        best = 2 * floor * stats.half_width(profile.seeds.cap, expectation.alpha)
        width = expectation.band.high - expectation.band.low
        if math.isfinite(width) and best >= width:
            message = f"is {width:g} wide, but with resolution {resolution:g} and {profile.seeds.cap} seeds (profile {profile_name!r}) no interval is narrower than {best:.3g}; raise the cap or the number of test examples"
            yield (*where, "band"), message
