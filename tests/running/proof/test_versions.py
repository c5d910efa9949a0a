"""Broken versions are changes of what measure() reaches, of every kind, and chosen by a seed."""

from __future__ import annotations

import ast
from collections import Counter

import numpy as np
import pytest

from harness.running.proof.mutation import mutations_of
from harness.running.proof.versions import (
    OPERATORS,
    Version,
    arguments_swapped,
    number_scaled,
    possible,
    reachable,
    sample,
    shuffle_lost,
    values_swapped,
    versions_of,
)
from harness.trials.catalogue import load_claim
from harness.trials.options import Options
from harness.trials.plan import make_plan
from tests.tiny_project import write_claim

EXPERIMENT = '''\
"""Normal numbers."""

import numpy as np

from warmth import level, never_used

SCALE = 2
UNUSED = 3


def measure(arm, seeds, *, centre, spread):
    if spread < 0:
        raise ValueError("spread is below 0")
    first, (second) = 1.5, spread
    start = "warm" if arm == "hot" else "cold"
    return {"level": np.array([SCALE * level(seed.numpy("role"), centre) for seed in seeds])}


def prepare_training(arm, seed, *, centre, spread):
    return lambda: 1 + 1


prepare_inference = prepare_training
'''

LEVELS = """\
def level(generator, centre, factor=1.0):
    return centre - generator.normal()


def never_used(x):
    return x + 1
"""


@pytest.fixture
def versions(tmp_path):
    (tmp_path / "warmth.py").write_text(LEVELS)
    folder = load_claim(write_claim(tmp_path, experiment=EXPERIMENT))
    return versions_of(make_plan(folder, Options(profile="smoke")))


def test_versions_break_what_measure_reaches_and_nothing_else(versions):
    places = Counter((version.file.rpartition("/")[2], version.change.split()[1].strip(":")) for version in versions)

    assert places.keys() == {("experiment.py", "measure"), ("experiment.py", "top"), ("warmth.py", "level")}
    # SCALE of 3 and of 1; UNUSED is read by nobody.
    assert places["experiment.py", "top"] == 2
    # The sign, and one operand or the other; the default of `factor` is none of its business.
    assert [version.change for version in versions if version.file == "warmth.py"] == [
        "warmth.py level: return centre - generator.normal() -> return centre + generator.normal()",
        "warmth.py level: return centre - generator.normal() -> return centre",
        "warmth.py level: return centre - generator.normal() -> return generator.normal()",
    ]


def test_guards_and_names_of_streams_are_left_alone_and_comparisons_are_not(versions):
    changes = [version.change for version in versions]

    assert not [change for change in changes if "spread < 0" in change]
    assert not [change for change in changes if change.endswith("-> pass")]
    assert len([change for change in changes if "(1.5, spread) -> " in change]) == 3
    assert not [change for change in changes if "role_" in change or "warm_" in change]
    assert [change for change in changes if "hot_" in change]


def test_a_version_knows_its_line_and_is_a_program(versions):
    lines = EXPERIMENT.splitlines()
    for version in versions:
        compile(version.text, version.file, "exec")
        if version.file.endswith("experiment.py") and "SCALE * level" in version.change:
            assert "SCALE * level" in lines[version.line - 1]
    assert len({version.change for version in versions}) == len(versions)


def test_a_version_runs_where_a_line_of_its_statement_does():
    lines = "def f(a):\n    if (\n        a > 1\n    ):\n        return (\n            a +\n            1\n        )\n"
    found = {version.description: version.lines for version in mutations_of(lines, "m.py", OPERATORS)}

    # The head of an `if` without what it guards; a statement of several lines as a whole.
    assert {words: own for words, own in found.items() if "a > 1" in words}
    assert all(own == range(2, 5) for words, own in found.items() if "a > 1" in words)
    assert all(own == range(5, 9) for words, own in found.items() if "a + 1" in words)
    version = Version("m.py", 7, "", "", "", range(5, 9))
    assert version.runs({"m.py": [6]})
    assert not version.runs({"m.py": [4, 9], "n.py": [6]})


@pytest.mark.parametrize(
    ("operator", "before", "after"),
    [
        (arguments_swapped, "f(a, b, c)", ["f(b, a, c)"]),
        (arguments_swapped, "f(*a, b)", []),
        (arguments_swapped, "f(a)", []),
        (values_swapped, "{'x': a, 'y': b, 'z': c}", ["{'x': b, 'y': a, 'z': c}"]),
        (number_scaled, "0.3", ["0.6", "0.15"]),
        (number_scaled, "0.0", ["1.0"]),
        (number_scaled, "3", []),
        (shuffle_lost, "g.permutation(n)", ["__import__('numpy').sort(g.permutation(n))"]),
        (shuffle_lost, "torch.randperm(n, generator=g)", ["torch.randperm(n, generator=g).sort().values"]),
        (shuffle_lost, "g.normal(n)", []),
    ],
)
def test_changes_that_experiments_have_besides(operator, before, after):
    node = ast.parse(before, mode="eval").body

    assert [ast.unparse(new) for new in operator(node)] == after


def test_a_lost_shuffle_leaves_everything_in_its_place():
    (version,) = mutations_of("def draw(g):\n    return g.permutation(5)", "x.py", [shuffle_lost])
    names = {}
    exec(version.source, names)

    assert names["draw"](np.random.default_rng(0)).tolist() == [0, 1, 2, 3, 4]


def test_reaching_goes_through_names_and_attributes_and_takes_the_last_assignment():
    trees = [
        ast.parse("measure, prepare = supervised(examples, fit)\ndef examples(): return mnist.draw()\ndef fit(): ..."),
        ast.parse("def draw(): return own()\ndef own(): ...\ndef other(): return draw()"),
    ]

    assert reachable([(tree, None) for tree in trees]) == {"measure", "prepare", "examples", "fit", "draw", "own"}


RARE = """\
RARE = 3


def measure(arm, seeds, *, centre, spread):
    if spread > 9:
        spread = RARE
    return SCALE
"""


def test_a_constant_can_be_told_where_a_line_that_ran_reads_it(tmp_path):
    folder = load_claim(write_claim(tmp_path, experiment=f"SCALE = 2\n{RARE}"))
    plan = make_plan(folder, Options(profile="smoke"))
    everything = versions_of(plan)

    def constants(*ran):
        able = possible(plan, everything, {everything[0].file: ran})
        return {version.change.split()[2] for version in able if version.change.split()[1] == "top:"}

    assert constants(1, 2, 6, 7, 8) == {"SCALE", "RARE"}
    assert constants(1, 2, 6, 8) == {"SCALE"}
    # Imported, and nothing called.
    assert constants(1, 2) == set()


def version(number, operator):
    return Version("experiment.py", number, str(number), operator, "", range(0))


def test_a_sample_has_every_kind_and_is_chosen_by_its_generator():
    many = [version(number, "constant") for number in range(50)] + [version(50, "comparison"), version(51, "condition")]
    first, again, other = (sample(many, 6, np.random.default_rng(seed)) for seed in (0, 0, 1))

    assert Counter(one.operator for one in first) == {"constant": 4, "comparison": 1, "condition": 1}
    assert first == again != other
    assert (
        len(sample(many, 100, np.random.default_rng(0)))
        == len(many)
        == len(set(sample(many, 100, np.random.default_rng(0))))
    )
    assert sample([], 5, np.random.default_rng(0)) == []


def test_every_operator_makes_versions_of_some_program():
    text = """
def measure(a, b):
    a *= 0.5
    for i in range(3):
        a += abs(-a) + 1 if a < b and i else np.log(min(a, b))
        break
    return {"x": (a, b)[1:], "y": f(a, b, key=True), "z": g.permutation(3)}
"""
    made = {one.operator for one in mutations_of(text, "x.py", OPERATORS)}

    assert made == {operator.__name__ for operator in OPERATORS}
