"""The mutants of a module: each a program with one node of its syntax tree changed by one operator.

Imports nothing of this tool, as `operators` does not.
"""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from harness.running.proof.operators import Operator

Path = list[tuple[Any, str, int | None]]
"""The way from the top of a tree to a node: parent, field, position in it if it is a list."""


@dataclass(frozen=True)
class Mutation:
    """One change of a module: by which operator, where, how it reads, and the whole module with it.

    Attributes:
        lines: those of the statement it stands in; of one that holds others, those before them.
    """

    operator: str
    line: int
    description: str
    source: str
    lines: range = range(0)


def mutations_of(
    source: str,
    name: str,
    operators: Collection[Operator],
    is_left: Callable[[Operator, ast.AST, Path], bool] = lambda *_: False,
) -> list[Mutation]:
    """Return every mutation of a module, in the order of its text.

    Args:
        source: the module's text.
        name: what descriptions call it.
        operators: what is tried at each place.
        is_left: whether an operator leaves a node alone that stands at the end of some way.
    """
    tree = ast.parse(source)
    seen, counts, found = {ast.unparse(tree)}, Counter[str](), []
    for scope, path in _places(tree, "", []):
        parent, field, at = path[-1]
        node = _get(parent, field, at)
        for operator in operators:
            if is_left(operator, node, path) or _says_nothing(operator, parent):
                continue
            for new in operator(node):
                surrounding = _surrounding(path)
                before = _headline(surrounding or node)
                _set(parent, field, at, ast.copy_location(new, node) if isinstance(new, ast.stmt) else new)
                text, after = ast.unparse(tree), _headline(surrounding or new)
                _set(parent, field, at, node)
                if text in seen:
                    continue
                seen.add(text)
                words = f"{name} {scope or 'top'}: {before} -> {after}"
                counts[words] += 1
                description = words if counts[words] == 1 else f"{words} ({counts[words]})"
                found.append(Mutation(operator.__name__, _line(path), description, text, _lines(path)))
    return found


def _says_nothing(operator: Operator, parent: ast.AST) -> bool:
    """Whether the order of the parts says nothing: in a membership."""
    return operator.__name__ == "parts_swapped_or_dropped" and isinstance(parent, ast.Compare)


def _line(path: Path) -> int:
    """Return the line that the node at the end of a way stands in."""
    nodes = [_get(*path[-1]), *(parent for parent, _, _ in reversed(path))]
    return next((node.lineno for node in nodes if hasattr(node, "lineno")), 1)


def _lines(path: Path) -> range:
    """Return the lines of the statement that the node at the end of a way is, or stands in, without those of statements in it."""
    nodes = [_get(*path[-1]), *(parent for parent, _, _ in reversed(path))]
    statement = next((node for node in nodes if isinstance(node, ast.stmt)), None)
    if statement is None:
        return range(0)
    inner = getattr(statement, "body", None)
    end = inner[0].lineno if inner else (statement.end_lineno or statement.lineno) + 1
    return range(statement.lineno, max(end, statement.lineno + 1))


def _places(node: ast.AST, scope: str, path: Path) -> Iterator[tuple[str, Path]]:
    """Yield each node that may change, as (function it stands in, way there from the top)."""
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "decorator_list", "ctx", "format_spec"}:
            continue
        for at, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST) or _is_inert(child, node):
                continue
            way: Path = [*path, (node, field, at)]
            yield scope, way
            if isinstance(child, ast.Raise):
                continue
            name = getattr(child, "name", None) if isinstance(child, ast.FunctionDef | ast.ClassDef) else None
            yield from _places(child, ".".join(filter(None, (scope, name))), way)


def _is_inert(node: ast.AST, parent: ast.AST) -> bool:
    """Return whether a node is text, or read by type checkers alone."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.Expr | ast.JoinedStr) and isinstance(getattr(node, "value", None), ast.Constant):
        return True
    if isinstance(node, ast.Constant) and isinstance(parent, ast.JoinedStr):
        return True
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return True
    if isinstance(node, ast.keyword) and node.arg == "strict":
        return True
    # Names in CapWords at the top are aliases of types.
    first = node.targets[0] if isinstance(parent, ast.Module) and isinstance(node, ast.Assign) else None
    return isinstance(first, ast.Name) and not first.id.isupper()


def _get(parent: Any, field: str, at: int | None) -> Any:
    return getattr(parent, field) if at is None else getattr(parent, field)[at]


def _set(parent: Any, field: str, at: int | None, new: Any) -> None:
    if at is None:
        setattr(parent, field, new)
    else:
        getattr(parent, field)[at] = new


def _surrounding(path: Path) -> Any:
    """Return the smallest part around a place that says enough to know it by; None for a whole statement."""
    if isinstance(_get(*path[-1]), ast.stmt):
        return None
    for parent, _, _ in reversed(path):
        if isinstance(parent, ast.stmt | ast.comprehension) or len(ast.unparse(parent)) > 20:
            return parent
    return None


def _headline(node: ast.AST) -> str:
    return ast.unparse(node).strip().splitlines()[0]
