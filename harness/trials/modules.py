"""Which modules an experiment reaches by its imports: read, not run."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

SOURCES = ("", "src")
"""Folders of a project, from its root, where modules of its own may lie."""

HARNESS = Path(__file__).parents[1]
"""Where this tool's own code lies."""

BY_NAME = {"__import__", "exec", "import_module", "run_module", "run_path", "spec_from_file_location"}
"""What imports, or runs, something by a name that only a run knows."""


class Imports(NamedTuple):
    """What a module imports.

    Attributes:
        anywhere: dotted names.
        at_the_top: those outside of functions and conditions.
        relative: whether it imports something relative to itself.
        by_name: whether it imports by a name that only a run knows.
    """

    anywhere: frozenset[str]
    at_the_top: frozenset[str]
    relative: bool
    by_name: bool


def modules_of(begun: Iterable[Path], project: Path) -> list[Path]:
    """Return some modules, and those of the project and of this tool that they reach by their imports."""
    pending, seen, asked = list(begun), dict[Path, None](), set[str]()
    while pending:
        path = pending.pop()
        if path in seen:
            continue
        seen[path] = None
        found = imports_in(path)
        pending += [file for name in sorted(found.anywhere - asked) for file in _module_files(name, project)]
        asked |= found.anywhere
        pending += _siblings(parsed(path, path.stat().st_mtime_ns), path) if found.relative else []
    return list(seen)


def imports_in(path: Path) -> Imports:
    """Return what a module imports."""
    return _imports_in(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4096)  # a thousand claims share what they import
def _imports_in(path: Path, changed: int) -> Imports:
    tree = parsed(path, changed)
    top = ast.Module([node for node in tree.body if _is_import(node)], [])
    relative = any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))
    return Imports(frozenset(imports_of(tree)), frozenset(imports_of(top)), relative, _imports_by_name(tree))


@lru_cache(maxsize=512)
def parsed(path: Path, _changed: int) -> ast.Module:
    """Return the syntax tree of a module that was last changed at some time."""
    # Bytes, since a file may begin with a mark of its order, or name its encoding.
    return ast.parse(path.read_bytes())


def _is_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _imports_by_name(tree: ast.Module) -> bool:
    """Whether a module holds a call that can import what its text does not name."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return bool(BY_NAME & (names | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}))


def imports_of(tree: ast.Module) -> Iterable[str]:
    """Yield the dotted names that a module imports, but for those relative to itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _module_files(name: str, project: Path) -> list[Path]:
    """Return the files of a dotted project module, its packages' __init__ included."""
    parts = name.split(".")
    # The harness may be installed elsewhere than the project whose claims it runs.
    homes = [HARNESS.parent] if parts[0] == "harness" else [project / folder for folder in SOURCES]
    return [path for home in homes for path in _files_along(home, parts)]


def _siblings(tree: ast.Module, path: Path) -> list[Path]:
    """Return the files of what a module imports relative to itself: `from . import a`, `from ..b import c`."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and node.level <= len(path.parents):
            parts = node.module.split(".") if node.module else []
            for last in ([], *([alias.name] for alias in node.names)):
                found += _files_along(path.parents[node.level - 1], [*parts, *last])
    return found


def _files_along(home: Path, parts: list[str]) -> list[Path]:
    packages = [home.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
    modules = [home.joinpath(*parts).with_suffix(".py")] if parts else []
    return [path for path in [*packages, *modules] if path.is_file()]
