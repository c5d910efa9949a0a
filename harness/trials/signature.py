"""Whether claim.yaml gives measure() what it takes: read, not run, so that it is known before anything is measured."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from harness.trials.commands import given, not_found

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    for _, whose, names in given(folder.claim):
        for name in sorted(names - takes) if arguments.kwarg is None else ():
            yield f"{where} takes no {name!r}, which claim.yaml gives {whose}; take it, or take it out"
        for name in sorted(takes - optional - names):
            yield f"{where} needs {name!r}, which claim.yaml does not give {whose}; give it there, or under settings"
