"""The error budget of a run: Holm's procedure, and what it does to verdicts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.running.error_budget import FAMILY_WISE, adjust, adjusted
from tests.reported import read_saved, saved_claim

P = st.lists(st.floats(0, 1), max_size=12)


def test_adjusted_p_by_hand():
    # Sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, never falling.
    assert adjusted([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])


@given(P)
def test_an_adjusted_p_is_no_smaller_than_the_plain_one_and_keeps_the_order(p):
    after = adjusted(p)
    assert all(plain <= new <= 1.0 for plain, new in zip(p, after, strict=True))
    assert [after[i] for i in sorted(range(len(p)), key=lambda i: p[i])] == sorted(after)


@given(P, st.floats(0.001, 0.5))
def test_rejected_at_a_rate_is_what_holms_steps_reject(p, rate):
    order = sorted(range(len(p)), key=lambda i: p[i])
    rejected = set()
    for rank, i in enumerate(order):
        if (len(p) - rank) * p[i] > rate:
            break
        rejected.add(i)
    assert {i for i, value in enumerate(adjusted(p)) if value <= rate} == rejected


PROBLEM = read_saved().problems[0]
SAVED_CLAIM = saved_claim()
SAVED_READING = SAVED_CLAIM.readings["as_documented"]
SAVED_EXPECTATION = SAVED_READING.expectations["warm_exceeds_cold"]


def expectation(verdict, p, exact=False, alpha=0.001, shape=None):
    found = {"verdict": verdict, "p": p, "exact": exact, "alpha": alpha, "shape": shape}
    return SAVED_EXPECTATION.model_copy(update={**found, "adjusted_p": None, "adjusted_verdict": None})


def claim(*expectations, verdict="VERIFIED", controls=()):
    named = {f"e{i}": e for i, e in enumerate(expectations)}
    reading = SAVED_READING.model_copy(update={"verdict": verdict, "expectations": named, "adjusted_verdict": None})
    control = SAVED_CLAIM.controls["same_centre"]
    under = {f"c{i}": control.model_copy(update={"expectations": {"e": e}}) for i, e in enumerate(controls)}
    return SAVED_CLAIM.model_copy(update={"readings": {"r": reading}, "controls": under})


def adjusted_reading(record):
    """Return the one reading of a claim after the adjustment of a run of this claim alone."""
    (found,), _ = adjust([record])
    return found.readings["r"]


def test_expected_false_verdicts_are_the_sum_of_the_error_rates():
    controls = [expectation("REFUTED", 1e-9, alpha=0.02), expectation("REFUTED", None, exact=True)]
    claims = [
        claim(expectation("VERIFIED", 1e-9), expectation("VERIFIED", 1e-9, alpha=0.01), controls=controls),
        claim(expectation("VERIFIED", None, exact=True)),
        PROBLEM,
    ]

    after, budget = adjust(claims)

    assert budget.expectations == 2
    assert budget.expected_false_verdicts == pytest.approx(0.011)
    assert budget.expected_false_controls == pytest.approx(0.02)
    assert budget.lost_after_holm == 0
    assert after[2] == PROBLEM


def shaped(shape, verdict="VERIFIED", p=1e-9):
    return expectation(verdict, p, shape=shape)


def test_what_does_not_look_as_its_error_rate_takes_for_granted_is_left_out_and_counted():
    record = claim(
        shaped("not_normal"),
        shaped("two_values"),
        shaped("constant"),
        shaped(None),
        controls=[shaped("two_values"), shaped("constant", "REFUTED")],
    )

    _, budget = adjust([record])

    assert (budget.expectations, budget.without_bound, budget.by_resolution) == (2, 2, 1)
    assert budget.expected_false_verdicts == pytest.approx(0.002)
    assert budget.expected_false_controls == pytest.approx(0.001)


def test_a_verdict_without_a_bound_is_not_adjusted_and_does_not_weaken_the_others():
    reading = adjusted_reading(claim(shaped("not_normal", p=1e-9), shaped(None, p=0.04)))
    marked, sound = reading.expectations.values()
    assert (marked.adjusted_p, marked.adjusted_verdict) == (None, None)
    assert sound.adjusted_p == pytest.approx(0.04)
    assert reading.adjusted_verdict == "VERIFIED"


def test_a_verdict_that_is_too_weak_for_the_whole_run_is_not_decided_after_the_adjustment():
    weak = claim(expectation("VERIFIED", 0.9e-3), expectation("VERIFIED", 1e-9))
    crowd = claim(*(expectation("INCONCLUSIVE", None) for _ in range(58)), verdict="INCONCLUSIVE")

    (after, _), budget = adjust([weak, crowd])

    # 59 expectations are not decided before it: 59 times 0.0009 is above 0.05.
    reading = after.readings["r"]
    assert reading.expectations["e0"].adjusted_p == pytest.approx(59 * 0.9e-3)
    assert reading.expectations["e0"].adjusted_verdict == "INCONCLUSIVE"
    assert reading.expectations["e1"].adjusted_verdict == "VERIFIED"
    assert (reading.verdict, reading.adjusted_verdict) == ("VERIFIED", "INCONCLUSIVE")
    assert budget.lost_after_holm == 1


def test_a_verdict_on_the_family_wise_rate_stands():
    record = claim(expectation("REFUTED", FAMILY_WISE), verdict="REFUTED")
    assert adjusted_reading(record).adjusted_verdict == "REFUTED"


@pytest.mark.parametrize("verdict", ["INVALID", "NOT_RUN"])
def test_what_a_control_has_spoilt_stays_so(verdict):
    record = claim(expectation("VERIFIED", 1e-9), verdict=verdict)
    assert adjusted_reading(record).adjusted_verdict == verdict


def test_exact_expectations_keep_their_verdict_and_are_no_part_of_the_family():
    (after,), budget = adjust([claim(expectation("REFUTED", None, exact=True), verdict="REFUTED")])
    assert budget.expectations == 0
    assert after.readings["r"].adjusted_verdict == "REFUTED"


def test_a_run_of_nothing_has_no_budget_to_spend():
    assert adjust([])[1].expected_false_verdicts == 0
