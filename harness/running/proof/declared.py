"""What a claim's folder should declare: read, not run."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from harness.running.proof.check import Check, timed
from harness.specification.profiles import NO_VERDICT_PROFILE
from harness.trials.sabotage import FILE, load_sabotage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.trials.catalogue import ClaimFolder

MEANING = {
    NO_VERDICT_PROFILE: "say how few seeds and how small sizes show that everything runs",
    "quick": "say how many seeds and which sizes decide it in seconds or minutes",
    "paper": "say how many seeds and which sizes you would publish, whether or not they are ever run",
}
PROFILES = tuple(MEANING)
"""Those that a claim should have, each with what is to be said of it."""

GIVEN_SETTINGS = ("measure", "examples", "fit", "score")
"""Functions of an experiment that get what claim.yaml says."""

JUDGED = ("reading", "control")
"""What the tests beside a claim are given one by one, so that none is left out."""


def declared(folder: ClaimFolder) -> list[Check]:
    """Return the checks of what stands in a claim's folder."""
    return [check(folder) for check in (_profiles, _tests, _timings, _signature, _sabotage)]


def _profiles(folder: ClaimFolder) -> Check:
    claim = folder.claim
    with timed(Check("profiles", f"{', '.join(PROFILES)}, and a control")) as check:
        lacking = [name for name in PROFILES if name not in claim.profiles]
        check.failures += [f"claim.yaml: profiles: {name} is missing; {MEANING[name]}" for name in lacking]
        if not claim.controls:
            check.failures.append("claim.yaml: controls: there is none; a claim that nothing could break shows nothing")
    return check


def _tests(folder: ClaimFolder) -> Check:
    with timed(Check("tests", "every reading and every control is judged")) as check:
        names = set(_given(folder.path / "test_claim.py"))
        check.failures += [
            f"test_claim.py: no test takes every {name}; write `from harness.claim_tests import test_{name}`"
            for name in JUDGED
            if name not in names
        ]
    return check


def _given(path: Path) -> Iterator[str]:
    """Yield what tests take as arguments, and `reading` for a test_reading that is imported."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.FunctionDef):
            yield from (argument.arg for argument in node.args.args)
        if isinstance(node, ast.ImportFrom):
            yield from (alias.name.removeprefix("test_") for alias in node.names)


def _timings(folder: ClaimFolder) -> Check:
    claim = folder.claim
    check = Check(
        "timings", "training and inference are declared", applies=bool(claim.precision and claim.has_experiment)
    )
    if check.applies:
        lacking = [what for what in ("training", "inference") if not getattr(claim.timings, what)]
        check.failures += [f"claim.yaml: timings.{what}: names no arm; name those to be timed" for what in lacking]
    else:
        check.holds = "trains no network here"
    return check


def _signature(folder: ClaimFolder) -> Check:
    """No default in what is given settings: a disputable number has one place. None stands for an observer, and for no number."""
    with timed(Check("settings", "every number stands in claim.yaml")) as check:
        defined = [
            node
            for node in _tree(folder.experiment).body
            if isinstance(node, ast.FunctionDef) and node.name in GIVEN_SETTINGS
        ]
        check.failures += [
            f"experiment.py:{function.lineno}: {function.name}() has a default for {name}; let claim.yaml say it"
            for function in defined
            for name in _with_default(function.args)
        ]
    return check


def _with_default(arguments: ast.arguments) -> Iterator[str]:
    """Yield the arguments that have a default but None."""
    pairs: list[tuple[ast.arg, ast.expr | None]] = [
        *zip(reversed(arguments.args), reversed(arguments.defaults), strict=False)
    ]
    pairs += zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    for argument, default in pairs:
        if default is not None and not (isinstance(default, ast.Constant) and default.value is None):
            yield argument.arg


def _sabotage(folder: ClaimFolder) -> Check:
    with timed(Check("sabotage.yaml", "", applies=folder.claim.has_experiment)) as check:
        if not check.applies:
            check.holds = "has no experiment.py of its own, whose lines could be replaced"
            return check
        found = load_sabotage(folder.path, folder.claim)
        if found is None:
            check.failures.append(
                f"{FILE}: is missing; say how a line of the experiment can be broken, and which reading must notice"
            )
        else:
            number = len(found.broken_lines)
            check.holds = f"{number} broken line{'s' * (number != 1)}"
    return check


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes())
