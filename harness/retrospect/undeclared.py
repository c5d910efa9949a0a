"""What a claim does not declare though its trials rest on it: data sets, and what commands that it starts read."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from harness.specification.yaml12 import read_yaml
from harness.trials.data_sets import FOLDER, known
from harness.trials.modules import HARNESS, modules_of, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.store.store import Store
    from harness.trials.catalogue import ClaimFolder

STARTING = {
    "subprocess": {"Popen", "call", "check_call", "check_output", "getoutput", "getstatusoutput", "run"},
    "os": {
        "execl",
        "execv",
        "execve",
        "execvp",
        "fork",
        "popen",
        "posix_spawn",
        "posix_spawnp",
        "spawnl",
        "spawnv",
        "system",
    },
    "pty": {"spawn"},
    "multiprocessing": {"Pool", "Process"},
}
"""Functions that start a command or a child process, by module."""

FUNCTIONS = {name for names in STARTING.values() for name in names}

REMEDY = (
    "what it reads is not seen, so no later run reuses these trials; name it in claim.yaml, such as "
    "`inputs: [train.py, configs/*.yaml]`, globs relative to the project"
)


def undeclared_data(folder: ClaimFolder) -> Iterator[str]:
    """Yield the data sets that a claim's code leads to and that its `data` do not name."""
    used = {str(path.relative_to(folder.project)) for path in _modules(folder)}
    for name in known(folder.project):
        if name not in folder.claim.data and f"{FOLDER}/{name}.py" in used:
            yield (
                f"{folder.path / 'claim.yaml'}:1:1: data: its code imports {FOLDER}/{name}.py, which describes a data set; if "
                f"trials read it, declare `data: [{name}]`, so that its content is part of their keys"
            )


def undeclared(folder: ClaimFolder, store: Store | None) -> Iterator[str]:
    """Yield where a claim without `inputs` starts commands, by its code, or else that its stored trials did."""
    if folder.claim.inputs:
        return
    if folder.claim.command:
        file = read_yaml(folder.path / "claim.yaml")
        yield file.problem(("command",), f"is started for every trial: {REMEDY}")
        return
    found = [
        f"{path}:{line}:1: starts a command ({name}): {REMEDY}"
        for path in _modules(folder)
        for line, name in _starts(parsed(path, path.stat().st_mtime_ns))
    ]
    yield from found
    if not found and store:
        for command in sorted(store.commands(folder.claim.id)):
            yield f"{folder.experiment}:1:1: stored trials started `{command}`: {REMEDY}"


def _modules(folder: ClaimFolder) -> list[Path]:
    """Return the modules of the claim's code that are no part of this tool."""
    try:
        modules = modules_of([folder.experiment], folder.project)
    except (OSError, SyntaxError, ValueError):
        return []
    return sorted(path for path in modules if not path.is_relative_to(HARNESS))


def _starts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the lines that call what starts a command, by the names under which its module was imported."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (_last_name(node) in FUNCTIONS or _last_name(node) in known):
            head, _, rest = ast.unparse(node.func).partition(".")
            name = ".".join(filter(None, (known.get(head, ""), rest)))
            module, _, function = name.partition(".")
            if function in STARTING.get(module, ()):
                yield node.lineno, name


def _last_name(call: ast.Call) -> str | None:
    """Return the last part of what is called: most calls need no longer look."""
    name: str | None = getattr(call.func, "attr", getattr(call.func, "id", None))
    return name
