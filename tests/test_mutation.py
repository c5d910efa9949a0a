"""The mutants are many, sound and known by name, and their trial tells those that are caught from those that are not."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests import mutation
from tests.mutation import ACCEPTED, FEWEST, MODULES, Mutant, mutants_of, problems_of

PROJECT = Path(__file__).parents[1]
DEADLY = "simulation.py decide: ended = now != 0 -> ended = now == 0"


@pytest.fixture(scope="module")
def mutants():
    return [mutant for module in MODULES for mutant in mutants_of(module)]


def test_every_module_and_every_operator_makes_mutants(mutants):
    assert len(mutants) >= FEWEST
    assert {mutant.module for mutant in mutants} == set(MODULES)
    assert {mutant.operator for mutant in mutants} == {operator.__name__ for operator in mutation.OPERATORS}


def test_every_module_is_asked_about_by_tests_of_its_own():
    # pytest ends with an error where a file is missing, and every mutant of that module would pass for caught.
    assert [path for path in (*mutation.MIRRORS, *mutation.WIDER) if not (PROJECT / path).is_file()] == []
    with pytest.raises(FileNotFoundError, match=r"no such tests: tests/test_nothing\.py"):
        mutation.try_all([], 1, ["tests/test_nothing.py::test_it"])


def test_every_mutant_compiles_and_is_another_program(mutants):
    for mutant in mutants:
        compile(mutant.source, mutant.description, "exec")
    programs = {(mutant.module, mutant.source) for mutant in mutants}
    originals = {(m, ast.unparse(ast.parse((PROJECT / "harness/judging" / f"{m}.py").read_text()))) for m in MODULES}
    assert len(programs) == len(mutants)
    assert not programs & originals


def test_every_description_is_unique(mutants):
    assert len({mutant.description for mutant in mutants}) == len(mutants)


def test_texts_types_and_messages_are_left_alone(tmp_path, monkeypatch):
    (tmp_path / "harness/judging").mkdir(parents=True)
    (tmp_path / "harness/judging/small.py").write_text(
        '"""Text 1."""\nfrom typing import Any\nimport sys\nif TYPE_CHECKING:\n    import os\nAlias = Any | int\n'
        'def f(x: int | float) -> "A < 2":\n    """Return 2."""\n    if x < 2:\n        raise ValueError(f"{x} is below 2")\n'
        '    return list(zip(x, "two words", strict=True))\n'
    )
    monkeypatch.setattr(mutation, "PROJECT", tmp_path)
    assert {m.description for m in mutants_of("small")} == {
        "small.py f: if x < 2: -> if not x < 2:",
        "small.py f: if x < 2: -> if True:",
        "small.py f: if x < 2: -> if False:",
        "small.py f: if x < 2: -> if x <= 2:",
        "small.py f: if x < 2: -> if x > 2:",
        "small.py f: if x < 2: -> if x < 3:",
        "small.py f: if x < 2: -> if x < 1:",
        "small.py f: raise ValueError(f'{x} is below 2') -> pass",
    }


@pytest.mark.parametrize(
    ("tests", "status", "said"),
    [
        ("tests/judging/test_simulation.py", 0, ""),
        ("tests/test_clock.py", 1, f"survives and is not listed: {DEADLY}"),
    ],
)
def test_a_deadly_mutant_is_caught_by_the_tests_of_its_module_and_not_by_others(tests, status, said):
    command = [sys.executable, "tests/mutation.py", "--workers", "1", "--only", DEADLY, "--tests", tests]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    assert said in done.stdout
    caught, timed_out, survived = map(int, done.stdout.split("\nall ")[1].split("\n")[0].split()[1:])
    assert (caught, timed_out, survived) == (1 - status, 0, status)


def test_what_caught_a_mutant_is_asked_first_about_others_of_the_same_function():
    assert mutation.stages_for("ties", None)[0][0] == "tests/judging/test_ties.py"
    asked = mutation.stages_for("ties", None, ["tests/judging/test_verdict.py::test_it"])
    assert asked == [["tests/judging/test_verdict.py::test_it"], *mutation.stages_for("ties", None)]
    first = []
    for name in "abcdebe":
        mutation._remember(name, first)
    assert first == ["e", "b", "d", "c"]


MADE = [Mutant("stats", "comparison", name, "") for name in ("a", "b", "c")]


@pytest.mark.parametrize(
    ("ended", "accepted", "problems"),
    [
        ("caught caught timed-out", {}, []),
        ("caught survived caught", {"b": "the same function"}, []),
        ("caught survived caught", {}, ["survives and is not listed: b"]),
        ("caught survived caught", {"b": ""}, ["is listed as a survivor without a reason: b"]),
        ("caught caught caught", {"b": "so"}, ["is listed as a survivor and is caught: b"]),
        ("caught caught caught", {"d": "so"}, ["is listed as a survivor and is no mutant: d"]),
    ],
)
def test_survivors_must_be_those_that_are_listed(ended, accepted, problems, monkeypatch):
    monkeypatch.setattr(mutation, "FEWEST", 3)
    found = dict(zip("abc", ended.split(), strict=True))
    assert problems_of(MADE, found, accepted, whole=True) == problems


def test_too_few_mutants_fail_the_run():
    found = dict.fromkeys("abc", "caught")
    assert problems_of(MADE, found, {}, whole=True) == [f"3 mutants were made, fewer than {FEWEST}"]
    assert problems_of(MADE, found, {"d": "of another module"}, whole=False) == []


def test_every_accepted_survivor_is_a_mutant_and_has_a_reason(mutants):
    accepted = yaml.safe_load(ACCEPTED.read_text())
    assert accepted.keys() <= {mutant.description for mutant in mutants}
    assert all(isinstance(reason, str) and reason for reason in accepted.values())
