"""Whether claim.yaml gives measure() what it takes, or names a command that is here: read, not run, before anything is measured."""

from __future__ import annotations

import ast
import os
import shutil
from typing import TYPE_CHECKING

from harness.judging.caps import settings_of
from harness.specification.placeholders import names_in
from harness.specification.yaml12 import read_yaml
from harness.trials.command import search_path
from harness.trials.commands import as_written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.specification.models import Claim
    from harness.specification.yaml12 import Location
    from harness.trials.catalogue import ClaimFolder

FIRST = 2
"""Arm and seeds, which are given by position."""


def misfits(folder: ClaimFolder) -> list[str]:
    """Return a line for every keyword that some trial gives to measure() and that it does not take, or the other way round.

    A measure() that is made by a call, or decorated, says nothing here, and neither does a file that is no Python. Of a
    claim that starts a command it says whether that is found; loading the claim says the rest.
    """
    if not folder.claim.has_experiment:
        return not_found(folder)
    try:
        tree = ast.parse(folder.experiment.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return []
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "measure"]
    return list(dict.fromkeys(_misfits(folder, found[-1]))) if found and not found[-1].decorator_list else []


def _misfits(folder: ClaimFolder, measure: ast.FunctionDef) -> Iterator[str]:
    arguments = measure.args
    positions = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
    optional = set(positions[len(positions) - len(arguments.defaults) :])
    optional |= {one.arg for one, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value}
    takes = {*positions[FIRST:], *(one.arg for one in arguments.kwonlyargs)}
    where = f"{folder.experiment}:{measure.lineno}:1: measure():"
    for whose, given in _given(folder.claim):
        for name in sorted(given - takes) if arguments.kwarg is None else ():
            yield f"{where} takes no {name!r}, which claim.yaml gives {whose}; take it, or take it out"
        for name in sorted(takes - optional - given):
            yield f"{where} needs {name!r}, which claim.yaml does not give {whose}; give it there, or under settings"


def _given(claim: Claim) -> Iterator[tuple[str, set[str]]]:
    """Yield what measure() is given, by name, for each arm under each profile: to whom, and which keywords."""
    placed = ("device", "precision") if claim.precision else ()
    for profile in claim.profiles.values():
        for arm, own in claim.arms.items():
            given = {*settings_of(claim, profile), *own, *claim.conditions, *placed}
            yield f"arm {arm!r}", given
            for name, control in claim.controls.items():
                if arm in (control.arms or claim.arms):
                    yield f"arm {arm!r} under control {name!r}", given | control.change.keys()


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
