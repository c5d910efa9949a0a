"""Each kind of contrast by numbers computed by hand, and what never becomes a number."""

from __future__ import annotations

import math

import pytest

from harness.judging import contrasts, points, ranges
from harness.judging.bounded import Bounded
from harness.judging.confidence_sequence import STUDENT
from harness.judging.contrasts import evaluate, instances
from harness.judging.points import points_of
from harness.judging.quantile import Quantile
from harness.judging.student import resolution_floor
from tests.specimen import claim, claim_with, evidence_of, point, sound

NET = {"arm": "net", "width": 4, "scene": "plain"}
SVM = {**NET, "arm": "svm"}
SETTINGS = {"n_test": 200}
STEP = 1 / 200
SWEEP = [point(width=width) for width in (1, 2, 4)]


def per_seed(contrast, rows, metric="error", settings=None):
    spec = claim_with(contrast)
    return evaluate(spec.expectations["e"].contrast, spec, evidence_of(rows, metric), settings or SETTINGS)


def test_mean_is_the_metric_at_the_cell():
    found = per_seed({"mean": "error", "at": NET}, {point(): [0.1, 0.3]})
    assert found.values == {0: 0.1, 1: 0.3}
    assert found.bounds == (0, 1)
    assert not found.log
    assert found.sd_floor([0, 1]) == pytest.approx(STEP / math.sqrt(12))


def test_difference_is_of_minus_minus_paired_by_seed():
    found = per_seed({"difference": "error", "of": SVM, "minus": NET}, {point(): [0.1, 0.3], point("svm"): [0.5, 0.4]})
    assert found.values == pytest.approx({0: 0.4, 1: 0.1})
    assert found.bounds == (-1, 1)
    assert found.sd_floor([0, 1]) == pytest.approx(STEP / math.sqrt(6))


def test_ratio_is_the_logarithm_of_of_over_to():
    found = per_seed({"ratio": "error", "of": SVM, "to": NET}, {point(): [0.1, 0.2], point("svm"): [0.4, 0.1]})
    assert found.values == pytest.approx({0: math.log(4), 1: math.log(0.5)})
    assert found.log
    assert found.bounds == (-math.inf, math.inf)


def test_the_rounding_error_of_a_log_ratio_is_that_of_both_sides_relative_to_each():
    found = per_seed({"ratio": "error", "of": SVM, "to": NET}, {point(): [0.1, 0.2], point("svm"): [0.4, 0.1]})
    first, second = math.hypot(1 / 0.4, 1 / 0.1), math.hypot(1 / 0.1, 1 / 0.2)
    assert found.sd_floor([0]) == pytest.approx(STEP / math.sqrt(12) * first)
    assert found.sd_floor([0, 1]) == pytest.approx(STEP / math.sqrt(12) * math.sqrt((first**2 + second**2) / 2))


@pytest.mark.parametrize(
    ("net", "svm", "ratio"), [(0.0, 0.1, 0.1 / (STEP / 2)), (0.1, 0.0, STEP / 2 / 0.1), (0.0, 0.0, 1)]
)
def test_in_a_ratio_a_zero_counts_as_half_a_step(net, svm, ratio):
    found = per_seed({"ratio": "error", "of": SVM, "to": NET}, {point(): [net], point("svm"): [svm]})
    assert found.values == pytest.approx({0: math.log(ratio)})


def test_a_seed_whose_duration_was_not_measured_at_every_point_is_left_out():
    metrics = {"time": {"unit": "second", "better": "lower"}}
    spec = claim_with({"ratio": "time", "of": SVM, "to": NET}, metrics=metrics)
    lacks = {NET["arm"]: (1, 3), SVM["arm"]: (2, 3)}
    evidence = {
        point(arm): {seed: {} if seed in seeds else {"time": 1.0 + seed} for seed in range(4)}
        for arm, seeds in lacks.items()
    }

    found = evaluate(spec.expectations["e"].contrast, spec, evidence, {})

    assert found.values == {0: 0.0}
    assert found.problems == ()


def test_a_zero_in_a_ratio_without_a_resolution_is_a_problem():
    found = per_seed({"ratio": "loss", "of": SVM, "to": NET}, {point(): [1.0, 0.0], point("svm"): [0.5, 0.5]}, "loss")
    assert found.values == {}
    assert found.problems == ("seed 1: a ratio needs positive values, not 0.5, 0",)


@pytest.mark.parametrize("resolution", [None, 0.01])
def test_a_negative_value_in_a_ratio_is_a_problem_whatever_the_resolution(resolution):
    metric = {"unit": "nat", "better": "lower", "resolution": resolution}
    spec = claim_with({"ratio": "gap", "of": SVM, "to": NET}, metrics={"gap": metric})
    evidence = evidence_of({point(): [-0.2], point("svm"): [0.5]}, "gap")
    found = evaluate(spec.expectations["e"].contrast, spec, evidence, {})
    assert found.problems == ("seed 0: a ratio needs positive values, not 0.5, -0.2",)


def test_a_ratio_beyond_the_range_of_floats_stays_finite_as_a_logarithm():
    found = per_seed({"ratio": "loss", "of": SVM, "to": NET}, {point(): [1e-200], point("svm"): [1e200]}, "loss")
    assert found.values == pytest.approx({0: 400 * math.log(10)})


def test_interaction_is_the_difference_here_less_the_difference_there():
    contrast = {
        "interaction": "error",
        "of": {"arm": "svm", "width": 4},
        "minus": {"arm": "net", "width": 4},
        "here": {"scene": "clutter"},
        "there": {"scene": "plain"},
    }
    rows = {
        point("svm", scene="clutter"): [0.9],
        point("net", scene="clutter"): [0.3],
        point("svm"): [0.25],
        point("net"): [0.125],
    }
    found = per_seed(contrast, rows)
    assert found.values == pytest.approx({0: (0.9 - 0.3) - (0.25 - 0.125)})
    assert found.bounds == (-2, 2)
    assert found.sd_floor([0]) == pytest.approx(STEP / math.sqrt(3))


def test_slope_is_the_least_squares_slope():
    # x = 1, 2, 4 about 7/3: weights -4/14, -1/14, 5/14.
    found = per_seed(
        {"slope": "error", "over": "width", "at": {"arm": "net", "scene": "plain"}},
        dict(zip(SWEEP, [[0.7], [0.2], [0.1]], strict=True)),
    )
    assert found.values == pytest.approx({0: (-4 * 0.7 - 0.2 + 5 * 0.1) / 14})
    assert found.bounds == pytest.approx((-5 / 14, 5 / 14))
    assert found.sd_floor([0]) == pytest.approx(STEP / math.sqrt(12) * math.sqrt(42) / 14)


def test_a_sweep_may_be_limited_to_some_values():
    contrast = {"slope": "loss", "over": "width", "at": {"arm": "net", "scene": "plain"}, "values": [4, 1]}
    found = per_seed(contrast, {SWEEP[0]: [3.0], SWEEP[2]: [1.5]}, "loss")
    assert found.values == pytest.approx({0: -0.5})


def test_loglog_slope_is_the_exponent():
    contrast = {"loglog_slope": "loss", "over": "width", "at": {"arm": "net", "scene": "plain"}}
    rows = {where: [5 * width**-1.25] for where, width in zip(SWEEP, (1, 2, 4), strict=True)}
    assert per_seed(contrast, rows, "loss").values == pytest.approx({0: -1.25})


def test_the_rounding_error_of_an_exponent_is_relative_to_each_value():
    contrast = {"loglog_slope": "error", "over": "width", "at": {"arm": "net", "scene": "plain"}, "values": [1, 4]}
    found = per_seed(contrast, {SWEEP[0]: [0.5], SWEEP[2]: [0.25]})
    weight = 1 / math.log(4)
    assert found.sd_floor([0]) == pytest.approx(STEP / math.sqrt(12) * weight * math.hypot(1 / 0.5, 1 / 0.25))


@pytest.mark.parametrize(("kind", "found"), [("loglog_slope", -1.25), ("rank_trend", -1)])
def test_a_trend_is_read_where_its_contrast_says(kind, found):
    contrast = {kind: "loss", "over": "width", "at": {"arm": "svm", "scene": "clutter"}}
    rows = {point(width=width): [float(width)] for width in (1, 2, 4)}
    rows |= {point("svm", width, "clutter"): [5 * width**-1.25] for width in (1, 2, 4)}
    assert per_seed(contrast, rows, "loss").values == pytest.approx({0: found})


@pytest.mark.parametrize("bad", [0.0, -1.0])
def test_a_loglog_slope_of_a_value_that_is_not_positive_is_a_problem(bad):
    contrast = {"loglog_slope": "loss", "over": "width", "at": {"arm": "net", "scene": "plain"}, "values": [1, 4]}
    found = per_seed(contrast, {SWEEP[0]: [1.0, 1.0], SWEEP[2]: [0.5, bad]}, "loss")
    assert found.values == {}
    assert found.problems == (f"seed 1: a log-log slope needs positive values, not 1, {bad:g}",)


@pytest.mark.parametrize(("row", "tau"), [([3.0, 2.0, 1.0], -1), ([1.0, 3.0, 2.0], 1 / 3), ([1.0, 1.0, 2.0], 2 / 3)])
def test_rank_trend_is_kendalls_tau(row, tau):
    contrast = {"rank_trend": "loss", "over": "width", "at": {"arm": "net", "scene": "plain"}}
    found = per_seed(contrast, {where: [value] for where, value in zip(SWEEP, row, strict=True)}, "loss")
    assert found.values == pytest.approx({0: tau})
    assert found.bounds == (-1, 1)
    # Three points: tau moves by 2/3 when two neighbours swap.
    assert found.sd_floor([0]) == pytest.approx(2 / 3 / math.sqrt(12))


@pytest.mark.parametrize(("take", "expected"), [("min", 0.1), ("max", 0.7), ("mean", 0.3)])
def test_take_reduces_a_list_of_values_within_each_seed(take, expected):
    cell = {"arm": "net", "scene": "plain", "width": [1, 2, 4], "take": take}
    rows = dict(zip(SWEEP, [[0.7, 0.1], [0.1, 0.1], [0.1, 0.1]], strict=True))
    assert per_seed({"mean": "error", "at": cell}, rows).values == pytest.approx({0: expected, 1: 0.1})


def test_take_reduces_over_arms_too():
    cell = {"arm": ["net", "svm"], "scene": "plain", "width": 4, "take": "max"}
    assert per_seed({"mean": "error", "at": cell}, {point(): [0.1], point("svm"): [0.2]}).values == {0: 0.2}


def test_a_seed_that_lacks_a_trial_is_left_out():
    spec = claim_with({"difference": "error", "of": SVM, "minus": NET})
    evidence = evidence_of({point(): [0.1, 0.3, 0.2], point("svm"): [0.5, 0.4, 0.6]})
    del evidence[point("svm")][0]
    del evidence[point()][1]
    assert evaluate(spec.expectations["e"].contrast, spec, evidence, SETTINGS).values == pytest.approx({2: 0.4})


def test_without_any_trial_there_is_no_value():
    found = per_seed({"difference": "error", "of": SVM, "minus": NET}, {point(): [0.1]})
    assert (found.values, found.problems) == ({}, ())
    assert found.sd_floor([]) == 0


def test_a_contrast_that_reads_no_point_has_no_value():
    found = per_seed({"mean": "error", "at": {**NET, "width": [], "take": "mean"}}, {point(): [0.1]})
    assert (found.values, found.problems) == ({}, ())


def test_seeds_come_in_the_order_of_their_index():
    spec = claim_with({"mean": "error", "at": NET})
    evidence = {point(): {seed: {"error": 0.5} for seed in (3, -1, 2, -2, 0)}}
    assert list(evaluate(spec.expectations["e"].contrast, spec, evidence, SETTINGS).values) == [-2, -1, 0, 2, 3]


def test_over_no_seed_there_is_no_floor():
    assert per_seed({"mean": "error", "at": NET}, {point(): [0.1]}).sd_floor([]) == 0


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (math.nan, "error is nan"),
        (math.inf, "error is inf"),
        (1.3, "error is 1.3, beyond its bounds [0.0, 1.0]"),
        (-0.01, "error is -0.01, beyond its bounds [0.0, 1.0]"),
    ],
)
def test_a_value_that_cannot_be_is_a_problem(value, problem):
    found = per_seed({"mean": "error", "at": NET}, {point(): [0.1, value]})
    assert found.values == {}
    assert found.problems == (f"seed 1 at arm=net, scene=plain, width=4: {problem}",)


@pytest.mark.parametrize("value", [1 + 1e-12, -1e-12, 1.004, 0.0, 1.0])
def test_a_bound_may_be_passed_by_rounding_and_by_one_step(value):
    assert per_seed({"mean": "error", "at": NET}, {point(): [value]}).values == {0: value}


@pytest.mark.parametrize(
    ("bounds", "value", "beyond"),
    [
        # Without a resolution a bound may be passed by a billionth: of one, or of a bound that is larger.
        ([0, 1], 0.0, False),
        ([0, 1], 1.0, False),
        ([0, 1], 1 + 5e-10, False),
        ([0, 1], 1 + 1e-9, False),
        ([0, 1], -1e-9, False),
        ([0, 1], 1 + 2e-9, True),
        ([0, 1], -5e-10, False),
        ([0, 1], -2e-9, True),
        ([0, 1e-3], 1e-3 + 5e-10, False),
        ([0, 1e6], 1e6 + 5e-4, False),
        ([0, 1e6], 1e6 + 2e-3, True),
        ([-1e6, 0], 5e-4, False),
        ([-1e6, 0], 2e-3, True),
        ([None, 1], -1e9, False),
        ([None, 1], 1 + 2e-9, True),
        ([0, None], 1e9, False),
        ([0, None], -2e-9, True),
    ],
)
def test_without_a_resolution_a_bound_may_be_passed_by_rounding_alone(bounds, value, beyond):
    metric = {"unit": "s", "better": "lower", "bounds": bounds}
    spec = claim_with({"mean": "m", "at": NET}, metrics={"m": metric})
    found = evaluate(spec.expectations["e"].contrast, spec, evidence_of({point(): [value]}, "m"), {})
    assert bool(found.problems) == beyond
    assert found.values == ({} if beyond else {0: value})


def test_a_missing_metric_is_a_problem():
    found = per_seed({"mean": "error", "at": NET}, {point(): [0.1]}, metric="loss")
    assert found.problems == ("seed 0 at arm=net, scene=plain, width=4: metric 'error' is missing",)


def test_a_contrast_beyond_the_range_of_floats_is_a_problem():
    found = per_seed(
        {"difference": "loss", "of": SVM, "minus": NET}, {point(): [0, -1e308], point("svm"): [1, 1e308]}, "loss"
    )
    assert found.values == {}
    assert found.problems == ("seed 1: the difference of loss is inf",)


def test_a_floor_reads_no_seed_but_those_it_is_asked_for():
    found = per_seed({"ratio": "error", "of": SVM, "to": NET}, {point(): [0.5, 0.0], point("svm"): [0.5, 0.5]})
    assert found.sd_floor([0]) == pytest.approx(resolution_floor(STEP, [2, 2]))
    assert found.sd_floor([0]) < found.sd_floor([0, 1])


def test_instances_are_every_point_of_every_seed():
    spec = claim_with({"exact": "error", "at": {"arm": "net", "width": 4}}, {"at_most": 0})
    rows = {point(): [0.0, 0.25], point(scene="clutter"): [0.5, 0.75]}
    found, problems = instances(spec.expectations["e"].contrast, spec, evidence_of(rows), SETTINGS)
    assert problems == ()
    assert sorted(found) == sorted(
        [(point(), 0, 0.0), (point(), 1, 0.25), (point(scene="clutter"), 0, 0.5), (point(scene="clutter"), 1, 0.75)]
    )


def test_an_instance_that_cannot_be_is_a_problem():
    spec = claim_with({"exact": "error", "at": NET}, {"at_most": 0})
    found, problems = instances(spec.expectations["e"].contrast, spec, evidence_of({point(): [2.0]}), SETTINGS)
    assert found == []
    assert problems == ("seed 0 at arm=net, scene=plain, width=4: error is 2, beyond its bounds [0.0, 1.0]",)


@pytest.mark.parametrize(("resolution", "step"), [("1/n_test", 0.005), (0.25, 0.25), (None, None)])
def test_a_resolution_is_a_number_or_one_over_a_setting(resolution, step):
    spec = claim(metrics={"error": {"unit": "fraction", "better": "lower", "resolution": resolution}})
    assert contrasts.step_at(spec.metrics["error"], point(), spec, SETTINGS) == step


# ---- weights, rates and what the seeds are asked -------------------------------------------------------------------

LINEAR = {
    "linear": "error",
    "cells": [
        {"weight": 1, "at": SVM},
        {"weight": -0.5, "at": NET},
        {"weight": -0.5, "at": {**NET, "width": 1}},
    ],
}
ROWS = {point(): [0.1, 0.2], point("svm"): [0.5, 0.4], point(width=1): [0.3, 0.1], point(scene="clutter"): [0.7, 0.9]}
SUCCESS = {"solved": {"unit": "0 or 1", "better": "higher"}}


def test_a_linear_contrast_is_the_weighted_sum_of_its_cells():
    found = per_seed(LINEAR, ROWS)
    assert found.values == pytest.approx({0: 0.5 - 0.05 - 0.15, 1: 0.4 - 0.1 - 0.05})
    assert found.bounds == (-1, 1)
    assert found.sd_floor([0, 1]) == pytest.approx(STEP / math.sqrt(12) * math.sqrt(1.5))
    spec = claim_with(LINEAR)
    assert points_of(spec.expectations["e"].contrast, spec) == [point("svm"), point(), point(width=1)]


@pytest.mark.parametrize(
    ("contrast", "weights"),
    [
        ({"difference": "error", "of": SVM, "minus": NET}, {"svm": 1, "net": -1}),
        ({"mean": "error", "at": NET}, {"net": 1}),
    ],
)
def test_other_kinds_are_linear_contrasts_with_weights_of_their_own(contrast, weights):
    cells = [{"weight": weight, "at": {**NET, "arm": arm}} for arm, weight in weights.items()]
    same = {"linear": "error", "cells": [*cells, {"weight": 1e-300, "at": {**NET, "width": 1}}]}
    one, other = per_seed(contrast, ROWS), per_seed(same, ROWS)
    assert one.values == other.values
    assert one.rounding == pytest.approx(other.rounding)


@pytest.mark.parametrize(
    ("contrast", "sequence"),
    [
        ({"mean": "error", "at": NET}, STUDENT),
        ({"median": "error", "at": NET}, Quantile(0.5)),
        ({"quantile": "error", "q": 0.9, "at": NET}, Quantile(0.9)),
        ({"rate": "loss", "at": NET}, Bounded(0.0, 1.0, binary=True)),
        ({"difference": "error", "of": SVM, "minus": NET}, STUDENT),
        ({"difference": "error", "of": SVM, "minus": NET, "over_seeds": "mean"}, STUDENT),
        ({"difference": "error", "of": SVM, "minus": NET, "over_seeds": "median"}, Quantile(0.5)),
        ({"ratio": "error", "of": SVM, "to": NET, "over_seeds": {"quantile": 0.25}}, Quantile(0.25)),
        ({**LINEAR, "over_seeds": "median"}, Quantile(0.5)),
        ({"difference": "solved", "of": SVM, "minus": NET}, Bounded(-1.0, 1.0)),
        ({"rank_trend": "solved", "over": "width", "at": {"arm": "net", "scene": "plain"}}, Bounded(-1.0, 1.0)),
        ({"rate": "solved", "at": NET}, Bounded(0.0, 1.0, binary=True)),
    ],
)
def test_the_seeds_are_asked_what_the_contrast_says_and_its_metric_allows(contrast, sequence):
    spec = claim_with(contrast, metrics={**sound()["metrics"], **SUCCESS})
    found = ranges.sequence_of(spec.expectations["e"].contrast, spec)
    assert found == sequence
    rows = {
        where: {0: {"error": 0.5, "loss": 1.0, "solved": 1.0}}
        for where in points_of(spec.expectations["e"].contrast, spec)
    }
    assert evaluate(spec.expectations["e"].contrast, spec, rows, SETTINGS).sequence == found


@pytest.mark.parametrize(
    "metric",
    [
        {"unit": "x", "better": "higher", "bounds": [0, 1], "resolution": 0.5},
        {"unit": "fraction", "better": "higher", "bounds": [0, 1]},
    ],
)
def test_other_metrics_between_zero_and_one_are_not(metric):
    assert not claim_with({"mean": "m", "at": NET}, metrics={"m": metric}).metrics["m"].two_valued


@pytest.mark.parametrize("value", [0.5, 2.0, -1.0, 1 + 1e-12])
@pytest.mark.parametrize("contrast", [{"rate": "loss", "at": NET}, {"difference": "solved", "of": SVM, "minus": NET}])
def test_a_value_that_is_neither_zero_nor_one_is_a_problem_of_a_rate(contrast, value):
    spec = claim_with(contrast, metrics={**sound()["metrics"], **SUCCESS})
    name = points.metric_of(spec.expectations["e"].contrast)
    evidence = evidence_of({point(): [1.0, value], point("svm"): [0.0, 1.0]}, name)
    found = evaluate(spec.expectations["e"].contrast, spec, evidence, SETTINGS)
    assert found.problems == (
        f"seed 1 at arm=net, scene=plain, width=4: {name} is {value:g}, and a rate counts zeros and ones alone",
    )


def test_zeros_and_ones_are_no_problem_whatever_their_type():
    spec = claim_with({"rate": "loss", "at": NET})
    found = evaluate(
        spec.expectations["e"].contrast, spec, evidence_of({point(): [True, False, 1, 0.0]}, "loss"), SETTINGS
    )
    assert (found.values, found.bounds, found.problems) == ({0: 1.0, 1: 0.0, 2: 1.0, 3: 0.0}, (0, 1), ())


def test_the_metric_itself_is_kept_seed_by_seed_with_its_coarsest_step():
    found = per_seed({"difference": "error", "of": SVM, "minus": NET}, {point(): [0.1, 0.3], point("svm"): [0.5, 0.4]})
    assert found.raw == {0: [0.5, 0.1], 1: [0.4, 0.3]}
    assert found.coarsest == STEP
    assert per_seed({"mean": "loss", "at": NET}, {point(): [0.1]}, "loss").coarsest == 0


# ---- a resolution that depends on the cell -------------------------------------------------------------------------


def steps_in(changes, where=None, change_of=contrasts.unchanged):
    spec = claim_with({"mean": "error", "at": NET}, **changes)
    return contrasts.step_at(spec.metrics["error"], where or point(), spec, SETTINGS, change_of)


def test_a_resolution_reads_the_setting_that_holds_at_the_cell():
    arms = {"net": {"n_test": 50}, "svm": {}}
    sizes = {"n_test": [10, 20], "width": [1, 2, 4], "scene": ["plain", "clutter"]}
    at_ten = (("arm", "net"), ("n_test", 10), ("scene", "plain"), ("width", 4))
    assert steps_in({}) == STEP
    assert steps_in({"arms": arms}) == 1 / 50
    assert steps_in({"arms": arms}, point("svm")) == STEP
    assert steps_in({"arms": arms, "conditions": sizes}, at_ten) == 1 / 10
    only_net = {"net": {"n_test": 5}}
    assert steps_in({"arms": arms, "conditions": sizes}, at_ten, lambda arm: only_net.get(arm, {})) == 1 / 5
    assert steps_in({}, point("svm"), lambda arm: only_net.get(arm, {})) == STEP


@pytest.mark.parametrize("order", [(10, 40), (40, 10)])
def test_the_floor_is_that_of_every_cells_own_resolution(order):
    sizes = {"n_test": [10, 40], "width": [4], "scene": ["plain"]}
    of, minus = ({"arm": "net", "n_test": n} for n in order)
    contrast = {"difference": "error", "of": of, "minus": minus}
    spec = claim_with(contrast, conditions=sizes)
    evidence = {
        (("arm", "net"), ("n_test", n), ("scene", "plain"), ("width", 4)): {0: {"error": 0.5}, 1: {"error": 0.5}}
        for n in (10, 40)
    }
    found = evaluate(spec.expectations["e"].contrast, spec, evidence, SETTINGS)
    assert found.sd_floor([0, 1]) == pytest.approx(math.hypot(1 / 10, 1 / 40) / math.sqrt(12))
    assert found.coarsest == 1 / 10


@pytest.mark.parametrize("order", [[10, 40], [40, 10]])
def test_of_a_list_of_cells_the_coarsest_resolution_counts_and_a_zero_in_a_ratio_is_half_of_its_own(order):
    sizes = {"n_test": [10, 40], "width": [4], "scene": ["plain"]}
    contrast = {
        "ratio": "error",
        "of": {"arm": "net", "n_test": order, "take": "max"},
        "to": {"arm": "net", "n_test": 40},
    }
    spec = claim_with(contrast, conditions=sizes)
    evidence = {
        (("arm", "net"), ("n_test", n), ("scene", "plain"), ("width", 4)): {0: {"error": 0.0}} for n in (10, 40)
    }
    found = evaluate(spec.expectations["e"].contrast, spec, evidence, SETTINGS)
    assert found.values == pytest.approx({0: math.log((1 / 20) / (1 / 80))})
    assert found.rounding[0] == pytest.approx(math.hypot(2, 2) / math.sqrt(12))


def test_a_metric_may_pass_its_bounds_by_one_step_of_the_resolution_at_that_cell():
    arms = {"net": {"n_test": 4}, "svm": {}}
    spec = claim_with({"difference": "error", "of": SVM, "minus": NET}, arms=arms)
    fine = evidence_of({point(): [1.25], point("svm"): [1.0]})
    beyond = evidence_of({point(): [1.0], point("svm"): [1.25]})
    contrast = spec.expectations["e"].contrast
    assert evaluate(contrast, spec, fine, SETTINGS).problems == ()
    assert evaluate(contrast, spec, beyond, SETTINGS).problems == (
        "seed 0 at arm=svm, scene=plain, width=4: error is 1.25, beyond its bounds [0.0, 1.0]",
    )


def test_instances_are_held_against_the_resolution_under_a_controls_change():
    spec = claim_with({"exact": "error", "at": NET})
    evidence = evidence_of({point(): [1.25]})
    assert instances(spec.expectations["e"].contrast, spec, evidence, SETTINGS)[0] == []
    found, problems = instances(spec.expectations["e"].contrast, spec, evidence, SETTINGS, lambda _: {"n_test": 4})
    assert (found, problems) == ([(point(), 0, 1.25)], ())


def test_seeds_are_as_many_steps_away_as_the_point_that_is_farthest():
    found = per_seed(
        {"difference": "error", "of": SVM, "minus": NET}, {point("svm"): [STEP, 1.0], point(): [4 * STEP, 0.5]}
    )
    assert found.steps == pytest.approx({0: 4, 1: 100})


def test_what_else_took_time_tells_no_seeds_apart_but_the_contrasts_own_seconds_do():
    second = {"unit": "second", "better": "lower"}
    spec = claim_with({"mean": "training", "at": NET}, metrics={"training": second, "inference": second})
    evidence = {point(): {0: {"training": 1.5, "inference": 9.0}, 1: {"training": 1.25, "inference": 9.0}}}
    found = evaluate(spec.expectations["e"].contrast, spec, evidence, SETTINGS)
    assert {seed: list(row) for seed, row in found.rows.items()} == {0: [1.5], 1: [1.25]}
