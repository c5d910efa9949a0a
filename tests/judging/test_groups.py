"""Two groups that have nothing in common: their interval against Student's law, Welch's statistic and the judge."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t, ttest_ind

from harness.judging import caps, contrasts, ranges, student
from harness.judging.groups import Groups, quantile, tails
from harness.judging.normality import shape
from harness.judging.simulation import Rule, decide
from harness.judging.verdict import judge
from harness.specification.models import SeedPlan
from tests.specimen import claim_with, point

OURS = [12.0, 13.5, 12.5, 14.0, 13.0, 12.2]
THEIRS = [15.0, 16.5, 15.2, 17.0, 14.8, 15.9, 16.1, 15.5, 16.8, 15.1]
NET, SVM = {"arm": "net", "width": 4, "scene": "plain"}, {"arm": "svm", "width": 4, "scene": "plain"}
DIFFERENCE = {"difference": "loss", "of": SVM, "minus": NET}
PLAN = SeedPlan(first=6, cap=6)


def claim_of(contrast, band, **expectation):
    """Return the sound claim about groups of rows, with one expectation."""
    results = {"files": "runs.csv", "pairing": "none"}
    return claim_with(contrast, band, results=results, expectation=expectation)


def trials_of(ours, theirs, metric="loss"):
    groups = {point("net"): ours, point("svm"): theirs}
    return {where: {seed: {metric: value} for seed, value in enumerate(row)} for where, row in groups.items()}


def judged(contrast, band, ours=OURS, theirs=THEIRS, metric="loss", **expectation):
    claim = claim_of(contrast, band, **expectation)
    return judge(claim.expectations["e"], claim, trials_of(ours, theirs, metric), {"n_test": 200}, PLAN)


# ---- Student's law ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("freedom", [1, 2, 3, 5, 19, 100, 5000])
def test_tails_and_quantiles_are_those_of_students_law(freedom):
    for value in (1e-3, 0.5, 1, 2, 5, 40, 1e4):
        assert tails(freedom, value**2) == pytest.approx(2 * t.sf(value, freedom), rel=1e-9, abs=1e-300)
    for alpha in (0.2, 0.05, 0.001, 1e-6):
        assert quantile(freedom, alpha) == pytest.approx(t.isf(alpha / 2, freedom), rel=1e-9)
    assert tails(freedom, 0.0) == 1


# ---- many at once ----------------------------------------------------------------------------------------------------


def test_many_runs_at_once_have_the_intervals_of_each_with_an_error_of_its_own():
    rows = np.array([OURS, [2 * value for value in OURS]])
    lows, highs = Groups(np.array([0.0, 4.0])).ends(rows, 0.01)
    for row, error, low, high in zip(rows, (0.0, 4.0), lows, highs, strict=True):
        reach = t.isf(0.005, 5) * math.sqrt(row.var(ddof=1) / 6 + error)
        assert (low, high) == pytest.approx((row.mean() - reach, row.mean() + reach))
        found = Groups(error).interval(row, 0.01)
        assert (found.low, found.high, found.n) == pytest.approx((low, high, 6))


def test_an_interval_keeps_within_the_bounds_and_is_no_narrower_than_the_floor_makes_it():
    rows = np.array([OURS])
    (low,), (high,) = Groups().ends(rows, 0.01, 3.0)
    assert high - low == pytest.approx(2 * t.isf(0.005, 5) * 3.0 / math.sqrt(6))
    assert Groups().ends(rows, 0.01, 3.0, (10.0, 14.0)) == (pytest.approx([10.0]), pytest.approx([14.0]))


def test_one_run_has_no_interval_and_two_have():
    lows, highs = Groups().ends(np.ones((3, 1)), 0.01, 0.0, (-1.0, 2.0))
    assert (lows.tolist(), highs.tolist()) == ([-1.0] * 3, [2.0] * 3)
    assert Groups().interval([1.0, 2.0], 0.2).high < math.inf
    assert [Groups().can_end(n, 0.001, (0.0, math.inf), student.UNBOUNDED) for n in (1, 2)] == [
        (False, False),
        (True, True),
    ]


# ---- the judge -------------------------------------------------------------------------------------------------------


def test_the_interval_is_welchs_with_the_smaller_groups_degrees_of_freedom_whichever_that_is():
    error = math.sqrt(np.var(OURS, ddof=1) / 6 + np.var(THEIRS, ddof=1) / 10)
    reach = t.isf(0.0005, 5) * error
    middle = np.mean(THEIRS) - np.mean(OURS)
    for contrast, sign in ((DIFFERENCE, 1), ({**DIFFERENCE, "of": NET, "minus": SVM}, -1)):
        found = judged(contrast, {"at_least": -99})
        assert found.verdict == "VERIFIED"
        assert (found.estimate, found.n) == (pytest.approx(sign * middle), 6)
        assert sorted([sign * found.low, sign * found.high]) == pytest.approx([middle - reach, middle + reach])
        assert list(found.values.values()) == pytest.approx([sign * (np.mean(THEIRS) - value) for value in OURS])


def test_a_p_value_is_the_smallest_alpha_that_still_decides():
    found = judged(DIFFERENCE, {"at_least": 0.5}, alpha=0.1)
    statistic = ttest_ind(THEIRS, [value + 0.5 for value in OURS], equal_var=False).statistic
    assert found.p == pytest.approx(2 * t.sf(statistic, 5))
    assert judged(DIFFERENCE, {"at_least": 0.5}, alpha=found.p * 1.001).verdict == "VERIFIED"
    assert judged(DIFFERENCE, {"at_least": 0.5}, alpha=found.p * 0.999).verdict == "INCONCLUSIVE"


def test_a_p_value_counts_the_floor_where_rows_are_more_alike():
    for floor, spread in ((0.0, np.std(OURS, ddof=1)), (3.0, 3.0)):
        distance = (np.mean(OURS) - 10) / math.sqrt(spread**2 / 6 + 0.5)
        for upper in (True, False):
            assert Groups(0.5).p(np.array(OURS), 10.0, floor, upper=upper) == pytest.approx(2 * t.sf(distance, 5))


def test_rows_in_another_order_say_the_same():
    one, other = judged(DIFFERENCE, {"at_least": 0.5}), judged(DIFFERENCE, {"at_least": 0.5}, OURS[::-1], THEIRS[::-1])
    assert (one.low, one.high) == pytest.approx((other.low, other.high))


def test_of_groups_of_one_size_the_first_is_shown_against_the_mean_of_the_second():
    found = judged(DIFFERENCE, {"at_least": 0}, OURS, THEIRS[:6])
    assert list(found.values.values()) == pytest.approx([value - np.mean(OURS) for value in THEIRS[:6]])


def test_a_ratio_is_judged_on_the_log_scale():
    found = judged({"ratio": "loss", "of": SVM, "to": NET}, {"at_least": 0.1})
    logs = [np.log(OURS), np.log(THEIRS)]
    error = math.sqrt(np.var(logs[0], ddof=1) / 6 + np.var(logs[1], ddof=1) / 10)
    middle, reach = logs[1].mean() - logs[0].mean(), t.isf(0.0005, 5) * error
    assert (found.low, found.estimate, found.high) == pytest.approx(
        (math.exp(middle - reach), math.exp(middle), math.exp(middle + reach))
    )


@pytest.mark.parametrize(
    ("ours", "theirs"), [(OURS, [*THEIRS, -1.0]), ([*OURS, 0.0], THEIRS), ([*OURS, 0.0], [*THEIRS, -1.0])]
)
def test_no_ratio_of_what_is_not_positive(ours, theirs):
    found = judged({"ratio": "loss", "of": SVM, "to": NET}, {"at_least": 0.1}, ours, theirs)
    assert found.verdict == "INVALID"
    assert "a ratio needs positive values" in found.reason


def test_what_is_wrong_with_any_row_of_the_larger_group_is_a_problem():
    found = judged(DIFFERENCE, {"at_least": 0.5}, OURS, [*THEIRS, math.nan])
    assert (found.verdict, found.reason) == ("INVALID", "seed 10 at arm=svm, scene=plain, width=4: loss is nan")


def test_a_resolution_puts_a_floor_under_either_groups_spread():
    contrast = {"difference": "error", "of": SVM, "minus": NET}
    found = judged(contrast, {"at_least": 0.05}, [0.1] * 5 + [0.105], [0.4] * 20, "error")
    floor = 0.005 / math.sqrt(12)
    own = max(np.std([0.1] * 5 + [0.105], ddof=1), floor)
    reach = t.isf(0.0005, 5) * math.sqrt(own**2 / 6 + floor**2 / 20)
    assert (found.high - found.low) / 2 == pytest.approx(reach)


def test_a_single_row_beside_many_decides_nothing():
    found = judged(DIFFERENCE, {"at_least": -99}, [12.0])
    assert (found.verdict, found.n) == ("INCONCLUSIVE", 1)


def test_a_group_alone_is_judged_at_all_its_rows():
    found = judged({"mean": "loss", "at": SVM}, {"at_least": 10})
    assert (found.n, found.low) == (10, student.interval(THEIRS, 0.001).low)
    assert len(found.looks) == 1


def test_rows_that_are_paired_are_judged_as_ever():
    claim = claim_with(DIFFERENCE, {"at_least": -99}, results={"files": "runs.csv"})
    found = judge(claim.expectations["e"], claim, trials_of(OURS, [*THEIRS, math.nan]), {}, SeedPlan(first=6, cap=6))
    expected = student.interval([b - a for a, b in zip(OURS, THEIRS, strict=False)], 0.001)
    assert (found.low, found.high) == (expected.low, expected.high)


def test_a_group_that_does_not_look_normal_is_marked():
    claim = claim_of(DIFFERENCE, {"at_least": 0})
    contrast = claim.expectations["e"].contrast
    clusters = [1.0, 1.01, 1.02, 1.0, 1.03, 9.0, 9.01, 9.02, 9.0, 9.03]
    for ours, said in ((clusters, "not_normal"), ([*OURS, 13.2, 12.8, 13.6, 12.9], "")):
        per_seed = contrasts.evaluate(contrast, claim, trials_of(ours, [*THEIRS, 15.0, 16.0]), {})
        assert shape(per_seed, range(10)) == said


# ---- before anything is read -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("cap", [1, 2])
def test_two_rows_may_decide_where_pairs_need_five(cap):
    claim = claim_of(DIFFERENCE, {"at_least": 0}, alpha=0.001)
    claim = claim.model_copy(
        update={
            "profiles": {"quick": claim.profiles["quick"].model_copy(update={"seeds": SeedPlan(first=cap, cap=cap)})}
        }
    )
    assert (list(caps.problems_of(claim)) == []) == (cap == 2)


def test_no_band_is_refused_for_an_interval_that_pairs_would_have():
    contrast = {"difference": "error", "of": SVM, "minus": NET}
    for paired, refused in ((True, 1), (False, 0)):
        claim = claim_of(contrast, {"between": [-0.006, 0.006]})
        if paired:
            claim = claim.model_copy(update={"results": None})
        plan = claim.profiles["quick"].model_copy(update={"seeds": PLAN})
        claim = claim.model_copy(update={"profiles": {"quick": plan}})
        assert len(list(caps.problems_of(claim))) == refused


def test_only_differences_and_ratios_are_of_two_groups():
    for contrast, kind in (
        (DIFFERENCE, Groups),
        ({"ratio": "loss", "of": SVM, "to": NET}, Groups),
        ({"mean": "loss", "at": SVM}, type(contrasts.STUDENT)),
    ):
        claim = claim_of(contrast, {"at_least": 1})
        assert type(ranges.sequence_of(claim.expectations["e"].contrast, claim)) is kind


def test_many_simulated_groups_end_as_the_judge_ends_each():
    generator = np.random.default_rng(3)
    ours, theirs = generator.normal(0, 1, (60, 6)), generator.normal(1.5, 2, (60, 10))
    error = theirs.var(axis=1, ddof=1) / 10
    found = decide(
        theirs.mean(axis=1, keepdims=True) - ours, Rule([6], 0.0, math.inf, 0.05, sequence=Groups(error))
    ).sign
    signs = {"VERIFIED": 1, "REFUTED": -1, "INCONCLUSIVE": 0}
    each = [judged(DIFFERENCE, {"at_least": 0}, x, y, alpha=0.05) for x, y in zip(ours, theirs, strict=True)]
    assert found.tolist() == [signs[one.verdict] for one in each]
    assert 5 < np.count_nonzero(found) < 55
