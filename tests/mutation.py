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
import importlib.util
import math
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


def _by_path(name):
    """Load a module by its path: of the project itself nothing may be imported here (see `warm_up`)."""
    spec = importlib.util.spec_from_file_location(f"proof_{name}", PROJECT / "harness/running/proof" / f"{name}.py")
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


operators, mutation = map(_by_path, ("operators", "mutation"))
MODULES = (
    "student",
    "ties",
    "binomial",
    "confidence_sequence",
    "bounded",
    "groups",
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

REMEMBERED = 4
"""Tests that caught other mutants of the same function, asked first: most mutants fall to one of them."""

MEMORY = 8 << 30
"""Bytes of address space; a mutant that asks for more is caught."""

BROKEN = 70
"""Exit status of a child that could not try its mutant; pytest's own end at 5."""

PAIRS = [("low", "high"), ("of", "minus"), ("here", "there"), ("intersection", "union"), ("VERIFIED", "REFUTED")]
"""Names of the judge that are swapped besides those of any program."""
SWAPPED = {
    **operators.both_ways([*operators.PAIRS, *PAIRS]),
    "INCONCLUSIVE": "VERIFIED",
    "INVALID": "VERIFIED",
    "NOT_RUN": "INCONCLUSIVE",
}
OPERATORS = operators.operators_with(SWAPPED)


@dataclass(frozen=True)
class Mutant:
    """One change: where, by which operator, how it reads, and the whole module with it."""

    module: str
    operator: str
    description: str
    source: str

    @property
    def scope(self):
        """The module and the function that it is in."""
        return self.description.split(":")[0]


def mutants_of(module):
    """Return every mutant of a module of harness/, in the order of its text."""
    source = (PROJECT / "harness/judging" / f"{module}.py").read_text()
    found = mutation.mutations_of(source, f"{module}.py", OPERATORS)
    return [Mutant(module, one.operator, one.description, one.source) for one in found]


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
            status = pytest.main([*options, *tests], plugins=[_Witness(folder)])
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


class _Witness:
    """A plugin of pytest that leaves the name of the test that fails beside the folder of the mutant."""

    def __init__(self, folder):
        self.path = folder.with_suffix(".caught")

    def pytest_runtest_logreport(self, report):
        if report.failed:
            # Without parameters: a mutant may change what a test is parametrised with, and pytest fails on names it misses.
            self.path.write_text(report.nodeid.split("[")[0])


def stages_for(module, tests, first=()):
    """Return what to run: tests to ask first, then the module's own, then all others."""
    if tests:
        return [tests]
    own = f"tests/judging/test_{module}.py"
    stages = [[own, *(path for path in MIRRORS if path != own)], WIDER]
    return [list(first), *stages] if first else stages


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
    catchers = defaultdict(list)
    began = time.monotonic()
    while todo or running:
        if todo and free:
            index, mutant = todo.popleft()
            folder = free.pop()
            write_module(folder, mutant.module, mutant.source, index)
            folder.with_suffix(".caught").unlink(missing_ok=True)
            stages = stages_for(mutant.module, tests, catchers[mutant.scope])
            running[start(folder, stages, seconds)] = mutant, folder
            continue
        pid, status = os.wait()
        mutant, folder = running.pop(pid)
        write_module(folder, mutant.module, originals[mutant.module], 0)
        free.append(folder)
        timed_out = os.WIFSIGNALED(status) and os.WTERMSIG(status) in {signal.SIGALRM, signal.SIGXCPU}
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == BROKEN:
            raise RuntimeError(f"could not try {mutant.description}:\n{folder.with_suffix('.log').read_text()}")
        ended[mutant.description] = "timed out" if timed_out else "caught" if status else "survived"
        if folder.with_suffix(".caught").exists():
            _remember(folder.with_suffix(".caught").read_text(), catchers[mutant.scope])
        if not status:
            print(f"  survived: {mutant.description}", flush=True)
        if len(ended) % 25 == 0:
            left = (time.monotonic() - began) / len(ended) * (len(mutants) - len(ended))
            print(f"[{len(ended)}/{len(mutants)}] about {left / 60:.1f} min left", flush=True)
    return ended


def _remember(test, catchers):
    """Put a test in front of those that are asked first."""
    catchers[:] = [test, *(other for other in catchers if other != test)][:REMEMBERED]


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
    parser.add_argument(
        "--only", nargs="+", default=[""], metavar="TEXT", help="mutants whose description contains one of them"
    )
    parser.add_argument("--tests", nargs="+", metavar="PATH", help="tests to ask instead")
    parser.add_argument("--list", action="store_true", help="print the mutants and stop")
    options = parser.parse_args()
    mutants = [
        m for module in MODULES for m in mutants_of(module) if any(text in m.description for text in options.only)
    ]
    if options.list:
        print("\n".join(mutant.description for mutant in mutants))
        return 0
    if not mutants:
        parser.error(f"no mutant has one of {options.only} in its description; --list prints them")
    # Before numpy is imported: forking is safe without threads, and workers must not take each other's cores.
    os.environ["OMP_NUM_THREADS"] = "1"
    *_, yaml = warm_up()
    accepted = yaml.safe_load(ACCEPTED.read_text()) or {}
    print(f"{len(mutants)} mutants, {options.workers} at a time", flush=True)
    ended = try_all(mutants, options.workers, options.tests)
    print("\n".join(table(mutants, ended)))
    for description in (d for d, how in ended.items() if how == "survived" and d in accepted):
        print(f"survives, as listed: {description}\n  because {accepted[description]}")
    problems = problems_of(mutants, ended, accepted, whole=options.only == [""])
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
