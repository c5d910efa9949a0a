"""A project's data sets: claim.yaml declares them by name, and `fixtures/<name>.py` of the project says what they are.

Such a module has a function `record()`, which returns the `DataRecord` of the data that trials would read here and now.
It is all of a project's own code that planning runs. A trial's process asks it again, and measures nothing on other data.
"""

from __future__ import annotations

import ast
import importlib
import sys
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from harness._text import message_of
from harness.data import DataRecord
from harness.errors import ClaimsError, DataError, UsageError
from harness.specification.parsing import shown, suggestion
from harness.trials.source_module import module_of
from harness.trials.witness import install

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import ModuleType

FOLDER = "fixtures"
"""The folder of a project whose modules may describe data sets."""

OF_RESULTS = "results:"
"""What stands for the results that a claim reads, among its data sets; no name of one. Whoever reads them looks for himself."""

REMEDY = "a data set NAME is described by fixtures/NAME.py, a module with record() -> DataRecord (harness.data)"


def known(project: Path) -> list[str]:
    """Return the names of a project's data sets, found without importing anything."""
    return [path.stem for path in sorted((project / FOLDER).glob("*.py")) if has(path, "record")]


def has(path: Path, function: str) -> bool:
    """Whether a module defines a function, or gives its name to something, read without importing it."""
    try:
        body = ast.parse(path.read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return False
    named = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    targets = (target for node in body if isinstance(node, ast.Assign) for target in node.targets)
    return function in named | {target.id for target in targets if isinstance(target, ast.Name)}


def problem_of(name: str, project: Path) -> str | None:
    """Return why a project has no data set of a name, with the remedy; None if it has one."""
    path = project / FOLDER / f"{name}.py"
    if not path.is_file():
        return (
            f"{name!r} is no data set of this project, {path} is missing; {suggestion(name, known(project))}; {REMEDY}"
        )
    return None if has(path, "record") else f"{path} has no function record(); {REMEDY}"


def record_of(name: str, project: Path) -> DataRecord:
    """Return the record of a declared data set; asked for once in the life of a process.

    Raises:
        DataError: there is none, or the data are not what they should be.
    """
    path = project / FOLDER / f"{name}.py"
    if not path.is_file():
        raise DataError(problem_of(name, project))
    return _record(path, project, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _record(path: Path, project: Path, changed: int) -> DataRecord:
    # What it reads is heard: the data stay in the process, and trials whose code includes the module rest on them.
    install()
    try:
        edited = changed != _first_seen(path)
        found = (module_of(path, f"claims_data_{path.stem}") if edited else loader_of(path, project, "record")).record()
    except ClaimsError:
        raise
    except Exception as error:
        raise DataError(f"{path}: record(): {type(error).__name__}: {message_of(error)}") from error
    if not isinstance(found, DataRecord):
        raise DataError(f"{path}: record() returned {type(found).__name__}, not a DataRecord (harness.data)")
    # Its fields are what somebody's code put there.
    for name in ("name", "sha256", "source"):
        if not isinstance(getattr(found, name), str):
            raise DataError(f"{path}: record(): {name}: should be text, not {shown(getattr(found, name))}")
    if type(found.size) is not int or found.size < 0:
        raise DataError(
            f"{path}: record(): size: should be a whole number (int) from 0 upwards, not {shown(found.size)}"
        )
    return found


@cache
def _first_seen(path: Path) -> int:
    """Return when a module was last changed as this process first asked for it; Python itself imports it once."""
    return path.stat().st_mtime_ns


def loader_of(path: Path, project: Path, function: str) -> ModuleType:
    """Return a project's module that describes a data set: the one that its experiments import, with what it keeps.

    Raises:
        UsageError: it has no such function.
    """
    if str(project) not in sys.path:
        sys.path.insert(0, str(project))
    name = f"{FOLDER}.{path.stem}"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in (FOLDER, name):
            raise
        module = None
    if module is None or getattr(module, "__file__", None) != str(path):
        # Another package is called `fixtures` too, and was imported before: that one is left as it is.
        module = module_of(path, f"claims_data_{path.stem}")
    if not callable(getattr(module, function, None)):
        raise UsageError(f"{path}: has no function {function}()")
    return module


def require_declared(declared: Iterable[tuple[str, str]], project: Path) -> None:
    """Refuse to measure on other data than those that a run was planned with.

    Args:
        declared: name of each data set and SHA-256 of its content, as the trials' keys hold it.
        project: folder that holds `claims/`.

    Raises:
        DataError: this process loads other content.
    """
    for name, planned in (pair for pair in declared if pair[0] != OF_RESULTS):
        here = record_of(name, project)
        if here.sha256 != planned:
            raise DataError(
                f"data: {name}: this process loads {here.name} of sha256 {here.sha256[:12]}, and the run was planned with "
                f"{planned[:12]}; let both read the same (environment, cache, files), and run again"
            )
