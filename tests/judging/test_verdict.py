"""One rule from intervals and bands to verdicts, and nothing else decides."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judging import student, verdict
from harness.judging.edges import interval_of
from harness.judging.verdict import INCONCLUSIVE, INVALID, NOT_RUN, REFUTED, VERIFIED, combine, compare_with_band, judge
from harness.specification.models import SeedPlan
from harness.specification.readings import Band
from tests.specimen import claim_with, evidence_of, point

NET = {"arm": "net", "width": 4, "scene": "plain"}
SVM = {**NET, "arm": "svm"}
PLAN = SeedPlan(first=6, step=2, cap=12)
SETTINGS = {"n_test": 200}
NUMBERS = st.floats(-100, 100)


def band(**form):
    return Band.model_validate(form)


def judged(values, form, *, metric="loss", contrast=None, plan=PLAN, rows=None, **extra):
    spec = claim_with(contrast or {"mean": metric, "at": NET}, form, **extra)
    evidence = evidence_of(rows or {point(): values}, metric)
    return judge(spec.expectations["e"], spec, evidence, SETTINGS, plan)


@pytest.mark.parametrize(
    ("low", "high", "form", "expected"),
    [
        (0.0, 1.0, {"at_most": 1.0}, VERIFIED),
        (0.0, 1.0, {"at_most": 0.999}, INCONCLUSIVE),
        (0.0, 1.0, {"at_most": 0.0}, INCONCLUSIVE),
        (0.0, 1.0, {"at_most": -1e-300}, REFUTED),
        (0.0, 1.0, {"at_least": 0.0}, VERIFIED),
        (0.0, 1.0, {"at_least": 0.001}, INCONCLUSIVE),
        (0.0, 1.0, {"at_least": 1.0}, INCONCLUSIVE),
        (0.0, 1.0, {"at_least": math.nextafter(1.0, 2.0)}, REFUTED),
        (0.0, 1.0, {"between": [0.0, 1.0]}, VERIFIED),
        (0.0, 1.0, {"between": [0.25, 0.75]}, INCONCLUSIVE),
        (0.0, 1.0, {"between": [0.5, 2.0]}, INCONCLUSIVE),
        (0.0, 1.0, {"between": [1.5, 2.0]}, REFUTED),
        (0.0, 1.0, {"between": [-2.0, -0.5]}, REFUTED),
        (-math.inf, math.inf, {"at_most": 1.0}, INCONCLUSIVE),
        # Of a quantile one end may be known long before the other.
        (-math.inf, 0.5, {"at_most": 1.0}, VERIFIED),
        (-math.inf, 0.5, {"between": [0.0, 1.0]}, INCONCLUSIVE),
        (0.5, math.inf, {"at_least": 0.0}, VERIFIED),
        (0.5, math.inf, {"at_most": 0.4}, REFUTED),
        # Where both ends are infinite nothing is known, on whichever side.
        (math.inf, math.inf, {"at_least": 0.0}, INCONCLUSIVE),
        (-math.inf, -math.inf, {"at_most": 0.0}, INCONCLUSIVE),
        (math.nan, 1.0, {"at_most": 1.0}, INVALID),
        (0.0, math.nan, {"at_least": 0.0}, INVALID),
    ],
)
def test_an_interval_is_held_against_a_band(low, high, form, expected):
    assert compare_with_band(band(**form), low, high) == expected


PAIRS = st.tuples(NUMBERS, st.floats(0.001, 100)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(PAIRS, PAIRS, st.floats(0, 50), st.floats(0, 50))
def test_a_wider_band_never_refutes_what_a_narrower_one_admits_nor_the_other_way_round(interval, edges, left, right):
    narrow = compare_with_band(band(between=list(edges)), *interval)
    wide = compare_with_band(band(between=[edges[0] - left, edges[1] + right]), *interval)
    assert not (narrow == VERIFIED and wide != VERIFIED)
    assert not (narrow == INCONCLUSIVE and wide == REFUTED)


@given(st.lists(NUMBERS, min_size=12, max_size=12), NUMBERS, st.floats(0, 50))
def test_a_wider_band_never_turns_verified_into_refuted_over_all_looks(values, edge, more):
    if judged(values, {"at_most": edge}).verdict == VERIFIED:
        assert judged(values, {"at_most": edge + more}).verdict == VERIFIED


def test_a_clear_result_is_verified_at_the_first_look():
    found = judged([1.0, 1.1, 0.9, 1.05, 0.95, 1.0, 1.0, 1.0], {"at_most": 5.0})
    assert (found.verdict, found.n) == (VERIFIED, 6)
    assert found.looks == (verdict.Look(6, found.low, found.high),)
    assert found.reason == "the interval [0.6589, 1.341] lies inside the band (at most 5)"
    assert list(found.values) == [0, 1, 2, 3, 4, 5]


def test_a_clear_contradiction_is_refuted():
    found = judged([1.0, 1.1, 0.9, 1.05, 0.95, 1.0], {"at_least": 5.0})
    assert found.verdict == REFUTED
    assert found.reason == "the interval [0.6589, 1.341] lies wholly outside the band (at least 5)"


def test_an_interval_over_an_edge_is_inconclusive_and_says_how_many_seeds_are_left():
    found = judged([1.0, 1.1, 0.9, 1.05, 0.95, 1.0], {"at_least": 1.0})
    assert found.verdict == INCONCLUSIVE
    assert found.reason == (
        "the interval [0.6589, 1.341] reaches over an edge of the band (at least 1) after 6 seeds; 6 more seeds are allowed"
    )


def test_at_the_cap_an_undecided_expectation_says_so():
    found = judged([0.0, 1.0] * 6, {"at_least": 0.5})
    assert (found.verdict, found.n, [look.n for look in found.looks]) == (INCONCLUSIVE, 12, [6, 8, 10, 12])
    assert found.reason.endswith("after 12 seeds; the cap is reached")


def test_the_first_look_that_decides_is_the_last():
    # Decided after six seeds; the next two would undo it.
    values = [1.0, 1.1, 0.9, 1.05, 0.95, 1.0, 90.0, -90.0]
    assert judged(values, {"at_most": 5.0}).verdict == VERIFIED
    later = judged(values, {"at_most": 5.0}, plan=SeedPlan(first=8, cap=12))
    assert later.verdict == INCONCLUSIVE


def test_fewer_seeds_than_the_first_look_needs_are_not_a_run():
    found = judged([1.0, 1.1, 0.9, 1.05, 0.95], {"at_most": 5.0})
    assert (found.verdict, found.n) == (NOT_RUN, 5)
    assert found.reason == "5 of the 6 seeds that the first look needs"
    # Nor are those that agree as no seeds of their own would.
    alike = judged([0.2] * 5, {"at_most": 0.5}, metric="error")
    assert (alike.verdict, alike.reason) == (NOT_RUN, found.reason)


def test_seeds_between_two_looks_wait_for_the_next():
    assert judged([0.0, 1.0] * 3 + [0.5], {"at_least": 0.5}).n == 6


def test_no_trial_is_no_run():
    found = judged([], {"at_most": 5.0})
    assert (found.verdict, found.reason) == (NOT_RUN, "no seed has all the trials that this contrast needs")


def test_what_was_not_run_has_neither_numbers_nor_an_interval():
    found = judged([], {"at_most": 5.0})
    assert (found.n, found.earlier, found.current) == (0, 0, 0)
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert all(math.isnan(number) for number in (found.estimate, found.sd, found.p))
    assert (found.values, found.looks) == ({}, ())


def test_a_look_hears_nothing_of_later_seeds():
    # The seventh seed's zero error would raise the floor of the log ratio, had the first look read it.
    contrast = {"ratio": "error", "of": SVM, "to": NET}
    net = [0.1, 0.11, 0.1, 0.09, 0.1, 0.1]
    first = judged(
        None, {"at_least": 2}, contrast=contrast, metric="error", rows={point(): net, point("svm"): [0.9] * 6}
    )
    more = judged(
        None,
        {"at_least": 2},
        contrast=contrast,
        metric="error",
        rows={point(): [*net, 0.0, 0.0], point("svm"): [0.9] * 8},
    )
    assert first == more
    assert first.verdict == VERIFIED


def test_a_ratio_is_reported_on_its_own_scale():
    contrast = {"ratio": "loss", "of": SVM, "to": NET}
    rows = {point(): [1.0] * 6, point("svm"): [3.8, 4.2, 4.0, 3.9, 4.1, 4.0]}
    found = judged(None, {"at_least": 2}, contrast=contrast, rows=rows)
    logs = student.interval([math.log(value) for value in rows[point("svm")]], 0.001)
    assert found.verdict == VERIFIED
    assert (found.low, found.high) == pytest.approx((math.exp(logs.low), math.exp(logs.high)))
    assert found.estimate == pytest.approx(math.exp(logs.estimate))
    assert found.values[0] == pytest.approx(3.8)


def test_a_ratio_beyond_the_range_of_floats_decides_without_a_crash():
    contrast = {"ratio": "loss", "of": SVM, "to": NET}
    rows = {point(): [1e-200, 2e-200] * 3, point("svm"): [1e200] * 6}
    found = judged(None, {"at_most": 2}, contrast=contrast, rows=rows)
    assert (found.verdict, found.high) == (REFUTED, math.inf)


@given(st.lists(NUMBERS, min_size=6, max_size=12), st.randoms(use_true_random=False))
def test_the_verdict_is_a_pure_function_of_the_trials_and_not_of_their_order(values, source):
    spec = claim_with({"difference": "loss", "of": SVM, "minus": NET}, {"at_least": 0.5})
    evidence = evidence_of({point(): values, point("svm"): [value + 1 for value in values]}, "loss")
    shuffled = {
        where: dict(source.sample(sorted(trials.items()), len(trials)))
        for where, trials in source.sample(sorted(evidence.items()), len(evidence))
    }
    one, other = (judge(spec.expectations["e"], spec, trials, SETTINGS, PLAN) for trials in (evidence, shuffled))
    assert repr(one) == repr(other)


def test_seeds_are_looked_at_by_their_index():
    spec = claim_with({"mean": "loss", "at": NET}, {"at_most": 5.0})
    values = [1.0, 1.1, 0.9, 1.05, 0.95, 1.0, 900.0]
    evidence = {point(): {seed: {"loss": values[seed]} for seed in reversed(range(7))}}
    assert judge(spec.expectations["e"], spec, evidence, SETTINGS, PLAN).verdict == VERIFIED


def test_the_error_rate_of_the_expectation_is_the_one_that_counts():
    values = [1.0, 1.1, 0.9, 1.05, 0.95, 1.0]
    assert judged(values, {"at_most": 1.3}).verdict == INCONCLUSIVE
    assert judged(values, {"at_most": 1.3}, expectation={"alpha": 0.01}).verdict == VERIFIED


def test_before_the_interval_is_bounded_the_bounds_decide_nothing():
    # A metric between 0 and 1 lies below 2, but four seeds have not shown it.
    found = judged([0.5, 0.4, 0.6, 0.5], {"at_most": 2.0}, metric="error", plan=SeedPlan(first=4, cap=4))
    assert (found.verdict, found.low, found.high) == (INCONCLUSIVE, 0, 1)
    found = judged([0.5, 0.4, 0.6, 0.5], {"at_least": 2.0}, metric="error", plan=SeedPlan(first=4, cap=4))
    assert found.verdict == INCONCLUSIVE


EXACT = {"exact": "error", "at": {"arm": "net", "width": 4}}


@pytest.mark.parametrize(
    ("plain", "clutter", "expected", "reason"),
    [
        ([0.0] * 6, [0.1] * 6, VERIFIED, "all 12 instances lie inside the band (at most 0.1)"),
        (
            [0.0] * 6,
            [0.1] * 5 + [0.2],
            REFUTED,
            "1 of 12 instances lie outside the band (at most 0.1), such as 0.2 at arm=net, scene=clutter, width=4, seed 5",
        ),
        (
            [0.2],
            [0.3],
            REFUTED,
            "2 of 2 instances lie outside the band (at most 0.1), such as 0.3 at arm=net, scene=clutter, width=4, seed 0",
        ),
        ([0.0] * 5, [0.1] * 5, NOT_RUN, "5 of 6 seeds measured, all inside the band so far"),
        ([], [], NOT_RUN, "no instance was measured"),
        ([0.0] * 6, [math.nan] * 6, INVALID, "seed 0 at arm=net, scene=clutter, width=4: error is nan (and 5 more)"),
        ([0.0] * 2, [math.nan] * 2, INVALID, "seed 0 at arm=net, scene=clutter, width=4: error is nan (and 1 more)"),
        ([0.0], [math.nan], INVALID, "seed 0 at arm=net, scene=clutter, width=4: error is nan"),
    ],
)
def test_an_exact_expectation_holds_in_every_instance_or_falls_by_one(plain, clutter, expected, reason):
    rows = {point(): plain, point(scene="clutter"): clutter}
    found = judged(None, {"at_most": 0.1}, contrast=EXACT, metric="error", rows=rows)
    assert (found.verdict, found.reason) == (expected, reason)


@pytest.mark.parametrize(("current", "expected"), [(5, NOT_RUN), (6, VERIFIED)])
def test_an_exact_expectation_needs_its_seeds_tonight_whatever_earlier_nights_held(current, expected):
    spec = claim_with({"exact": "loss", "at": NET}, {"at_most": 0.1})
    found = judge(spec.expectations["e"], spec, replications([0.0] * 4, [0.0] * current), SETTINGS, PLAN)
    assert (found.verdict, found.n, found.earlier, found.current) == (expected, 4 + current, 4, current)
    if expected == NOT_RUN:
        assert found.reason == "5 of 6 seeds measured, all inside the band so far"


@pytest.mark.parametrize(
    ("form", "worst"),
    [
        ({"at_most": 0.5}, {0: 0.1, 1: 0.3}),
        ({"at_least": -0.5}, {0: 0.0, 1: 0.2}),
        ({"between": [0.0, 0.4]}, {0: 0.0, 1: 0.3}),
    ],
)
def test_an_exact_judgement_shows_the_worst_instance_of_each_seed_and_the_range(form, worst):
    rows = {point(): [0.0, 0.3], point(scene="clutter"): [0.1, 0.2]}
    found = judged(None, form, contrast=EXACT, metric="error", rows=rows, plan=SeedPlan(first=2, cap=2))
    assert (found.low, found.high, found.estimate) == (0, 0.3, pytest.approx(0.15))
    assert found.values == worst
    assert math.isnan(found.sd)
    assert math.isnan(found.p)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], NOT_RUN),
        ([VERIFIED], VERIFIED),
        ([VERIFIED, VERIFIED], VERIFIED),
        ([VERIFIED, INCONCLUSIVE], INCONCLUSIVE),
        ([INCONCLUSIVE, NOT_RUN], NOT_RUN),
        ([NOT_RUN, INVALID, VERIFIED], INVALID),
        ([INVALID, REFUTED, INCONCLUSIVE], REFUTED),
    ],
)
def test_a_reading_holds_if_all_its_expectations_do_and_falls_by_one(verdicts, expected):
    assert combine(verdicts) == combine(reversed(verdicts)) == expected


def test_there_are_five_verdicts():
    words = {VERIFIED, REFUTED, INCONCLUSIVE, INVALID, NOT_RUN}
    assert words == {getattr(verdict, word) for word in words}
    assert len(words) == 5


@pytest.mark.parametrize(
    ("form", "metric", "verdict"),
    [
        ({"at_most": 0.3}, "loss", VERIFIED),
        ({"at_least": 0.3}, "loss", REFUTED),
        ({"between": [0.0, 0.3]}, "loss", VERIFIED),
        ({"between": [-0.1, 5.0]}, "loss", VERIFIED),
        ({"between": [-0.5, -0.1]}, "loss", REFUTED),
        ({"between": [-0.1, 0.3]}, "error", VERIFIED),
        ({"between": [0.0, 0.3]}, "error", VERIFIED),
        ({"between": [0.02, 1.0]}, "error", VERIFIED),
    ],
)
def test_p_is_the_error_rate_at_which_the_verdict_would_just_fall(form, metric, verdict):
    values = [0.11, 0.1, 0.09, 0.1, 0.12, 0.1, 0.08, 0.1]
    plan = SeedPlan(first=8, cap=8)
    found = judged(values, form, metric=metric, plan=plan)
    assert found.verdict == verdict
    assert 0 < found.p <= 0.001
    for factor, expected in ((1.001, verdict), (0.999, INCONCLUSIVE)):
        again = judged(values, form, metric=metric, plan=plan, expectation={"alpha": found.p * factor})
        assert again.verdict == expected


def test_p_of_equal_values_is_that_of_the_floor_of_their_spread():
    plan = SeedPlan(first=8, cap=8)
    zero = [0.0] * 8
    found = judged(zero, {"at_most": 0.01}, metric="error", plan=plan)
    assert found.p > judged(zero, {"at_most": 0.02}, metric="error", plan=plan).p
    for factor, expected in ((1.001, VERIFIED), (0.999, INCONCLUSIVE)):
        again = judged(zero, {"at_most": 0.01}, metric="error", plan=plan, expectation={"alpha": found.p * factor})
        assert again.verdict == expected


def test_p_of_a_ratio_is_that_of_its_logarithm():
    contrast = {"ratio": "loss", "of": SVM, "to": NET}
    rows = {point(): [1.0] * 6, point("svm"): [3.8, 4.2, 4.0, 3.9, 4.1, 4.0]}
    found = judged(None, {"at_least": 2}, contrast=contrast, rows=rows)
    for factor, expected in ((1.001, VERIFIED), (0.999, INCONCLUSIVE)):
        again = judged(
            None,
            {"at_least": 2},
            contrast=contrast,
            rows=rows,
            plan=SeedPlan(first=6, cap=6),
            expectation={"alpha": found.p * factor},
        )
        assert again.verdict == expected


def test_what_is_not_decided_has_no_p():
    assert math.isnan(judged([0.0, 1.0] * 6, {"at_least": 0.5}).p)


def replications(earlier, current):
    """Return evidence whose earlier seeds have negative indices, as `series` gives them."""
    seeds = {index - len(earlier): value for index, value in enumerate([*earlier, *current])}
    return {point(): {seed: {"loss": value} for seed, value in seeds.items()}}


def test_seeds_of_earlier_nights_join_every_look():
    spec = claim_with({"mean": "loss", "at": NET}, {"at_most": 2.5})
    noisy = [0.0, 2.0, 1.0] * 4
    alone = judge(spec.expectations["e"], spec, replications([], noisy[:8]), SETTINGS, PLAN)
    joined = judge(spec.expectations["e"], spec, replications(noisy, noisy[:8]), SETTINGS, PLAN)
    assert (alone.verdict, alone.n, alone.current) == (INCONCLUSIVE, 8, 8)
    assert (joined.verdict, joined.n, joined.earlier, joined.current) == (VERIFIED, 18, 12, 6)
    assert [look.n for look in joined.looks] == [18]
    assert joined.high - joined.low < alone.high - alone.low


def test_earlier_nights_alone_are_no_run():
    spec = claim_with({"mean": "loss", "at": NET}, {"at_most": 5.0})
    found = judge(spec.expectations["e"], spec, replications([1.0, 1.1] * 6, [1.0] * 3), SETTINGS, PLAN)
    assert found.verdict == NOT_RUN
    assert found.reason == "3 of the 6 seeds that the first look needs"


def test_the_cap_counts_the_seeds_of_one_night():
    spec = claim_with({"mean": "loss", "at": NET}, {"at_least": 0.5})
    found = judge(spec.expectations["e"], spec, replications([0.0, 1.0] * 6, [0.0, 1.0] * 4), SETTINGS, PLAN)
    assert found.verdict == INCONCLUSIVE
    assert found.reason.endswith("after 20 seeds, 12 of them of earlier replications; 4 more seeds are allowed")


LOOKING = SeedPlan(first=6, step=3, cap=30)


@given(st.lists(NUMBERS, min_size=0, max_size=8), st.lists(NUMBERS, min_size=1, max_size=30), NUMBERS)
def test_who_judges_seed_after_seed_and_who_judges_once_say_the_same(earlier, current, edge):
    spec = claim_with({"mean": "loss", "at": NET}, {"at_most": edge})
    before = None
    for n in range(1, len(current) + 1):
        evidence = replications(earlier, current[:n])
        before = judge(spec.expectations["e"], spec, evidence, SETTINGS, LOOKING, before=before)

    assert before == judge(spec.expectations["e"], spec, evidence, SETTINGS, LOOKING)


def test_a_look_that_did_not_decide_is_not_computed_again(monkeypatch):
    spec, asked = claim_with({"mean": "loss", "at": NET}, {"at_least": 0.5}), []
    monkeypatch.setattr(verdict, "interval_of", lambda *given: asked.append(len(given[1])) or interval_of(*given))
    before = judge(spec.expectations["e"], spec, replications([], [0.0, 1.0] * 9), SETTINGS, LOOKING)
    assert asked == [6, 9, 12, 15, 18]

    judge(spec.expectations["e"], spec, replications([], [0.0, 1.0] * 12), SETTINGS, LOOKING, before=before)

    assert asked == [6, 9, 12, 15, 18, 21, 24]


def test_looks_with_a_replication_that_has_left_are_computed_again():
    spec = claim_with({"mean": "loss", "at": NET}, {"at_least": 0.5})
    before = judge(spec.expectations["e"], spec, replications([0.0, 1.0], [0.0, 1.0] * 4), SETTINGS, LOOKING)
    evidence = replications([], [0.0, 1.0] * 5)

    found = judge(spec.expectations["e"], spec, evidence, SETTINGS, LOOKING, before=before)

    assert before.looks
    assert found == judge(spec.expectations["e"], spec, evidence, SETTINGS, LOOKING)


def test_a_judgement_keeps_the_floor_of_its_spread():
    """Who compares two runs needs it: values alone do not tell in which steps they move."""
    fine = judged([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], {"at_most": 1.0}, metric="error")

    assert fine.floor == pytest.approx(1 / SETTINGS["n_test"] / math.sqrt(12))
    assert judged([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], {"at_most": 1.0}).floor == 0
    assert verdict.Judgement(NOT_RUN, "").floor == 0


# ---- rates and quantiles -------------------------------------------------------------------------------------------

LONG = SeedPlan(first=6, step=2, cap=100)
SOLVED = {"solved": {"unit": "0 or 1", "better": "higher"}}


def asked(contrast, values, form, plan=LONG, metric="loss", **extra):
    return judged(values, form, metric=metric, contrast=contrast, plan=plan, **extra)


def test_a_rate_is_verified_once_enough_seeds_succeed():
    found = asked({"rate": "loss", "at": NET}, [1.0] * 100, {"at_least": 0.9})
    assert (found.verdict, found.n, found.estimate, found.high) == (VERIFIED, 84, 1.0, 1.0)
    assert found.low == pytest.approx(0.9013, abs=1e-4)
    assert found.p < 0.001
    assert (found.floor, found.shape, found.sd) == (0.0, "", 0.0)


def test_a_rate_is_refuted_and_left_undecided_like_any_other_estimate():
    rate = {"rate": "loss", "at": NET}
    assert asked(rate, [0.0] * 100, {"at_least": 0.5}).n == 12
    assert asked(rate, [0.0] * 100, {"at_least": 0.5}).verdict == REFUTED
    assert asked(rate, [1.0, 0.0] * 50, {"at_least": 0.5}).verdict == INCONCLUSIVE
    assert asked(rate, [1.0, 0.0] * 50, {"between": [0.2, 0.8]}).verdict == VERIFIED


def test_seeds_that_all_succeed_are_no_lack_of_spread():
    # A mean of a metric without a resolution would be INVALID.
    assert asked({"rate": "loss", "at": NET}, [1.0] * 6, {"at_least": 0.5}).verdict == INCONCLUSIVE
    assert asked({"mean": "loss", "at": NET}, [1.0] * 6, {"at_least": 0.5}).verdict == INVALID
    assert asked({"median": "loss", "at": NET}, [1.0] * 12, {"at_least": 0.5}).verdict == INVALID


def test_a_value_that_is_neither_zero_nor_one_makes_a_rate_invalid():
    found = asked({"rate": "loss", "at": NET}, [1.0] * 5 + [0.5], {"at_least": 0.5})
    assert found.verdict == INVALID
    assert "loss is 0.5, and a rate counts zeros and ones alone" in found.reason


def test_a_difference_of_zeros_and_ones_is_judged_by_bets_and_not_by_a_spread():
    contrast = {"difference": "solved", "of": SVM, "minus": NET}
    rows = {point(): [0.0] * 24, point("svm"): [1.0] * 24}
    found = judged(None, {"at_least": 0}, contrast=contrast, metric="solved", rows=rows, plan=LONG, metrics=SOLVED)
    assert (found.verdict, found.n) == (VERIFIED, 12)
    assert (found.estimate, found.high) == (1.0, 1.0)


def test_a_median_keeps_off_what_a_few_seeds_do():
    values = [0.1, 0.2, 0.3] * 8
    found = asked({"median": "loss", "at": NET}, [*values[:11], 1e9, *values[11:]], {"at_most": 0.5})
    assert (found.verdict, found.n, found.estimate) == (VERIFIED, 20, pytest.approx(0.2))
    assert asked({"mean": "loss", "at": NET}, [*values[:5], 1e9, *values], {"at_most": 0.5}).verdict == INCONCLUSIVE


def test_a_median_of_ratios_is_judged_as_logarithms_and_reported_as_a_factor():
    contrast = {"ratio": "loss", "of": SVM, "to": NET, "over_seeds": "median"}
    rows = {point(): [1.0] * 12, point("svm"): [float(k) for k in range(2, 14)]}
    found = judged(None, {"at_least": 2}, contrast=contrast, rows=rows)
    assert (found.verdict, found.n) == (VERIFIED, 12)
    assert (found.low, found.high) == pytest.approx((2.0, 13.0))
    # Between the sixth and the seventh value, on the scale of logarithms.
    assert found.estimate == pytest.approx(math.sqrt(7 * 8))


def test_a_high_quantile_needs_one_end_alone_to_be_above_an_edge():
    found = asked({"quantile": "loss", "q": 0.9, "at": NET}, [float(k) for k in range(24)], {"at_least": -1})
    assert (found.verdict, found.n, found.low, found.high) == (VERIFIED, 6, 1.0, math.inf)
    assert found.p < 0.001


@pytest.mark.parametrize(
    ("contrast", "values", "form"),
    [
        ({"rate": "loss", "at": NET}, [1.0] * 40, {"at_least": 0.7}),
        ({"rate": "loss", "at": NET}, [0.0] * 40, {"at_least": 0.3}),
        ({"rate": "loss", "at": NET}, [1.0, 0.0] * 50, {"between": [0.2, 0.9]}),
        ({"median": "loss", "at": NET}, [1.0, 2.0, 3.0, -1.0] * 20, {"at_least": 0.5}),
        ({"median": "loss", "at": NET}, [1.0, 2.0, 3.0, -1.0] * 20, {"at_most": -0.5}),
        ({"median": "loss", "at": NET}, [1.0, 2.0, 3.0, -1.0] * 20, {"between": [-2, 4]}),
        ({"mean": "loss", "at": NET}, [1.0, 2.0, 3.0, -1.0] * 10, {"between": [-3, 4]}),
        ({"mean": "loss", "at": NET}, [1.0, 2.0, 3.0, -1.0] * 10, {"between": [4, 8]}),
    ],
)
def test_the_p_value_is_the_error_rate_at_which_the_verdict_would_just_stand(contrast, values, form):
    found = asked(contrast, values, form)
    assert found.verdict in (VERIFIED, REFUTED)
    one_look = SeedPlan(first=found.n, cap=found.n)
    for factor, expected in ((1 + 1e-6, found.verdict), (1 - 1e-6, INCONCLUSIVE)):
        again = asked(contrast, values, form, plan=one_look, expectation={"alpha": min(0.2, found.p * factor)})
        assert again.verdict == expected


def test_what_no_seed_could_miss_needs_no_error_rate():
    spec = claim_with({"mean": "error", "at": NET}, {"at_most": 1})
    assert judge(spec.expectations["e"], spec, evidence_of({point(): [0.5, 0.6] * 6}), SETTINGS, PLAN).p == 0.0


@pytest.mark.parametrize(
    ("contrast", "values", "shape"),
    [
        ({"mean": "loss", "at": NET}, [0.1, -0.2, 0.3, 0.0, 0.2, -0.1], ""),
        ({"mean": "loss", "at": NET}, [1.0, -1.0, 1.01, -0.99, 1.02, -1.01], "not_normal"),
        ({"mean": "loss", "at": NET}, [1.0, 0.0, 0.0, 1.0, 1.0, 0.0], "two_values"),
        ({"rate": "loss", "at": NET}, [1.0, 0.0, 0.0, 1.0, 1.0, 0.0], ""),
        ({"mean": "error", "at": NET}, [0.5] * 6, "constant"),
    ],
)
def test_a_judgement_says_what_speaks_against_its_error_rate(contrast, values, shape):
    metric = "error" if "error" in contrast.values() else "loss"
    assert asked(contrast, values, {"at_most": 9 if metric == "loss" else 0.9}, metric=metric).shape == shape


def test_a_controls_change_of_a_size_counts_in_the_resolution():
    spec = claim_with({"mean": "error", "at": NET}, {"at_most": 0.9})
    evidence = evidence_of({point(): [0.5] * 6})
    own, changed = (
        judge(spec.expectations["e"], spec, evidence, SETTINGS, PLAN, change_of).floor
        for change_of in (lambda _: {}, lambda _: {"n_test": 2})
    )
    assert (own, changed) == (pytest.approx(0.005 / math.sqrt(12)), pytest.approx(0.5 / math.sqrt(12)))
