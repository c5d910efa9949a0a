"""Small changes of a program: operators over its syntax tree.

Imports nothing of this tool, so that its own judge can be put on trial by the same list.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

Operator = Callable[[ast.AST], Iterator[Any]]
"""Yields what a node may be replaced by."""

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
}
PAIRS = [
    ("min", "max"),
    ("any", "all"),
    ("maximum", "minimum"),
    ("log", "exp"),
    ("log1p", "expm1"),
    ("inf", "nan"),
]
"""Names of functions and numbers that a careless hand takes for each other."""

DROPPED = {"abs", "clip", "exp", "log", "max", "maximum", "mean", "min", "norm", "sign", "sorted", "sqrt", "fmean"}
"""Functions whose call is replaced by its first argument."""
TESTS_OF_NUMBERS = {"isfinite", "isinf", "isnan"}
TRUE, FALSE = ast.Constant(value=True), ast.Constant(value=False)


def both_ways(pairs: Collection[tuple[str, str]]) -> dict[str, str]:
    """Return name -> the other of its pair."""
    return {old: new for pair in pairs for old, new in (pair, pair[::-1])}


def comparison(node: ast.AST) -> Iterator[Any]:
    """Compare otherwise."""
    if isinstance(node, ast.Compare):
        for at, old in enumerate(node.ops):
            for new in COMPARISONS[type(old)]:
                yield ast.Compare(node.left, [*node.ops[:at], new(), *node.ops[at + 1 :]], node.comparators)


def arithmetic(node: ast.AST) -> Iterator[Any]:
    """Calculate otherwise."""
    if isinstance(node, ast.BinOp):
        yield from (ast.BinOp(node.left, new(), node.right) for new in ARITHMETIC.get(type(node.op), ()))


def operand_dropped(node: ast.AST) -> Iterator[Any]:
    """Leave one operand."""
    if isinstance(node, ast.BinOp):
        yield from (node.left, node.right)
    if isinstance(node, ast.BoolOp):
        for value in node.values:
            others = [other for other in node.values if other is not value]
            yield others[0] if len(others) == 1 else ast.BoolOp(node.op, others)
    if isinstance(node, ast.UnaryOp):
        yield node.operand


def and_or(node: ast.AST) -> Iterator[Any]:
    """Take `and` for `or`."""
    if isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)


def condition(node: ast.AST) -> Iterator[Any]:
    """Turn a condition, or decide it beforehand."""
    if isinstance(node, ast.IfExp):
        yield from (ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse), node.body, node.orelse)
    if isinstance(node, ast.If | ast.While):
        for test in (ast.UnaryOp(ast.Not(), node.test), TRUE, FALSE):
            yield type(node)(test, node.body, node.orelse)
    if isinstance(node, ast.comprehension) and node.ifs:
        yield ast.comprehension(node.target, node.iter, [ast.UnaryOp(ast.Not(), node.ifs[0])], node.is_async)
        yield ast.comprehension(node.target, node.iter, [], node.is_async)


def constant(node: ast.AST) -> Iterator[Any]:
    """Change a constant."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield ast.Constant(not node.value)
        elif isinstance(node.value, int | float):
            yield from (ast.Constant(node.value + 1), ast.Constant(node.value - 1))
        elif isinstance(node.value, str) and " " not in node.value:
            yield ast.Constant(f"{node.value}_")


def name_swapper(names: Mapping[str, str]) -> Operator:
    """Return the operator that takes a name for another."""

    def name_swapped(node: ast.AST) -> Iterator[Any]:
        if isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Load):
            yield ast.Name(names[node.id], node.ctx)
        if isinstance(node, ast.Attribute) and node.attr in names:
            yield ast.Attribute(node.value, names[node.attr], node.ctx)

    return name_swapped


def call_dropped(node: ast.AST) -> Iterator[Any]:
    """Leave what a function is called with."""
    if isinstance(node, ast.Call):
        name = name_of(node)
        if name in DROPPED and node.args:
            yield getattr(node.args[0], "value", node.args[0]) if name == "clip" else node.args[0]
        if name in TESTS_OF_NUMBERS:
            yield from (TRUE, FALSE)


def name_of(call: ast.Call) -> str | None:
    """Return the last name of what is called."""
    name: str | None = getattr(call.func, "attr", getattr(call.func, "id", None))
    return name


def argument_dropped(node: ast.AST) -> Iterator[Any]:
    """Leave out an argument that has a name."""
    if isinstance(node, ast.Call):
        for keyword in node.keywords:
            if keyword.arg != "strict":
                yield ast.Call(node.func, node.args, [other for other in node.keywords if other is not keyword])


def parts_swapped_or_dropped(node: ast.AST) -> Iterator[Any]:
    """Swap a pair, leave out an entry, take the whole for a slice."""
    if isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Load) and len(node.elts) == 2:
        yield type(node)(node.elts[::-1], node.ctx)
    if isinstance(node, ast.Dict):
        for at in range(len(node.keys)):
            yield ast.Dict(*([*part[:at], *part[at + 1 :]] for part in (node.keys, node.values)))
    if isinstance(node, ast.Slice):
        yield ast.Slice()


def loop_shortened(node: ast.AST) -> Iterator[Any]:
    """Go through a loop once."""
    if isinstance(node, ast.For | ast.comprehension):
        # Not a list of it: it may be endless.
        once = ast.parse(f"__import__('itertools').islice({ast.unparse(node.iter)}, 1)", mode="eval").body
        yield type(node)(**{**{name: getattr(node, name) for name in node._fields}, "iter": once})


def statement_dropped(node: ast.AST) -> Iterator[Any]:
    """Leave a statement out."""
    # Not the assignment of a name: what reads it would only stop with a NameError.
    indexed = isinstance(node, ast.Assign) and not all(isinstance(target, ast.Name) for target in node.targets)
    if indexed or isinstance(node, ast.AugAssign | ast.Expr | ast.Raise | ast.Break | ast.Continue):
        yield ast.Pass()
    if isinstance(node, ast.Break | ast.Continue):
        yield ast.Continue() if isinstance(node, ast.Break) else ast.Break()


def operators_with(names: Mapping[str, str]) -> tuple[Operator, ...]:
    """Return the operators, in the order in which they are tried at each place; `names` are those that are swapped."""
    return (
        comparison,
        arithmetic,
        operand_dropped,
        and_or,
        condition,
        constant,
        name_swapper(names),
        call_dropped,
        argument_dropped,
        parts_swapped_or_dropped,
        loop_shortened,
        statement_dropped,
    )
