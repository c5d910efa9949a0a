"""One place says what became of a control, and of a reading with it: every combination, tried."""

from __future__ import annotations

import itertools

import pytest

from harness.judging.controls import (
    BEHAVES,
    CUT,
    DID_NOT_BREAK,
    FAILED,
    NOT_JUDGED,
    ControlState,
    Tried,
    headline,
    state_of,
)
from harness.judging.verdict import INCONCLUSIVE, INVALID, NOT_RUN, REFUTED, VERIFIED, combine
from harness.running import measuring
from harness.running.exit_code import exit_code
from harness.running.time_budget import Budget
from tests.tiny_project import EXPERIMENT, write_claim

VERDICTS = (VERIFIED, REFUTED, INCONCLUSIVE, INVALID, NOT_RUN)


def tried(verdict, expected=VERIFIED, *, enough=True, name="e"):
    return Tried(name, verdict, f"because of {verdict}", expected, enough)


@pytest.mark.parametrize("expected", [VERIFIED, REFUTED, INCONCLUSIVE])
@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_control_behaves_if_it_was_measured_and_did_not_come_out_as_expected(verdict, expected):
    found = state_of([tried(verdict, expected)])
    measured = verdict in (VERIFIED, REFUTED, INCONCLUSIVE)
    assert found.behaves == (measured and verdict != expected)
    assert found.finished == (verdict != NOT_RUN)
    assert bool(found.reason) == (not found.behaves)


def test_what_may_become_of_a_control_has_an_order():
    ranks = [FAILED, DID_NOT_BREAK, NOT_JUDGED, CUT, BEHAVES]
    assert ranks == sorted(set(ranks))


def test_of_several_of_a_kind_the_first_is_told_with_its_reason():
    for verdict, words in ((NOT_RUN, "was not run to its end (a: one)"), (INVALID, "cannot be judged: a: one")):
        both = [Tried(name, verdict, reason, VERIFIED, enough=True) for name, reason in (("a", "one"), ("b", "two"))]
        assert state_of(both).reason == words
    both = [Tried(name, VERIFIED, reason, VERIFIED, enough=True) for name, reason in (("a", "one"), ("b", "two"))]
    assert (
        state_of(both).reason
        == "did not break what it must break: a is VERIFIED all the same, one; b is VERIFIED all the same, two"
    )


def test_what_nobody_cut_off_has_its_own_reason_alone():
    assert state_of([tried(NOT_RUN)]).reason == "was not run to its end (e: because of NOT_RUN)"


EACH = [tried(verdict, enough=enough) for verdict in VERDICTS for enough in (True, False)]


@pytest.mark.parametrize(("one", "other"), list(itertools.product(EACH, EACH)))
@pytest.mark.parametrize("errors", [(), ("seed 3: OSError", "seed 4: OSError")])
def test_of_several_causes_the_gravest_is_told(one, other, errors):
    """The order of exit codes: failed trials are 4, what did not break or cannot be judged is 1, what was cut off is 3."""
    found = state_of([one, other], errors, "the time was up")
    lacks = [e.verdict == NOT_RUN or not e.enough for e in (one, other)]
    broken = [INVALID in e.verdict for e in (one, other)]
    same = [e.verdict == VERIFIED and e.enough for e in (one, other)]
    if errors and any((*lacks, *broken)):
        assert found == ControlState(FAILED, "trials failed: seed 3: OSError (and 1 more)")
    elif any(same):
        assert found.rank == DID_NOT_BREAK
        assert found.reason.startswith(
            "did not break what it must break: e is VERIFIED all the same, because of VERIFIED"
        )
    elif any(broken):
        assert found == ControlState(NOT_JUDGED, "cannot be judged: e: because of INVALID")
    elif any(lacks):
        assert found.rank == CUT
        assert found.reason.endswith("; the time was up)")
    else:
        assert found == ControlState(BEHAVES)


STATES = {
    FAILED: (ControlState(FAILED, "trials failed: OSError"), INVALID, "trials of control c failed: OSError"),
    DID_NOT_BREAK: (ControlState(DID_NOT_BREAK, "did not break it"), INVALID, "control c did not break it"),
    NOT_JUDGED: (ControlState(NOT_JUDGED, "cannot be judged"), INVALID, "control c cannot be judged"),
    CUT: (
        ControlState(CUT, "was not run to its end (time)"),
        NOT_RUN,
        "control c was not run to its end (time), and without it there is no verdict",
    ),
    BEHAVES: (ControlState(BEHAVES), None, None),
}


@pytest.mark.parametrize(("verdict", "rank", "other"), list(itertools.product(VERDICTS, STATES, STATES)))
def test_a_reading_has_its_own_cause_first_and_then_the_gravest_of_its_controls(verdict, rank, other):
    controls = {"another": STATES[other][0], "c": STATES[rank][0]} if other > rank else {"c": STATES[rank][0]}
    found = headline([tried(verdict)], controls)
    own = (verdict, f"because of {verdict}", "expectations.e")
    _, turned, reason = STATES[rank]
    expected = own if verdict in (INVALID, NOT_RUN) or turned is None else (turned, reason, "controls.c")
    assert (found.verdict, found.reason, found.by) == expected


def test_failed_trials_of_the_claim_itself_are_told_before_all_else():
    found = headline([tried(INVALID)], {"c": STATES[DID_NOT_BREAK][0]}, errors=["seed 0: OSError"])
    assert (found.verdict, found.reason) == (INVALID, "trials failed: seed 0: OSError")


@pytest.mark.parametrize(
    ("verdict", "said"), [(INCONCLUSIVE, True), (NOT_RUN, True), (VERIFIED, False), (REFUTED, False)]
)
def test_what_was_cut_off_says_why(verdict, said):
    found = headline([tried(verdict)], {}, lack="the time was up")
    assert (found.verdict, found.reason.endswith("; the time was up")) == (verdict, said)


@pytest.mark.parametrize("verdict", [VERIFIED, REFUTED, INCONCLUSIVE, NOT_RUN])
def test_failed_trials_that_a_reading_does_not_rest_on_are_not_its_headline(verdict):
    found = headline([tried(verdict)], {}, errors=["seed 0: OSError"])
    assert (found.verdict, found.reason) == (verdict, f"because of {verdict}")


def test_of_several_expectations_the_one_that_decided_is_named():
    members = [tried(VERIFIED, name="a"), tried(REFUTED, name="b"), tried(REFUTED, REFUTED, name="c")]
    found = headline(members, {}, flipped=["b"])
    assert (found.verdict, found.by) == (REFUTED, "expectations.b")
    assert found.reason == "b is REFUTED, expected VERIFIED: because of REFUTED"
    assert headline(members, {}).by == "expectations.b"
    assert headline(members[:2], {}, flipped=["b"]).reason == "b: because of REFUTED"


def test_of_several_that_flipped_behind_the_expected_verdict_the_first_is_named():
    members = [
        tried(REFUTED, REFUTED, name="a"),
        tried(VERIFIED, REFUTED, name="b"),
        tried(REFUTED, VERIFIED, name="c"),
    ]
    assert headline(members, {}, flipped=["b", "c"]).by == "expectations.b"


def test_an_expectation_that_flipped_is_named_before_one_that_came_out_alike():
    # Expected: a holds, b does not. Both hold.
    members = [tried(VERIFIED, name="a"), tried(VERIFIED, REFUTED, name="b")]
    assert headline(members, {}, flipped=["b"]).by == "expectations.b"
    assert combine(member.verdict for member in members) == VERIFIED


def reading(record):
    return record.readings["as_documented"]


FAILS = "return {", "if arm == 'warm' and centre == {centre}:\n        raise OSError('disk')\n    return {"


def failing(centre):
    old, new = FAILS
    return EXPERIMENT.replace(old, new.replace("{centre}", centre))


def test_trials_of_a_control_that_failed_are_the_headline(tmp_path, run):
    record = run(write_claim(tmp_path, experiment=failing("0")))

    assert (reading(record).verdict, exit_code([record])) == (INVALID, 4)
    assert reading(record).reason == f"trials of control same_centre failed: {record.errors[0]} (and 5 more)"
    assert reading(record).decided_by == "controls.same_centre"
    assert record.controls["same_centre"].reason.startswith("trials failed: seed 0 at arm=warm")


def test_trials_of_the_claim_that_failed_are_the_headline_whatever_became_of_its_control(tmp_path, run):
    record = run(write_claim(tmp_path, experiment=failing("1.0")))

    assert (reading(record).verdict, exit_code([record])) == (INVALID, 4)
    assert reading(record).reason == f"trials failed: {record.errors[0]} (and 5 more)"
    assert not record.controls["same_centre"].finished or record.controls["same_centre"].behaves


NOTHING = "no seed has all the trials that this contrast needs; the time was up"
CUT_OFF = (
    f"control same_centre was not run to its end (warm_exceeds_cold: {NOTHING}), and without it there is no verdict"
)


@pytest.mark.parametrize(("allowed", "words"), [(0, NOTHING), (1, CUT_OFF)])
def test_lack_of_time_is_the_headline(tmp_path, run, monkeypatch, allowed, words):
    calls = iter([True] * allowed)
    monkeypatch.setattr(measuring, "in_time", lambda *_: next(calls, False))

    record = run(write_claim(tmp_path))

    assert (reading(record).verdict, reading(record).reason, exit_code([record])) == (NOT_RUN, words, 3)


def test_an_undecided_claim_that_was_cut_off_says_so(tmp_path, run, monkeypatch):
    calls = iter([True])
    monkeypatch.setattr(measuring, "in_time", lambda *_: next(calls, False))

    record = run(write_claim(tmp_path, gap=0.5))

    assert reading(record).expectations["warm_exceeds_cold"].verdict == INCONCLUSIVE
    assert "the time was up" in reading(record).reason


def test_a_run_that_was_stopped_says_so():
    assert Budget(stopped=True).lack == "the run was stopped"
    assert Budget(deadline=0.0).lack == "the time was up"
