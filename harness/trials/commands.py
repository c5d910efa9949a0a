"""Whether a claim's command can be found, filled in and read: known before anything is measured."""

from __future__ import annotations

import os
import shutil
from itertools import chain
from typing import TYPE_CHECKING, Any

from harness.judging.caps import settings_of
from harness.specification.kinds import Exact
from harness.specification.models import EXTERNAL
from harness.specification.parsing import suggestion
from harness.specification.placeholders import names_in
from harness.specification.yaml12 import read_yaml
from harness.trials.command import search_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.judging.caps import Problem
    from harness.specification.command import Command
    from harness.specification.models import Claim
    from harness.specification.yaml12 import Location
    from harness.trials.catalogue import ClaimFolder

OWN = ("arm", "seed", "seed_index", "out")
"""Placeholders that the tool itself fills in."""


def given(claim: Claim) -> Iterator[tuple[str, str, set[str]]]:
    """Yield what trials are given for each arm under each profile and control: the arm, to whom in words, which names."""
    placed = ("device", "precision") if claim.precision else ()
    for profile in claim.profiles.values():
        for arm, own in claim.arms.items():
            names = {*settings_of(claim, profile), *own, *claim.conditions, *placed}
            yield arm, f"arm {arm!r}", names
            for name, control in claim.controls.items():
                if arm in (control.arms or claim.arms):
                    yield arm, f"arm {arm!r} under control {name!r}", names | control.change.keys()


def problems_of(claim: Claim) -> list[Problem]:
    """Return what is wrong with a claim's command: where, and what to do; nothing for a claim without one."""
    command = claim.command
    if command is None:
        return []
    found = list(chain(_names(claim, command), _files(claim, command), _not_for_commands(claim)))
    # Placeholders are looked up arm by arm, so these must be right first.
    return found or list(chain(_placeholders(claim, command), _unused(claim, command), _seedless(claim, command)))


def as_written(where: Location, value: Any) -> Location:
    """Return where something stands in a file whose command may be a list, which has no key `run`."""
    short = isinstance(value, dict) and isinstance(value.get("command"), list)
    return ("command", *where[2:]) if short and where[:2] == ("command", "run") else where


def not_found(folder: ClaimFolder) -> list[str]:
    """Return a line for every arm whose command is not found on this machine, and for a folder that is not there."""
    command = folder.claim.command
    if command is None:
        return []
    file, place = read_yaml(folder.path / "claim.yaml"), folder.project / command.folder
    if not place.is_dir():
        return [file.problem(("command", "folder"), f"{place} is no folder; give one, relative to {folder.project}")]
    path, found = command.environment.get("PATH", search_path()), {}
    for arm in folder.claim.arms:
        name = command.words(arm)[0]
        there = place / name if os.sep in name else name
        if not names_in(name) and shutil.which(there, path=path) is None:
            where: Location = ("command", "run", 0) if isinstance(command.run, list) else ("command", "run", arm, 0)
            found[where] = f"{name!r} is no command here; install it, or give the path of a file that can be run"
    return [file.problem(as_written(where, file.value), message) for where, message in found.items()]


def _texts(command: Command, arm: str) -> Iterator[tuple[Location, str]]:
    """Yield what may hold placeholders for an arm, each with where it stands."""
    head: Location = ("command", "run") if isinstance(command.run, list) else ("command", "run", arm)
    yield from (((*head, index), word) for index, word in enumerate(command.words(arm)))
    yield from ((("command", "environment", name), value) for name, value in command.environment.items())
    yield from ((("command", "output"), text) for text in [command.output] if text)
    yield from ((("command", "metrics", name, "file"), at.file) for name, at in command.metrics.items() if at.file)


def _used(claim: Claim, command: Command, arms: Iterable[str]) -> set[str]:
    """Return the names that the commands of some arms read, or a metric's resolution."""
    named = {name for arm in arms for _, text in _texts(command, arm) for name in names_in(text)}
    return named | {str(metric.resolution).removeprefix("1/") for metric in claim.metrics.values()}


def _names(claim: Claim, command: Command) -> Iterator[Problem]:
    """Check the arms and metrics that a command names, and that no setting has the name of a placeholder of the tool."""
    by_arm = {} if isinstance(command.run, list) else command.run
    for arm in by_arm:
        if arm not in claim.arms:
            yield ("command", "run", arm), f"no arm {arm!r}; {suggestion(arm, claim.arms)}"
    if by_arm and (lacking := [arm for arm in claim.arms if arm not in by_arm]):
        yield ("command", "run"), f"has no command for arm {lacking[0]!r}; add one, or give all arms the same"
    for name in command.metrics:
        if name not in claim.metrics:
            yield ("command", "metrics", name), f"no metric {name!r}; {suggestion(name, claim.metrics)}"
    for where, names in named_settings(claim):
        for name in names:
            if name in (*OWN, "command"):
                yield (*where, name), f"the name {name!r} is taken: a command is given it by the tool; choose another"


def named_settings(claim: Claim) -> Iterator[tuple[Location, Iterable[str]]]:
    """Yield all places where settings are named, with the names."""
    yield ("settings",), claim.settings
    yield ("conditions",), claim.conditions
    yield from ((("arms", name), own) for name, own in claim.arms.items())
    yield from ((("profiles", name), profile.settings) for name, profile in claim.profiles.items())
    yield from ((("controls", name, "change"), control.change) for name, control in claim.controls.items())


def _files(claim: Claim, command: Command) -> Iterator[Problem]:
    """Check that what is read of files is written to them, and that only rows are reduced."""
    for name in claim.metrics:
        place, where = command.place(name), ("command", "metrics", name)
        rows = place.file is not None and not place.file.endswith(".json")
        if place.take != "last" and not rows:
            yield (
                (*where, "take"),
                f"{place.take!r} is of rows; name a file of them (.jsonl, .csv or .tsv) under `file`",
            )
        for arm in claim.arms if place.file else ():
            texts = [*command.words(arm), *command.environment.values()]
            if name in claim.metrics_of(arm) and not any("out" in names_in(text) for text in texts):
                here = where if name in command.metrics else ("command", "output")
                yield (
                    here,
                    f"is in {place.file}, but arm {arm!r} is not told of {{out}}; write {{out}} where its command takes it",
                )
                break


def _not_for_commands(claim: Claim) -> Iterator[Problem]:
    for name, condition in claim.conditions.items():
        if condition.together:
            yield ("conditions", name, "together"), "is for measure(): a command has one value at a time; leave it out"
    if claim.timings.training or claim.timings.inference:
        yield ("timings",), "are of prepare_training() and prepare_inference(), which no command has; leave them out"


def _placeholders(claim: Claim, command: Command) -> Iterator[Problem]:
    """Find placeholders that have no value, for some arm under some profile."""
    everything = {*OWN, *(name for _, _, names in given(claim) for name in names)}
    told = set()
    for arm, whose, names in given(claim):
        for where, text in _texts(command, arm):
            for name in names_in(text):
                if name in OWN or name in names or (where, name) in told:
                    continue
                told.add((where, name))
                known = f"has no value for {whose}; give it there, or under settings"
                yield (
                    where,
                    f"{{{name}}} {known if name in everything else f'is no placeholder; {suggestion(name, everything)}'}",
                )


def _unused(claim: Claim, command: Command) -> Iterator[Problem]:
    """Find settings that reach nothing: a control that changes one would run the very same command."""
    for where, names in named_settings(claim):
        arms: Iterable[str] = claim.arms
        if where[0] == "arms":
            arms = [str(where[1])]
        elif where[0] == "controls":
            arms = claim.controls[str(where[1])].arms or claim.arms
        for name in names:
            if name not in _used(claim, command, arms):
                yield (
                    (*where, name),
                    f"{name!r} reaches no word of the command; write {{{name}}} there, or leave it out",
                )


def _seedless(claim: Claim, command: Command) -> Iterator[Problem]:
    """Find commands that are the same for every seed, or for every base seed, where numbers are taken to be drawn."""
    if all(isinstance(expectation.contrast, Exact) for expectation in claim.expectations.values()):
        return
    for arm in claim.arms:
        named = _used(claim, command, [arm])
        if "seed" in named or ("seed_index" in named and claim.evidence == EXTERNAL):
            continue
        what = "counts 0, 1, 2, ... whatever the base seed" if "seed_index" in named else "is the same for every seed"
        remedy = "; or say `evidence: external`" if "seed_index" in named else ""
        yield ("command",), f"for arm {arm!r} it {what}: give the script {{seed}}, from which it draws{remedy}"
        return
