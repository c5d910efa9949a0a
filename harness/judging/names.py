"""Names in a specification: each that is used is declared, each that is declared is free, none stands twice."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from harness.judging import contrasts, points, ranges
from harness.judging.caps import located
from harness.specification.kinds import Exact, Interaction, Linear, LogLogSlope, RankTrend
from harness.specification.models import DEVICE
from harness.specification.parsing import suggestion
from harness.specification.results import CHANGES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.judging.caps import Problem
    from harness.specification.kinds import Cell, Contrast, Value
    from harness.specification.models import Claim
    from harness.specification.yaml12 import Location

RESERVED = {
    "arm": "measure() and cells name the arm so",
    "seeds": "measure() gets the seeds so",
    DEVICE: "measure() gets the device so",
    "precision": "the claim's own `precision` says it",
    "take": "cells say so how to reduce a list",
}
"""Names that no setting and no condition may have."""


def problems_of(claim: Claim) -> Iterable[Problem]:
    """Yield what is wrong with the names that a claim uses."""
    return chain(_names(claim), _duplicates(claim), _reserved(claim))


def _names(claim: Claim) -> Iterable[Problem]:
    """Check that every arm, condition, metric, setting and expectation that is named exists."""
    for where, expectation in located(claim):
        contrast = expectation.contrast
        here = (*where, "contrast")
        metric = points.metric_of(contrast)
        if metric not in claim.metrics:
            yield (*here, points.kind_of(contrast)), f"no metric {metric!r}; {suggestion(metric, claim.metrics)}"
        else:
            yield from _arms_without(claim, metric, contrast, here)
        yield from _sweep_names(contrast, claim, here)
        for key, cell in _named_cells(contrast):
            yield from _cell_names(cell, claim, (*here, *key), lists_alone=isinstance(contrast, Exact))
            yield from _left_out(cell, claim, (*here, *key), _open_names(contrast, key[0], claim))
    for name, declared in claim.metrics.items():
        for index, arm in enumerate(declared.arms or []):
            if arm not in claim.arms:
                yield ("metrics", name, "arms", index), f"no arm {arm!r}; {suggestion(arm, claim.arms)}"
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


def _arms_without(claim: Claim, metric: str, contrast: Contrast, here: Location) -> Iterable[Problem]:
    """Check that every arm whose trials a contrast reads yields its metric."""
    having = claim.metrics[metric].arms
    if having is None:
        return
    named = [cell.get("arm", []) for cell in points.cells_of(contrast)]
    for arm in dict.fromkeys(arm for arms in named for arm in (arms if isinstance(arms, list) else [arms])):
        if arm not in having and arm in claim.arms:
            yield (
                (*here, points.kind_of(contrast)),
                f"arm {arm!r} yields no {metric!r}, by `arms` of the metric; read another",
            )


def _settings_known(claim: Claim) -> set[str]:
    sources: list[Iterable[str]] = [
        claim.settings,
        claim.conditions,
        *claim.arms.values(),
        *(p.settings for p in claim.profiles.values()),
        CHANGES if claim.results else (),
    ]
    return {name for source in sources for name in source} - RESERVED.keys()


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
            ranges.weights_of(contrast, claim)
        except ValueError as error:
            yield where, str(error)


def _cell_names(cell: Cell, claim: Claim, here: Location, *, lists_alone: bool) -> Iterable[Problem]:
    known = choices(claim)
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


def choices(claim: Claim) -> dict[str, list[Value]]:
    """Return what a cell may say: the arms, and the values of every condition."""
    return {"arm": list(claim.arms), **{name: condition.values for name, condition in claim.conditions.items()}}


def _left_out(cell: Cell, claim: Claim, here: Location, open_names: set[str]) -> Iterable[Problem]:
    """Find what a cell must say and does not."""
    for name, values in choices(claim).items():
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
            if name == DEVICE and where[0] == "arms":
                yield from _device(claim, str(where[1]))
            elif name in RESERVED:
                yield (*where, name), f"the name {name!r} is taken ({RESERVED[name]}); choose another"


def _device(claim: Claim, arm: str) -> Iterable[Problem]:
    """Find what an arm cannot say of its device: a run chooses the GPU, an arm can only stay away from it."""
    where, device = ("arms", arm, DEVICE), claim.arms[arm][DEVICE]
    if claim.precision is None:
        yield where, "says nothing in a claim without `precision`, which runs on the processor; leave it out"
    elif device != "cpu":
        yield where, f"is {device!r}; give cpu, or leave it out: the arm then runs where the run does"
