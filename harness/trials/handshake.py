"""Whether a process elsewhere has what a run was planned with: code, versions, data; compared before it measures anything."""

from __future__ import annotations

import importlib.metadata
from functools import lru_cache
from typing import TYPE_CHECKING

from harness._text import block, message_of, shortened
from harness.errors import ClaimsError
from harness.trials.data_sets import OF_RESULTS, record_of
from harness.trials.provenance import code_of, environment
from harness.trials.task import Outcome
from harness.trials.witness import deaf, watching

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.trials.provenance import Code
    from harness.trials.task import Task

NAMED = 3
"""Differences of a kind that are named; of more it is said how many."""

PLACED = ("device", "precision")
"""Parts of an environment that a run chooses and no process differs in."""


def refusal_of(task: Task) -> list[Outcome]:
    """Return the outcomes of a call that this process refuses to make, each with what differs; none if all is the same."""
    with watching(task.called):
        differing = [*_versions(task), *_code(task)] or list(_data(task))
    return [Outcome({}, 0.0, shortened(block("; ".join(differing))), refused=True) for _ in task.seeds if differing]


def _versions(task: Task) -> Iterator[str]:
    planned = {name: version for name, version in task.environment.items() if name not in PLACED}
    for name, version in planned.items():
        try:
            here = environment([] if name == "python" else [name], "", None)[name]
        except importlib.metadata.PackageNotFoundError:
            here = "missing"
        if here != version:
            yield f"{name} is {here} there, the run was planned with {version}"


def _code(task: Task) -> list[str]:
    if task.code is None:
        return []
    here = _code_here(task.experiment, task.project, task.pictures, task.folder)
    if isinstance(here, str):
        return [here]
    names = sorted(dict(task.code.parts.items() ^ here.parts.items()))
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return [f"code differs there: {', '.join(names[:NAMED])}{more}"] if names else []


@lru_cache(maxsize=64)
def _code_here(experiment: Path, project: Path, pictures: Path | None, folder: Path | None) -> Code | str:
    """Return the code as it is here, or in words why it cannot be read; a process that serves a run looks once."""
    try:
        with deaf():
            return code_of(experiment, project, pictures, folder)
    except (ImportError, OSError, SyntaxError, ValueError) as error:
        return f"code cannot be read there: {type(error).__name__}: {message_of(error)}"


def _data(task: Task) -> Iterator[str]:
    for name, planned in (pair for pair in task.data if pair[0] != OF_RESULTS):
        try:
            here = record_of(name, task.project)
        except ClaimsError as error:
            yield f"data: {name}: {message_of(error)}"
            continue
        if here.sha256 != planned:
            yield f"data: {name} is {here.name} of sha256 {here.sha256[:12]} there, the run was planned with {planned[:12]}"
