"""Every error of a file at once, each with place, field, value and remedy; and no input that crashes the loader."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from harness.errors import SpecError
from harness.judging.feasibility import problems_of
from harness.specification.document import Document
from harness.specification.models import Claim
from harness.specification.parsing import by_position, parse, suggestion
from harness.specification.yaml12 import read_yaml
from tests.fuzz.loading import LIMIT, one_problem, outcome_of, seconds_of
from tests.fuzz.specs import mutate, places
from tests.specimen import TEXT, sound

WRONG = """\
id: Bad
title: x
statment: hello
strength: scaled
arms: {a: {lr: {x: 1}, l: [1, {y: 2}], z: .inf}}
metrics:
  m: {unit: u, better: lower, resolution: -1, bounds: [1, 0]}
  n: 5
  k: {unit: u, better: lower, bounds: [x]}
readings:
  contrast:
    expectations:
      e: {contrast: {mean: m, foo: 1, at: {arm: {b: 1}}}, band: {at_most: 1, at_least: 2}, because: abc}
      f: {contrast: 5, band: {between: [2, 1]}, because: ab, alpha: 0}
      g: {contrast: {diference: m}, band: {at_most: .nan}, because: abcd}
      h: {contrast: {difference: m, of: {arm: [1, {}]}}, because: abcd}
profiles: {quick: {seeds: {first: 9, cap: 3}}, Smoke: {seeds: 0}, q: {}, t: {seeds: 3, mean: {}}}
conditions: {w: [], v: {values: [1], togther: true}, u: [null], s: [2, 2]}
source: {document: d, section: 2}
"""
PLAIN = "a valid boolean, a valid integer, a valid number, a valid string"
KINDS = "mean, median, quantile, rate, difference, ratio, interaction, linear, slope, loglog_slope, rank_trend, exact"
PROBLEMS = f"""\
1:1: id: should match ^[a-z][a-z0-9_]{{0,79}}$, not 'Bad'
1:1: statement: is missing; add it (what is claimed, in our own words)
1:1: does_not_show: is missing; add it (what a reader must not conclude)
1:1: controls: is missing; add it (every expectation is broken by one, or says `no_control: why`)
2:1: title: string should have at least 3 characters, not 'x'
3:1: statment: unknown key 'statment'; did you mean 'statement'?
4:1: strength: should be 'same_setting', 'scaled_down' or 'analogue', not 'scaled'
5:12: arms.a.lr: should be a valid boolean, a valid integer, a valid number, a valid string or a valid list, not {{'x': 1}}
5:31: arms.a.l[1]: should be a valid boolean, a valid integer, a valid number or a valid string, not {{'y': 2}}
5:40: arms.a.z: should be a valid boolean, a valid integer, a finite number, a valid string or a valid list, not inf
7:31: metrics.m.resolution: should be greater than 0 or a valid string, not -1
8:3: metrics.n: should be a mapping, `name: value`, not 5
9:40: metrics.k.bounds[0]: should be a valid number, not 'x'
13:31: readings.contrast.expectations.e.contrast.foo: unknown key 'foo'; known here: at, mean
13:44: readings.contrast.expectations.e.contrast.at.arm: should be {PLAIN} or a valid list, not {{'b': 1}}
13:59: readings.contrast.expectations.e.band: give exactly one of at_most, at_least, between, not {{'at_most': 1, 'at_least': 2}}
14:11: readings.contrast.expectations.f.contrast: names no kind of contrast; give one of {KINDS}
14:24: readings.contrast.expectations.f.band: between needs a lower end below its upper end, not {{'between': [2, 1]}}
14:49: readings.contrast.expectations.f.because: string should have at least 3 characters, not 'ab'
14:62: readings.contrast.expectations.f.alpha: should be greater than 0, not 0
15:11: readings.contrast.expectations.g.contrast: names no kind of contrast; give one of {KINDS}
15:44: readings.contrast.expectations.g.band.at_most: should be a finite number, not nan
16:7: readings.contrast.expectations.h.band: is missing; add it (the values it may have)
16:11: readings.contrast.expectations.h.contrast.minus: is missing; add it
16:51: readings.contrast.expectations.h.contrast.of.arm[1]: should be a valid boolean, a valid integer, a valid number or a valid string, not {{}}
17:20: profiles.quick.seeds: first (9) is above cap (3), not {{'first': 9, 'cap': 3}}
17:48: profiles.Smoke: should match ^[a-z][a-z0-9_]{{0,79}}$, not 'Smoke'
17:56: profiles.Smoke.seeds: should be greater than or equal to 1, not 0
17:67: profiles.q.seeds: is missing; add it (a number, or {{first, step, cap}}; of results `all`)
17:88: profiles.t.mean: should be {PLAIN} or a valid list, not {{}}
18:14: conditions.w: should have at least 1 item, not []
18:38: conditions.v.togther: unknown key 'togther'; did you mean 'together'?
18:58: conditions.u[0]: should be a valid boolean, a valid integer, a valid number or a valid string, not None
18:65: conditions.s: a condition takes each value once, not [2, 2]
19:23: source.section: should be a valid string, not 2
"""


@pytest.fixture
def problems(tmp_path):
    """Return the problems of a text, the path of the file cut off."""

    def problems_of_text(text, model=Claim):
        path = tmp_path / "claim.yaml"
        path.write_text(text)
        with pytest.raises(SpecError) as caught:
            parse(model, read_yaml(path))
        assert str(caught.value) == "\n".join(caught.value.problems)
        return [problem.removeprefix(f"{path}:") for problem in caught.value.problems]

    return problems_of_text


def test_a_sound_file_becomes_a_claim(tmp_path):
    path = tmp_path / "claim.yaml"
    path.write_text(TEXT)
    assert parse(Claim, read_yaml(path)) == Claim.model_validate(sound())


def test_every_error_of_a_file_comes_at_once_in_the_order_of_the_file(problems):
    assert problems(WRONG) == PROBLEMS.splitlines()


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "bounds: [0, 1]",
            "bounds: [1, 0]",
            "16:3: metrics.error: the lower bound (1) must be below the upper (0), not {'unit': 'fraction', 'better': 'lower', 'bounds': [1, 0],...",
        ),
        (
            "bounds: [0, 1]",
            "bounds: [0, 1, 2]",
            "16:42: metrics.error.bounds: should have at most 2 items, not [0, 1, 2]",
        ),
        ("seeds: 2", "seeds: two", "69:11: profiles.smoke.seeds: should be a mapping, `name: value`, not 'two'"),
        ("cap: 24", "cap: 24, stop: 3", "70:47: profiles.quick.seeds.stop: unknown key 'stop'; did you mean 'step'?"),
        (
            "expected: REFUTED",
            "expected: FALSE",
            "56:5: readings.as_published.expected: should be 'VERIFIED', 'REFUTED' or 'INCONCLUSIVE', not False",
        ),
        (
            "timings: {training: [net]}",
            "timings: [net]",
            "71:1: timings: should be a mapping, `name: value`, not ['net']",
        ),
        (
            "mean: error, at",
            "mean: error, ratio: error, at",
            "23:33: readings.as_documented.expectations.low_error.contrast.ratio: unknown key 'ratio'; known here: at, mean",
        ),
    ],
)
def test_one_error_gives_one_line(problems, old, new, problem):
    assert TEXT.count(old) == 1
    assert problems(TEXT.replace(old, new)) == [problem]


@pytest.mark.parametrize(("text", "value"), [("7", "7"), ("[1]", "[1]"), ("~", "None"), ("text", "'text'")])
def test_a_file_that_is_no_mapping_is_refused(problems, text, value):
    assert problems(text) == [f"1:1: (file): should be a mapping, `name: value`, not {value}"]


def test_documents_are_validated_alike(problems):
    assert problems("id: notes\ntitle: Notes\nauthors: nobody\nyear: soon\n", Document) == [
        "1:1: summary: is missing; add it (what it is, in our own words)",
        "4:1: year: should be a valid integer, not 'soon'",
    ]


@pytest.mark.parametrize(
    ("word", "known", "text"),
    [
        ("widht", ["width", "scene"], "did you mean 'width'?"),
        ("x", ["width", "scene"], "known here: scene, width"),
        ("x", [], "known here: nothing"),
        (
            "x",
            [f"n{i:02}" for i in range(22)],
            "known here: " + ", ".join(f"n{i:02}" for i in range(20)) + ", and 2 more",
        ),
        ("claim_4321x", [f"claim_{i}" for i in range(5000)], "did you mean 'claim_4321'?"),
        ("x" * 100, ["x" * 99], f"known here: {'x' * 79}…"),
    ],
)
def test_a_suggestion_is_the_nearest_word_or_all_there_are(word, known, text):
    assert suggestion(word, known) == text


def test_problems_are_sorted_by_line_and_column_as_numbers():
    assert by_position(["f:10:1: a: x", "f:9:10: b: y", "f:9:9: c: z"]) == [
        "f:9:9: c: z",
        "f:9:10: b: y",
        "f:10:1: a: x",
    ]


def test_a_path_with_a_colon_in_it_does_not_disturb_the_order():
    assert by_position(["a: b/f:2:1: a: x", "a: b/f:1:1: b: y"]) == ["a: b/f:1:1: b: y", "a: b/f:2:1: a: x"]


# From here on: whatever is done to a sound claim, it loads or is refused in words.

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from(
        [0, -1, 2**62, 1e308, -1e308, 5e-324, float("nan"), float("inf"), "", "net", "error", "1/n_test", "take", "arm"]
    ),
    st.text(max_size=8),
    st.lists(st.one_of(st.integers(-3, 3), st.text(max_size=3), st.floats()), max_size=4),
    st.dictionaries(st.sampled_from(["arm", "mean", "take", "values", "x", "seeds"]), st.integers(-1, 4), max_size=3),
)


PLACES = [place for place in places(sound()) if place]


def load(text, folder):
    """Load a claim as `load_claim` does, up to the names of folders."""
    path = folder / "claim.yaml"
    path.write_text(text, errors="surrogatepass", newline="")
    file = read_yaml(path)
    problems = [file.problem(*problem) for problem in problems_of(parse(Claim, file))]
    if problems:
        raise SpecError(problems)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


def check(text, folder):
    outcome = outcome_of(lambda: load(text, folder), SpecError, one_problem)
    assert not outcome.wrong, outcome


FUZZ = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


@FUZZ
@given(
    st.lists(
        st.tuples(st.sampled_from(PLACES), st.sampled_from(["replace", "drop", "rename", "add"]), ODD),
        min_size=1,
        max_size=3,
    )
)
@example([(("conditions", "width"), "replace", [1e308, -1e308, 5e-324])])
@example([(("conditions", "width"), "replace", [0, 1, 2])])
@example([(("conditions", "width"), "replace", [True, 2, 4])])
@example([(("settings", "n_test"), "replace", 5e-324)])
@example([(("metrics", "error", "bounds"), "replace", [-1e308, 1e308])])
@example([(("metrics", "error", "resolution"), "replace", 1e308)])
def test_any_mutation_of_a_sound_claim_loads_or_is_refused_in_words(folder, changes):
    value = copy.deepcopy(sound())
    for place, change, odd in changes:
        mutate(value, place, change, odd)
    check(yaml.safe_dump(value, allow_unicode=True), folder)


@FUZZ
@given(
    st.integers(0, len(TEXT)),
    st.integers(0, 12),
    st.text(max_size=6),
    st.sampled_from(["", "&a ", "*a", "!!int ", "? ", "[", "{", "|", "\t", "\r", "#", ": "]),
)
def test_any_mutation_of_the_text_loads_or_is_refused_in_words(folder, start, length, inserted, sign):
    text = TEXT[:start] + sign + inserted.encode("utf-8", "replace").decode() + TEXT[start + length :]
    check(text, folder)


def test_the_claims_of_this_project_load_quickly():
    for path in sorted(Path(__file__).parents[2].glob("claims/*/*/claim.yaml")):
        assert seconds_of(lambda path=path: parse(Claim, read_yaml(path))) < LIMIT
