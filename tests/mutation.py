"""The judge on trial: break the modules that decide in every small way listed here; the tests must notice each.

`nox -s mutants` runs it, or `python tests/mutation.py`. A mutant is one of their modules with one node of its
syntax tree changed. It is tried in a copy of the project, never in place; survivors stand with a reason in
tests/mutants_survivors.yaml, and any other survivor, or a listed one that is caught after all, fails the run.

Mutated is all that runs, but for what cannot change a verdict: docstrings, annotations and aliases of types, texts of
messages, decorators, and the `strict` of zip, an assertion.
"""

from __future__ import annotations

import argparse
import ast
import math
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter, deque
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
MODULES = (
    "student",
    "ties",
    "binomial",
    "confidence_sequence",
    "bounded",
    "quantile",
    "points",
    "contrasts",
    "ranges",
    "edges",
    "normality",
    "caps",
    "verdict",
    "controls",
    "expected",
    "simulation",
)
ACCEPTED = PROJECT / "tests" / "mutants_survivors.yaml"
FEWEST = 60

MIRRORS = [*(f"tests/judging/test_{name}.py" for name in MODULES), "tests/test_vacuous.py"]
WIDER = [
    "tests/running/test_claim_run.py",
    "tests/judging/test_feasibility.py",
    "tests/report/test_wording.py",
    "tests/running/test_exit_code.py",
    "tests/test_calibration.py",
]
"""Asked about a mutant that the first let pass."""

MEMORY = 8 << 30
"""Bytes of address space; a mutant that asks for more is caught."""

BROKEN = 70
"""Exit status of a child that could not try its mutant; pytest's own end at 5."""

COMPARISONS = {
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
ARITHMETIC = {
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
    ("low", "high"),
    ("of", "minus"),
    ("here", "there"),
    ("intersection", "union"),
    ("log", "exp"),
    ("log1p", "expm1"),
    ("inf", "nan"),
    ("VERIFIED", "REFUTED"),
]
SWAPPED = {
    **{old: new for pair in PAIRS for old, new in (pair, pair[::-1])},
    "INCONCLUSIVE": "VERIFIED",
    "INVALID": "VERIFIED",
    "NOT_RUN": "INCONCLUSIVE",
}
DROPPED = {"abs", "clip", "exp", "log", "max", "maximum", "mean", "min", "norm", "sign", "sorted", "sqrt", "fmean"}
"""Functions whose call is replaced by its first argument."""
TESTS_OF_NUMBERS = {"isfinite", "isinf", "isnan"}
TRUE, FALSE = ast.Constant(value=True), ast.Constant(value=False)


@dataclass(frozen=True)
class Mutant:
    """One change: where, by which operator, how it reads, and the whole module with it."""

    module: str
    operator: str
    description: str
    source: str


def comparison(node):
    if isinstance(node, ast.Compare):
        for at, old in enumerate(node.ops):
            for new in COMPARISONS[type(old)]:
                yield ast.Compare(node.left, [*node.ops[:at], new(), *node.ops[at + 1 :]], node.comparators)


def arithmetic(node):
    if isinstance(node, ast.BinOp):
        yield from (ast.BinOp(node.left, new(), node.right) for new in ARITHMETIC.get(type(node.op), ()))


def operand_dropped(node):
    if isinstance(node, ast.BinOp):
        yield from (node.left, node.right)
    if isinstance(node, ast.BoolOp):
        for value in node.values:
            others = [other for other in node.values if other is not value]
            yield others[0] if len(others) == 1 else ast.BoolOp(node.op, others)
    if isinstance(node, ast.UnaryOp):
        yield node.operand


def and_or(node):
    if isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)


def condition(node):
    if isinstance(node, ast.IfExp):
        yield from (ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse), node.body, node.orelse)
    if isinstance(node, ast.If | ast.While):
        for test in (ast.UnaryOp(ast.Not(), node.test), TRUE, FALSE):
            yield type(node)(test, node.body, node.orelse)
    if isinstance(node, ast.comprehension) and node.ifs:
        yield ast.comprehension(node.target, node.iter, [ast.UnaryOp(ast.Not(), node.ifs[0])], node.is_async)
        yield ast.comprehension(node.target, node.iter, [], node.is_async)


def constant(node):
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield ast.Constant(not node.value)
        elif isinstance(node.value, int | float):
            yield from (ast.Constant(node.value + 1), ast.Constant(node.value - 1))
        elif isinstance(node.value, str) and " " not in node.value:
            yield ast.Constant(f"{node.value}_")


def name_swapped(node):
    if isinstance(node, ast.Name) and node.id in SWAPPED and isinstance(node.ctx, ast.Load):
        yield ast.Name(SWAPPED[node.id], node.ctx)
    if isinstance(node, ast.Attribute) and node.attr in SWAPPED:
        yield ast.Attribute(node.value, SWAPPED[node.attr], node.ctx)


def call_dropped(node):
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", None))
        if name in DROPPED and node.args:
            yield getattr(node.args[0], "value", node.args[0]) if name == "clip" else node.args[0]
        if name in TESTS_OF_NUMBERS:
            yield from (TRUE, FALSE)


def argument_dropped(node):
    if isinstance(node, ast.Call):
        for keyword in node.keywords:
            if keyword.arg != "strict":
                yield ast.Call(node.func, node.args, [other for other in node.keywords if other is not keyword])


def parts_swapped_or_dropped(node):
    if isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Load) and len(node.elts) == 2:
        yield type(node)(node.elts[::-1], node.ctx)
    if isinstance(node, ast.Dict):
        for at in range(len(node.keys)):
            keys, values = ([*part[:at], *part[at + 1 :]] for part in (node.keys, node.values))
            yield ast.Dict(keys, values)
    if isinstance(node, ast.Slice):
        yield ast.Slice()


def loop_shortened(node):
    if isinstance(node, ast.For | ast.comprehension):
        # Not a list of it: it may be endless.
        once = ast.parse(f"__import__('itertools').islice({ast.unparse(node.iter)}, 1)", mode="eval").body
        yield type(node)(**{**{name: getattr(node, name) for name in node._fields}, "iter": once})


def statement_dropped(node):
    # Not the assignment of a name: what reads it would only stop with a NameError.
    indexed = isinstance(node, ast.Assign) and not all(isinstance(target, ast.Name) for target in node.targets)
    if indexed or isinstance(node, ast.AugAssign | ast.Expr | ast.Raise | ast.Break | ast.Continue):
        yield ast.Pass()
    if isinstance(node, ast.Break | ast.Continue):
        yield ast.Continue() if isinstance(node, ast.Break) else ast.Break()


OPERATORS = (
    comparison,
    arithmetic,
    operand_dropped,
    and_or,
    condition,
    constant,
    name_swapped,
    call_dropped,
    argument_dropped,
    parts_swapped_or_dropped,
    loop_shortened,
    statement_dropped,
)


def mutants_of(module):
    """Return every mutant of a module of harness/, in the order of its text."""
    tree = ast.parse((PROJECT / "harness/judging" / f"{module}.py").read_text())
    seen, counts, found = {ast.unparse(tree)}, Counter(), []
    for scope, path in _places(tree, "", []):
        parent, field, at = path[-1]
        node = _get(parent, field, at)
        for operator in OPERATORS:
            if operator is parts_swapped_or_dropped and isinstance(parent, ast.Compare):
                # In a membership the order says nothing.
                continue
            for new in operator(node):
                surrounding = _surrounding(path)
                before = _headline(surrounding or node)
                _set(parent, field, at, ast.copy_location(new, node) if isinstance(new, ast.stmt) else new)
                source, after = ast.unparse(tree), _headline(surrounding or new)
                _set(parent, field, at, node)
                if source in seen:
                    continue
                seen.add(source)
                text = f"{module}.py {scope or 'top'}: {before} -> {after}"
                counts[text] += 1
                description = text if counts[text] == 1 else f"{text} ({counts[text]})"
                found.append(Mutant(module, operator.__name__, description, source))
    return found


def _places(node, scope, path):
    """Yield each node that may change, as (function it stands in, way there from the top)."""
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "decorator_list", "ctx", "format_spec"}:
            continue
        for at, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST) or _is_inert(child, node):
                continue
            way = [*path, (node, field, at)]
            yield scope, way
            if isinstance(child, ast.Raise):
                continue
            name = getattr(child, "name", None) if isinstance(child, ast.FunctionDef | ast.ClassDef) else None
            yield from _places(child, ".".join(filter(None, (scope, name))), way)


def _is_inert(node, parent):
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
    return isinstance(parent, ast.Module) and isinstance(node, ast.Assign) and not node.targets[0].id.isupper()


def _get(parent, field, at):
    return getattr(parent, field) if at is None else getattr(parent, field)[at]


def _set(parent, field, at, new):
    if at is None:
        setattr(parent, field, new)
    else:
        getattr(parent, field)[at] = new


def _surrounding(path):
    """Return the smallest part around a place that says enough to know it by; None for a whole statement."""
    if isinstance(_get(*path[-1]), ast.stmt):
        return None
    for parent, _, _ in reversed(path):
        if isinstance(parent, ast.stmt | ast.comprehension) or len(ast.unparse(parent)) > 20:
            return parent
    return None


def _headline(node):
    return ast.unparse(node).strip().splitlines()[0]


def copy_project(folder):
    """Copy what the tests read into `folder`, in the form the mutants are written in: without comments."""
    ignored = shutil.ignore_patterns(".*", "__pycache__", "reports")
    shutil.copytree(PROJECT, folder, ignore=ignored, symlinks=True)
    for module in MODULES:
        write_module(
            folder, module, ast.unparse(ast.parse((folder / "harness/judging" / f"{module}.py").read_text())), 0
        )


def write_module(folder, module, source, index):
    """Write a module; each index has a second of its own as time of change, so that no bytecode of another passes for it."""
    path = folder / "harness/judging" / f"{module}.py"
    path.write_text(source)
    os.utime(path, (1_000_000_000 + index,) * 2)


def warm_up():
    """Import what every run of the tests needs, but nothing of the project: children inherit it."""
    import hypothesis
    import mpmath
    import pydantic
    import pytest
    import scipy.stats
    import yaml

    # What hypothesis finds need not be made small, nor remembered; tests/properties.py builds on these settings.
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    hypothesis.settings.register_profile("mutants", database=None, phases=phases)
    hypothesis.settings.load_profile("mutants")
    if any(name.split(".")[0] == "harness" for name in sys.modules):
        raise RuntimeError("the project must be imported in the children alone")
    return mpmath, pydantic, pytest, scipy.stats, yaml


def start(folder, stages, seconds):
    """Fork a process that runs stages of tests in a copy until one fails; return its id.

    It is stopped after `seconds` of processor time, so that a busy machine catches nothing, or ten times as many by
    the clock: a process that only waits.
    """
    if pid := os.fork():
        return pid
    status = BROKEN
    try:
        signal.alarm(10 * seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        log = os.open(folder.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.chdir(folder)
        elsewhere = [path for path in sys.path if "site-packages" in path or not _is_of_project(path)]
        sys.path[:] = [str(folder), *elsewhere]
        os.environ["PYTHONPATH"] = str(folder)
        status = _run_stages(folder, stages)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _is_of_project(path):
    return Path(path).resolve().is_relative_to(PROJECT)


def _run_stages(folder, stages):
    import pytest

    options = ["-x", "-q", "-m", "not slow", "-p", "no:cacheprovider", "--assert=plain"]
    for tests in stages:
        try:
            status = pytest.main([*options, *tests])
        except Exception:
            # A mutant that cannot even be imported: pytest loads the project's plugin before it tests anything.
            traceback.print_exc()
            return 1
        if status:
            return int(status)
        files = [part.__file__ for name, part in sys.modules.items() if name.split(".")[0] == "harness"]
        if strangers := [path for path in files if not path.startswith(str(folder))]:
            raise RuntimeError(f"not of the copy of the project: {strangers}")
    return 0


def stages_for(module, tests):
    """Return what to run, the module's own tests first."""
    if tests:
        return [tests]
    own = f"tests/judging/test_{module}.py"
    return [[own, *(path for path in MIRRORS if path != own)], WIDER]


def try_all(mutants, workers, tests):
    """Try each mutant; return description -> "caught", "timed out" or "survived".

    Raises:
        RuntimeError: the unchanged project fails its tests, so that nothing can be said of mutants.
        FileNotFoundError: tests that are to be asked do not exist; pytest would end as if a mutant were caught.
    """
    asked = {path.split("::")[0] for module in MODULES for stage in stages_for(module, tests) for path in stage}
    if missing := sorted(path for path in asked if not (PROJECT / path).is_file()):
        raise FileNotFoundError(f"no such tests: {', '.join(missing)}")
    with tempfile.TemporaryDirectory(prefix="mutants-") as root:
        folders = [Path(root).resolve() / str(number) for number in range(workers)]
        for folder in folders:
            copy_project(folder)
        originals = {module: (folders[0] / "harness/judging" / f"{module}.py").read_text() for module in MODULES}
        pid = start(folders[0], stages_for(MODULES[0], tests), 300)
        if os.waitpid(pid, 0)[1]:
            raise RuntimeError(f"the unchanged project fails:\n{folders[0].with_suffix('.log').read_text()}")
        times = os.times()
        seconds = math.ceil(5 + 2 * (times.children_user + times.children_system))
        return _try_each(mutants, folders, originals, tests, seconds)


def _try_each(mutants, folders, originals, tests, seconds):
    todo, free, running, ended = deque(enumerate(mutants, start=1)), list(folders), {}, {}
    began = time.monotonic()
    while todo or running:
        if todo and free:
            index, mutant = todo.popleft()
            folder = free.pop()
            write_module(folder, mutant.module, mutant.source, index)
            running[start(folder, stages_for(mutant.module, tests), seconds)] = mutant, folder
            continue
        pid, status = os.wait()
        mutant, folder = running.pop(pid)
        write_module(folder, mutant.module, originals[mutant.module], 0)
        free.append(folder)
        timed_out = os.WIFSIGNALED(status) and os.WTERMSIG(status) in {signal.SIGALRM, signal.SIGXCPU}
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == BROKEN:
            raise RuntimeError(f"could not try {mutant.description}:\n{folder.with_suffix('.log').read_text()}")
        ended[mutant.description] = "timed out" if timed_out else "caught" if status else "survived"
        if not status:
            print(f"  survived: {mutant.description}", flush=True)
        if len(ended) % 25 == 0:
            left = (time.monotonic() - began) / len(ended) * (len(mutants) - len(ended))
            print(f"[{len(ended)}/{len(mutants)}] about {left / 60:.1f} min left", flush=True)
    return ended


def table(mutants, ended):
    """Return the rows of the table of module and operator, and a line of sums."""
    rows = [f"{'module':<12} {'operator':<26} {'made':>5} {'caught':>6} {'timed out':>9} {'survived':>8}"]
    cells = Counter((m.module, m.operator.replace("_", " "), ended[m.description]) for m in mutants)
    sums = Counter(ended.values())
    for module, operator in dict.fromkeys((module, operator) for module, operator, _ in cells):
        counts = [cells[module, operator, how] for how in ("caught", "timed out", "survived")]
        rows.append(f"{module:<12} {operator:<26} {sum(counts):>5} {counts[0]:>6} {counts[1]:>9} {counts[2]:>8}")
    counts = [sums[how] for how in ("caught", "timed out", "survived")]
    rows.append(f"{'all':<39} {sum(counts):>5} {counts[0]:>6} {counts[1]:>9} {counts[2]:>8}")
    return rows


def problems_of(mutants, ended, accepted, whole):
    """Return what fails the run, one line each; of the accepted survivors only those among `mutants` unless `whole`."""
    survived = {description for description, how in ended.items() if how == "survived"}
    known = {mutant.description for mutant in mutants}
    found = [f"survives and is not listed: {d}" for d in ended if d in survived and d not in accepted]
    found += [f"is listed as a survivor and is caught: {d}" for d in accepted if d in known - survived]
    found += [f"is listed as a survivor without a reason: {d}" for d, reason in accepted.items() if not reason]
    if whole:
        found += [f"is listed as a survivor and is no mutant: {d}" for d in accepted if d not in known]
        if len(mutants) < FEWEST:
            found.append(f"{len(mutants)} mutants were made, fewer than {FEWEST}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="processes at a time")
    parser.add_argument("--only", default="", metavar="TEXT", help="mutants whose description contains it")
    parser.add_argument("--tests", nargs="+", metavar="PATH", help="tests to ask instead")
    parser.add_argument("--list", action="store_true", help="print the mutants and stop")
    options = parser.parse_args()
    mutants = [m for module in MODULES for m in mutants_of(module) if options.only in m.description]
    if options.list:
        print("\n".join(mutant.description for mutant in mutants))
        return 0
    if not mutants:
        parser.error(f"no mutant has {options.only!r} in its description; --list prints them")
    # Before numpy is imported: forking is safe without threads, and workers must not take each other's cores.
    os.environ["OMP_NUM_THREADS"] = "1"
    *_, yaml = warm_up()
    accepted = yaml.safe_load(ACCEPTED.read_text()) or {}
    print(f"{len(mutants)} mutants, {options.workers} at a time", flush=True)
    ended = try_all(mutants, options.workers, options.tests)
    print("\n".join(table(mutants, ended)))
    for description in (d for d, how in ended.items() if how == "survived" and d in accepted):
        print(f"survives, as listed: {description}\n  because {accepted[description]}")
    problems = problems_of(mutants, ended, accepted, whole=not options.only)
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
