"""The broken versions of an experiment: small changes of what its measure() reaches, in it and in what it imports."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.running.proof.mutation import mutations_of
from harness.running.proof.operators import PAIRS, both_ways, constant, name_of, operators_with, statement_dropped
from harness.trials.sabotage import source_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from numpy.random import Generator

    from harness.running.proof.mutation import Path as Way
    from harness.running.proof.operators import Operator
    from harness.trials.plan import Plan

    Ran = Mapping[str, Collection[int]]
    """File, relative to the project -> its lines that ran."""

NUMERIC_PAIRS = [("argmax", "argmin"), ("mean", "sum"), ("sin", "cos"), ("zeros", "ones"), ("train", "test")]

SHUFFLES = {"permutation", "permuted"}
"""Calls whose result sorted is what a lost shuffle leaves: of indices and labels alike."""

ENTRY = "measure"
"""What the harness calls; the rest of an experiment draws, times or describes."""


@dataclass(frozen=True)
class Version:
    """A broken version of an experiment.

    Attributes:
        file: the module that is broken, relative to the project.
        line: where.
        change: how it reads, before -> after; names the version.
        operator: the kind of change.
        text: the whole module with it.
        lines: of the statement that is broken.
        names: what the definition at the top of the module defines that it stands in.
    """

    file: str
    line: int
    change: str
    operator: str
    text: str
    lines: range
    names: frozenset[str] = frozenset()

    def runs(self, ran: Ran) -> bool:
        """Whether its statement is among the lines that ran."""
        return any(line in ran.get(self.file, ()) for line in self.lines)


def number_scaled(node: ast.AST) -> Iterator[Any]:
    """Double a number that counts nothing, or halve it; take one for zero."""
    if isinstance(node, ast.Constant) and isinstance(node.value, float):
        yield from (ast.Constant(value) for value in ((2 * node.value, node.value / 2) if node.value else (1.0,)))


def arguments_swapped(node: ast.AST) -> Iterator[Any]:
    """Swap the first two arguments of a call."""
    if isinstance(node, ast.Call) and len(node.args) > 1 and not any(isinstance(a, ast.Starred) for a in node.args[:2]):
        first, second, *rest = node.args
        yield ast.Call(node.func, [second, first, *rest], node.keywords)


def values_swapped(node: ast.AST) -> Iterator[Any]:
    """Swap the first two values of a dictionary: arms, or metrics."""
    if isinstance(node, ast.Dict) and len(node.values) > 1:
        first, second, *rest = node.values
        yield ast.Dict(node.keys, [second, first, *rest])


def shuffle_lost(node: ast.AST) -> Iterator[Any]:
    """Put what is shuffled in order."""
    if isinstance(node, ast.Call) and name_of(node) in SHUFFLES:
        yield ast.parse(f"__import__('numpy').sort({ast.unparse(node)})", mode="eval").body
    if isinstance(node, ast.Call) and name_of(node) == "randperm":
        yield ast.parse(f"{ast.unparse(node)}.sort().values", mode="eval").body


OPERATORS = (
    *operators_with(both_ways([*PAIRS, *NUMERIC_PAIRS])),
    number_scaled,
    arguments_swapped,
    values_swapped,
    shuffle_lost,
)


def versions_of(plan: Plan) -> list[Version]:
    """Return every broken version of a claim's experiment, file by file, in the order of the text; none where it has no experiment.py of its own."""
    if not plan.claim.has_experiment:
        return []
    texts = _texts(plan)
    reached = reachable([(ast.parse(text), None) for text in texts.values()])
    return [version for file, text in texts.items() for version in _versions(file, text, reached)]


def possible(plan: Plan, versions: Iterable[Version], ran: Ran) -> list[Version]:
    """Return the versions that some run could tell: their statement ran, and what it defines is read by a line that ran."""
    read = reachable([(ast.parse(text), ran.get(file, ())) for file, text in _texts(plan).items()])
    return [version for version in versions if version.runs(ran) and version.names & read]


def _texts(plan: Plan) -> dict[str, str]:
    """Return the modules that are broken: file, relative to the project -> its text."""
    project = plan.folder.project
    files = [plan.folder.experiment, *(project / name for name in plan.code.modules if _is_broken_too(name))]
    return {str(path.relative_to(project)): source_of(path) for path in files}


def _is_broken_too(module: str) -> bool:
    """Whether a module is of the project: the harness has tests of its own."""
    return module.endswith(".py") and not module.startswith("harness/")


def _versions(file: str, text: str, reached: set[str]) -> Iterator[Version]:
    tops = ast.parse(text).body

    def is_left(operator: Operator, node: ast.AST, way: Way) -> bool:
        return _is_unreached(way, reached) or _says_nothing(operator, node, way)

    for found in mutations_of(text, file.rpartition("/")[2], OPERATORS, is_left):
        names = frozenset(_defines(next(top for top in tops if found.line <= (top.end_lineno or found.line))))
        yield Version(file, found.line, found.description, found.operator, found.source, found.lines, names)


def _is_unreached(way: Way, reached: set[str]) -> bool:
    """Whether a node is, or stands in, a definition at the top that measure() cannot reach."""
    field, at = way[0][1:]
    top = getattr(way[0][0], field)[at] if at is not None else None
    return not (_defines(top) & reached)


def _says_nothing(operator: Operator, node: ast.AST, way: Way) -> bool:
    """Whether a change can be noticed by nobody, or by the interpreter alone.

    Left alone are guards that only raise, texts that are compared with nothing (names of streams of randomness, messages),
    signatures, and assignments of names, whose readers would only stop.
    """
    nodes = [node, *(parent for parent, _, _ in way)]
    if any(isinstance(one, ast.Raise) or _is_guard(one) for one in nodes):
        return True
    if any(isinstance(one, ast.arguments) for one in nodes):
        return True
    if operator is statement_dropped and isinstance(node, ast.Assign):
        return all(isinstance(name, ast.Name) for target in node.targets for name in _parts(target))
    value = node.value if operator is constant and isinstance(node, ast.Constant) else None
    is_text = isinstance(value, str) and not isinstance(way[-1][0], ast.Compare)
    # One more says nothing of 1e12; `number_scaled` sees to these.
    return is_text or isinstance(value, float)


def _parts(target: ast.expr) -> list[ast.expr]:
    return target.elts if isinstance(target, ast.Tuple | ast.List) else [target]


def _is_guard(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and not node.orelse and all(isinstance(part, ast.Raise) for part in node.body)


def reachable(modules: Iterable[tuple[ast.Module, Collection[int] | None]], entry: str = ENTRY) -> set[str]:
    """Return the names that are defined at the top of some modules and that `entry` reaches, by their names.

    Args:
        modules: each with those of its lines that ran, of which alone names are read; None for all.
        entry: where reaching begins.
    """
    tops: dict[str, set[str]] = {}
    for tree, ran in modules:
        for node in tree.body:
            used = set(_read(node, ran))
            for name in _defines(node):
                tops.setdefault(name, set()).update(used)
    return _closure(entry, tops)


def _read(node: ast.AST, ran: Collection[int] | None) -> Iterator[str]:
    """Yield the names that are read in a part of a module, on lines that ran."""
    for one in ast.walk(node):
        if isinstance(one, ast.Name | ast.Attribute) and (ran is None or one.lineno in ran):
            yield one.id if isinstance(one, ast.Name) else one.attr


def _closure(entry: str, tops: Mapping[str, set[str]]) -> set[str]:
    found, pending = set[str](), [entry]
    while pending:
        name = pending.pop()
        if name not in found and name in tops:
            found.add(name)
            pending += tops[name]
    return found


def _defines(node: ast.AST | None) -> set[str]:
    """Return the names that a statement at the top of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)}


def sample(versions: list[Version], n: int, generator: Generator) -> list[Version]:
    """Return at most `n` versions: of each kind of change in turn one at random, so that all kinds are there."""
    kinds: dict[str, list[Version]] = {}
    for at in generator.permutation(len(versions)):
        kinds.setdefault(versions[at].operator, []).append(versions[at])
    turns = [kinds[name] for name in sorted(kinds)]
    rounds = [kind[turn] for turn in range(max(map(len, turns), default=0)) for kind in turns if turn < len(kind)]
    return rounds[:n]
