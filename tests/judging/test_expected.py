"""What is expected of every expectation, and what came out otherwise."""

from __future__ import annotations

import itertools

import pytest

from harness.errors import SpecError
from harness.judging.expected import came_as_expected, expectations_expected, expected_of, problems_of
from harness.judging.verdict import INCONCLUSIVE, INVALID, NOT_RUN, REFUTED, VERIFIED, combine
from harness.report import claim_text
from harness.report.comparison_text import change_words
from harness.report.junit import junit
from harness.report.markdown import markdown
from harness.report.styled import plain
from harness.report.terminal import table
from harness.retrospect.compare import REGRESSION, compare
from harness.running.exit_code import exit_code
from harness.running.results import run_of
from harness.specification.readings import Reading
from harness.trials.catalogue import load_claim
from harness.trials.options import Options
from tests import specimen
from tests.reported import pages, saved_claim
from tests.specimen import claim
from tests.tiny_project import MACHINE, write_claim

ANY = {"contrast": {"mean": "error"}, "band": {"at_most": 0.1}, "because": "a reason", "no_control": "a test of words"}


def reading(expected=VERIFIED, members=(None,), decide="verdict"):
    """Return a reading whose expectations a, b, ... are expected so; None: nothing said."""
    each = {name: {**ANY, **({"expected": e} if e else {})} for name, e in zip("abcdef", members, strict=False)}
    return Reading.model_validate({"expected": expected, "because": "why", "decide": decide, "expectations": each})


@pytest.mark.parametrize(
    ("expected", "members", "found"),
    [
        (VERIFIED, (None, None), {"a": VERIFIED, "b": VERIFIED}),
        (REFUTED, (None,), {"a": REFUTED}),
        (INCONCLUSIVE, (None,), {"a": INCONCLUSIVE}),
        (REFUTED, (None, REFUTED), {"a": VERIFIED, "b": REFUTED}),
        (REFUTED, (INCONCLUSIVE, REFUTED), {"a": INCONCLUSIVE, "b": REFUTED}),
    ],
)
def test_an_expectation_is_expected_to_hold_unless_it_says_otherwise_or_is_alone(expected, members, found):
    assert expected_of(reading(expected, members)) == found


def problems(*args):
    return problems_of(claim(readings={"r": reading(*args).model_dump(exclude_none=True)}, controls={}))


@pytest.mark.parametrize(
    ("expected", "members"), list(itertools.product((VERIFIED, REFUTED, INCONCLUSIVE), itertools.product((None, VERIFIED, REFUTED, INCONCLUSIVE), repeat=2)))
)  # fmt: skip
def test_a_reading_expects_what_its_expectations_come_to(expected, members):
    consistent = combine(member or VERIFIED for member in members) == expected
    assert (problems(expected, members) == []) == consistent


@pytest.mark.parametrize("said", [VERIFIED, REFUTED])
def test_the_only_expectation_of_a_reading_cannot_be_expected_otherwise(said):
    assert problems(VERIFIED, (said,)) == [] or said == REFUTED
    assert bool(problems(REFUTED, (said,))) == (said == VERIFIED)


def test_a_reading_that_does_not_say_which_of_its_expectations_fails_is_refused_with_a_remedy(tmp_path):
    text = specimen.TEXT.replace(
        "  as_documented:\n", "  as_documented:\n    expected: REFUTED\n    because: a proof\n"
    )
    with pytest.raises(SpecError) as refused:
        load_claim(specimen.write(tmp_path, text))
    (line,) = refused.value.problems
    assert line.endswith(
        "claim.yaml:21:5: readings.as_documented.expected: is REFUTED, but its expectations together are expected VERIFIED; "
        "name those that are meant by `expected: REFUTED`"
    )


def test_a_reading_that_expects_less_than_its_expectations_is_refused_with_a_remedy():
    ((where, message),) = problems(VERIFIED, (None, REFUTED))
    assert where == ("readings", "r", "expected")
    assert message == (
        "is VERIFIED, but of b another verdict is expected; say `expected: REFUTED` here with a `because`, or take it out there"
    )


def test_every_reading_and_every_control_is_looked_at():
    bare = {name: value for name, value in ANY.items() if name != "no_control"}
    readings = {
        "sound": {"expectations": {"a": bare, "b": bare, "c": ANY}},
        "first": {"expectations": {"d": {**bare, "expected": REFUTED}}},
        "second": {"expectations": {"e": {**bare, "expected": REFUTED}, "f": ANY}},
    }
    breaks = {"one": ["a"], "two": ["b", "f"]}
    controls = {name: {"change": {"depth": 0}, "because": "why", "breaks": each} for name, each in breaks.items()}

    spec = claim(readings=readings, controls=controls)

    assert expectations_expected(spec) == {
        "a": VERIFIED,
        "b": VERIFIED,
        "c": VERIFIED,
        "d": REFUTED,
        "e": REFUTED,
        "f": VERIFIED,
    }
    assert [where for where, _ in problems_of(spec)] == [
        ("readings", "first", "expected"),
        ("readings", "second", "expected"),
        ("readings", "first", "expectations", "d"),
        ("readings", "second", "expectations", "e"),
        ("readings", "second", "expectations", "f", "no_control"),
    ]


@pytest.mark.parametrize(
    ("found", "decide", "came"),
    [
        ((REFUTED, VERIFIED), "verdict", (True, True)),
        ((REFUTED, REFUTED), "verdict", (True, False)),
        ((REFUTED, INCONCLUSIVE), "verdict", (True, None)),
        ((REFUTED, NOT_RUN), "verdict", (True, None)),
        ((REFUTED, INVALID), "verdict", (True, False)),
        ((INVALID, INCONCLUSIVE), "verdict", (False, None)),
        ((VERIFIED, VERIFIED), "verdict", (False, True)),
        ((INCONCLUSIVE, VERIFIED), "verdict", (False, True)),
        ((INCONCLUSIVE, INCONCLUSIVE), "verdict", (False, False)),
        ((REFUTED, INCONCLUSIVE), "all", (True, False)),
        ((REFUTED, VERIFIED), "all", (True, True)),
        ((NOT_RUN, NOT_RUN), "verdict", (False, False)),
    ],
)
def test_what_was_left_undecided_has_neither_passed_nor_failed(found, decide, came):
    spec = reading(REFUTED, (REFUTED, VERIFIED), decide)
    assert tuple(came_as_expected(spec, dict(zip("ab", found, strict=True))).values()) == came


def record(verdict, expected, members):
    """Return a record of a reading with its members' verdicts and whether they came as expected."""
    claim = saved_claim()
    reading = claim.readings["as_documented"]
    member = reading.expectations["warm_exceeds_cold"]
    each = {
        str(i): member.model_copy(update={"verdict": word, "as_expected": came})
        for i, (word, came) in enumerate(members)
    }
    came = verdict == expected and not [c for _, c in members if c is False]
    one = {"verdict": verdict, "expected": expected, "as_expected": came, "expectations": each}
    return claim.model_copy(update={"readings": {"r": reading.model_copy(update=one)}})


@pytest.mark.parametrize(
    ("verdict", "expected", "members", "code"),
    [
        (REFUTED, REFUTED, [(REFUTED, True), (VERIFIED, True)], 0),
        (REFUTED, REFUTED, [(REFUTED, True), (INCONCLUSIVE, None)], 0),
        (REFUTED, REFUTED, [(REFUTED, True), (REFUTED, False)], 1),
        (REFUTED, REFUTED, [(REFUTED, True), (INVALID, False)], 1),
        (REFUTED, REFUTED, [(REFUTED, True), (INCONCLUSIVE, False)], 3),
        (INCONCLUSIVE, REFUTED, [(INCONCLUSIVE, False), (VERIFIED, True)], 3),
        (INCONCLUSIVE, REFUTED, [(INCONCLUSIVE, False), (VERIFIED, False)], 1),
        (INVALID, REFUTED, [(REFUTED, True)], 1),
        (NOT_RUN, REFUTED, [(REFUTED, True)], 3),
    ],
)
def test_the_exit_code_hears_of_every_flip(verdict, expected, members, code):
    assert exit_code([record(verdict, expected, members)]) == code


# A reading of two: warm numbers do not exceed cold ones by half, but are around their centre of -1.

MEMBER = """        because: half of the documented gap
        expected: REFUTED
      warm_is_warm:
        contrast: {{mean: level, at: {{arm: warm}}}}
        band: {{{band}}}
        because: its centre, more or less
        no_control: the arm is what its centre is
"""
TURNED = {"change: {centre: 0.0}": "change: {centre: 2.0}\n    arms: [warm]"}


def two(root, band, *, expected=REFUTED, decide="", name="warm_exceeds_cold", replace=None):
    member = {"        because: half of the documented gap\n": MEMBER.format(band=band)}
    if decide:
        member["    expectations:\n"] = f"    decide: {decide}\n    expectations:\n"
    return write_claim(root, name, gap=-1.0, expected=expected, replace={**member, **TURNED, **(replace or {})})


def of(record):
    one = record.readings["as_documented"]
    return one, {name: (e.verdict, e.as_expected) for name, e in one.expectations.items()}


def test_an_expected_refutation_does_not_hide_that_another_expectation_flipped(tmp_path, run):
    found = run(two(tmp_path, "at_least: -0.5"))

    one, members = of(found)
    assert (one.verdict, one.as_expected, exit_code([found])) == (REFUTED, False, 1)
    assert members == {"warm_exceeds_cold": (REFUTED, True), "warm_is_warm": (REFUTED, False)}
    assert one.decided_by == "expectations.warm_is_warm"
    assert one.reason.startswith("warm_is_warm is REFUTED, expected VERIFIED: the interval [")


def test_all_as_expected_is_as_expected(tmp_path, run):
    found = run(two(tmp_path, "at_most: -0.5"))

    one, members = of(found)
    assert (one.verdict, one.as_expected, exit_code([found])) == (REFUTED, True, 0)
    assert members == {"warm_exceeds_cold": (REFUTED, True), "warm_is_warm": (VERIFIED, True)}


EDGE = "at_most: -1.0"
"""A band whose edge is where the truth is: undecided up to the cap."""


def test_a_reading_is_closed_by_a_refutation_and_says_what_it_left_undecided(tmp_path, run):
    one, members = of(run(two(tmp_path, EDGE)))

    assert (one.verdict, one.as_expected, one.decide) == (REFUTED, True, "verdict")
    assert members["warm_is_warm"] == (INCONCLUSIVE, None)
    assert one.expectations["warm_is_warm"].n == 6
    assert one.expectations["warm_is_warm"].reason.endswith("(`decide: all` samples on)")


def test_a_reading_of_which_every_member_is_wanted_samples_on(tmp_path, run):
    found = run(two(tmp_path, EDGE, decide="all"))

    one, members = of(found)
    assert (one.verdict, one.as_expected, one.decide) == (REFUTED, False, "all")
    assert members["warm_is_warm"] == (INCONCLUSIVE, False)
    assert one.expectations["warm_is_warm"].n == 12
    assert one.expectations["warm_exceeds_cold"].n == 6
    assert exit_code([found]) == 3


def test_a_forecast_of_such_a_reading_foresees_every_member(tmp_path, run):
    early = run(two(tmp_path, EDGE, name="early")).forecast["warm_is_warm"]
    whole = run(two(tmp_path, EDGE, decide="all", name="whole")).forecast["warm_is_warm"]

    assert early.seeds < 7
    assert whole.seeds > 11


@pytest.fixture
def reported(tmp_path, run, store):
    """Run a claim whose second expectation flips; return the run as reports see it."""
    store.start_run("run", Options().record(), MACHINE)
    run(two(tmp_path, "at_least: -0.5"))
    return run_of(store, "run")


FLIPPED = "warm_is_warm is REFUTED, expected VERIFIED"


def test_the_terminal_names_the_expectation_that_flipped(reported):
    lines = table(reported, 200)
    assert "  ✗ REFUTED      as_documented <- expected REFUTED, but see its expectations" in lines
    (line,) = [line for line in lines if line.startswith("      warm_is_warm:")]
    assert line.endswith("band at least -0.5 <- REFUTED, expected VERIFIED")
    assert "0 of 1 readings as expected; " in "".join(lines)


def test_markdown_names_the_expectation_that_flipped(reported):
    found = markdown(reported)
    assert f"REFUTED as expected, but of its expectations {FLIPPED}" in found.replace("\\", "")
    assert "✗ REFUTED (expected VERIFIED)" in found


def test_the_page_names_the_expectation_that_flipped(reported):
    found = "".join(pages(reported))
    assert f"REFUTED as expected, but of its expectations {FLIPPED}" in found
    assert "⚠ but not warm is warm" in found


def test_junit_names_the_expectation_that_flipped(reported):
    found = junit(reported)
    assert FLIPPED in found
    assert 'type="expectation"' in found
    assert '<property name="claim.expected.warm_exceeds_cold" value="REFUTED"' in found


def test_no_control_is_shown_where_a_reader_looks(reported):
    assert "no control, because the arm is what its centre is" in markdown(reported)
    assert "The arm is what its centre is." in "".join(pages(reported))
    (one,) = reported.claims
    assert one.readings["as_documented"].expectations["warm_is_warm"].no_control == "the arm is what its centre is"


def test_a_waiver_covers_a_flip(tmp_path, run):
    line = "timings: {training: [warm], inference: [warm]}\n"
    waiver = {line: f"{line}waiver: {{reason: being repaired, owner: somebody, expires: 9999-12-31}}\n"}
    found = run(two(tmp_path, "at_least: -0.5", replace=waiver))

    assert found.readings["as_documented"].waived
    assert exit_code([found]) == 0


def test_a_comparison_names_the_expectation_that_flipped_behind_the_same_verdict(tmp_path, run, store):
    runs = []
    for name, band in (("one", "at_most: -0.5"), ("two", "at_least: -0.5")):
        store.start_run(name, Options().record(), MACHINE)
        run(two(tmp_path, band), run_id=name)
        runs.append(run_of(store, name))

    (row,) = compare(*runs).verdicts

    assert row.change == REGRESSION
    assert change_words(row).startswith(
        f"REFUTED -> REFUTED, expected REFUTED; {REGRESSION} ({FLIPPED}: the interval ["
    )


def test_show_says_what_is_expected_of_each_and_why_there_is_no_control(tmp_path):
    folder = load_claim(two(tmp_path, "at_most: -0.5", decide="all"))

    shown = [plain(line) for line in claim_text.lines(folder, None, "a store", 100)]

    assert "reading as_documented, expected REFUTED, every expectation decided  not judged yet" in shown
    assert "  warm_exceeds_cold, expected REFUTED" in shown
    assert "  warm_is_warm" in shown
    assert "    no control, because the arm is what its centre is" in shown
