"""Forecasts: an assurance, by the judge's own rule."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import kstest, t

from harness.judging.bounded import Bounded
from harness.judging.quantile import Quantile
from harness.judging.simulation import Rule, decide
from harness.running.forecast import Sample, draw, draw_shares, forecasts_of, simulate
from harness.running.smallest_effect import TARGET_POWER, smallest_distance, smallest_step
from harness.running.variant import main_variant
from harness.specification.models import SeedPlan
from tests.specimen import claim_with, evidence_of, point

NET = {"arm": "net", "width": 4, "scene": "plain"}
SVM = {"arm": "svm", "width": 4, "scene": "plain"}
PLAN = SeedPlan(first=6, step=2, cap=24)
AT_LEAST_ZERO = Rule(list(range(5, 33)), 0.0, math.inf, 0.001)
KNOWN = 10**9
"""So many values that mean and spread are known."""


def generator(seed=0):
    return np.random.default_rng(seed)


def forecast_of(claim, rows, metric="loss", seeds=PLAN):
    """Return the forecasts of a claim after trials with these values."""
    variant = main_variant(claim)
    variant.evidence.update(evidence_of(rows, metric))
    return forecasts_of(SimpleNamespace(claim=claim, settings={"n_test": 200}, seeds=seeds), variant)


@pytest.mark.parametrize(("effect", "seeds"), [(10, 5.3), (5, 6.3), (3, 8.2), (2, 11.4)])
def test_known_effects_are_decided_after_the_seeds_that_theory_says(effect, seeds):
    found = simulate(Sample(KNOWN, effect, 1.0), AT_LEAST_ZERO, generator(), runs=20_000)

    # The table is rounded to 0.05; 20,000 runs know the mean to 0.02 (one standard error).
    assert found.n.mean() == pytest.approx(seeds, abs=0.11)
    assert (found.sign > 0).mean() > 0.98


def test_more_effect_is_more_probability_and_fewer_seeds():
    found = [simulate(Sample(12, effect, 1.0), AT_LEAST_ZERO, generator()) for effect in (0, 0.5, 1, 1.5, 2, 3, 5)]

    probabilities, seeds = [(d.sign != 0).mean() for d in found], [d.n.mean() for d in found]
    assert probabilities == sorted(probabilities)
    assert seeds == sorted(seeds, reverse=True)
    assert probabilities[0] < 0.1 < TARGET_POWER < probabilities[-1]


def test_truth_on_the_edge_is_hardly_ever_decided():
    assert (simulate(Sample(KNOWN, 0.0, 1.0), AT_LEAST_ZERO, generator()).sign != 0).mean() < 0.01


def test_further_values_follow_the_predictive_distribution():
    """Under the Jeffreys prior a further value is Student t with n - 1 degrees of freedom and scale s sqrt(1 + 1/n)."""
    values = draw(Sample(5, 2.0, 3.0), 4000, 3, generator())

    for column in values.T:
        assert kstest(column, t(4, 2.0, 3.0 * math.sqrt(1.2)).cdf).pvalue > 0.01
    # Values of one run share what is not known: mean and spread.
    assert np.corrcoef(np.sign(values[:, 0] - 2), np.sign(values[:, 1] - 2))[0, 1] > 0.05


def test_small_pilots_promise_less_than_large_ones():
    few, many = (simulate(Sample(n, 3.0, 1.0), AT_LEAST_ZERO, generator()) for n in (3, 300))

    # With two degrees of freedom the spread is three times as large as it seems in one run of ten.
    assert (few.sign != 0).mean() < (many.sign != 0).mean() - 0.05


@pytest.mark.parametrize("floor", [0.0, 1.0])
@pytest.mark.parametrize("looks", [tuple(range(6, 25, 2)), (8, 32)])
def test_smallest_distance_is_told_nine_times_in_ten(looks, floor):
    distance = smallest_distance(looks, 0.001, floor)

    noise = generator(7).standard_normal((20_000, looks[-1]))
    told = (decide(noise + distance, Rule(looks, 0.0, math.inf, 0.001, floor)).sign > 0).mean()
    # The search knows the probability to 0.007, and the distance to half a per cent.
    assert told == pytest.approx(0.9, abs=0.025)


def test_nothing_is_told_where_the_interval_is_never_bounded():
    assert math.isinf(smallest_distance((3, 4), 0.001, 0.0))


def test_effect_is_the_distance_to_the_nearest_edge_in_standard_deviations():
    values = [1.0, 3.0] * 10
    found = forecast_of(claim_with({"mean": "loss", "at": NET}, {"between": [-8, 5]}), {point(): values})["e"]

    assert found.n == 20
    assert found.effect == pytest.approx(3 / np.std(values, ddof=1))
    assert found.sd == pytest.approx(np.std(values, ddof=1))
    assert found.smallest_effect() == pytest.approx(found.sd * smallest_distance(tuple(PLAN.looks), 0.001, 0.0))


def test_effect_outside_the_band_counts_as_well():
    found = forecast_of(claim_with({"mean": "loss", "at": NET}, {"at_least": 5}), {point(): [1.0, 3.0] * 10})["e"]

    assert found.effect == pytest.approx(3 / np.std([1.0, 3.0] * 10, ddof=1))
    assert found.probability > TARGET_POWER


def test_an_edge_that_the_metric_cannot_pass_does_not_count():
    spec = claim_with({"mean": "error", "at": NET}, {"between": [0, 0.5]})

    found = forecast_of(spec, {point(): [0.0, 0.1] * 5}, "error")["e"]

    assert found.effect == pytest.approx(0.45 / np.std([0.0, 0.1] * 5, ddof=1))


def test_ratios_are_forecast_on_the_log_scale_and_told_by_a_factor():
    spec = claim_with({"ratio": "loss", "of": SVM, "to": NET}, {"at_least": 1})
    ratios = [math.exp(1.0), math.exp(3.0)] * 8

    found = forecast_of(spec, {point("svm"): ratios, point("net"): [1.0] * 16})["e"]

    sd = np.std([1.0, 3.0] * 8, ddof=1)
    assert found.effect == pytest.approx(2 / sd)
    assert found.smallest_effect() == pytest.approx(math.exp(sd * smallest_distance(tuple(PLAN.looks), 0.001, 0.0)))


def test_spread_is_never_taken_below_the_floor():
    spec = claim_with({"mean": "error", "at": NET}, {"at_most": 0.1})

    found = forecast_of(spec, {point(): [0.05] * 8}, "error")["e"]

    assert found.sd == pytest.approx(1 / 200 / math.sqrt(12))
    assert found.effect == pytest.approx(0.05 / found.sd)
    assert found.probability == 1.0


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([], "0 seeds have all the trials"),
        ([1.0], "1 seeds have all the trials"),
        ([2.0] * 6, "the same for every seed"),
        ([1.0, math.nan, 2.0], "loss is nan"),
        ([1e308, -1e308] * 3, "too large for a spread"),
    ],
)
def test_without_a_spread_there_is_no_forecast(values, reason):
    found = forecast_of(claim_with({"mean": "loss", "at": NET}, {"at_least": 5}), {point(): values})["e"]

    assert reason in found.reason
    assert math.isnan(found.probability)
    assert math.isnan(found.smallest_effect())
    assert not found.underpowered
    assert found.seeds == PLAN.cap


@pytest.mark.parametrize("values", [[], [0.0] * 4, [0.3] * 4])
def test_mathematics_is_decided_at_the_first_look(values):
    spec = claim_with({"exact": "error", "at": NET}, {"at_most": 0.1})

    found = forecast_of(spec, {point(): values}, "error")["e"]

    assert (found.probability, found.seeds, found.n) == (1.0, PLAN.first, len(values))
    assert math.isnan(found.effect)


def two_expectations(band):
    """Return a claim with one reading of two expectations: `e`, and `clear` that is held against `band`."""
    spec = claim_with({"mean": "loss", "at": NET}, {"at_least": 0})
    value = spec.model_dump(exclude_none=True)
    expectations = value["readings"]["as_documented"]["expectations"]
    expectations["clear"] = {**expectations["e"], "contrast": {"mean": "loss", "at": SVM}, "band": band}
    return type(spec).model_validate(value)


UNCLEAR = {point(): [-1.0, 1.0] * 8, point("svm"): [9.0, 11.0] * 8}


def test_a_refuted_member_closes_its_reading():
    found = forecast_of(two_expectations({"at_most": 0}), UNCLEAR)

    assert found["clear"].probability == 1.0
    assert found["e"].probability == 1.0
    assert found["e"].seeds == pytest.approx(found["clear"].seeds, abs=0.1)


def test_a_verified_member_leaves_its_reading_open():
    found = forecast_of(two_expectations({"at_least": 0}), UNCLEAR)

    assert found["clear"].probability == 1.0
    assert found["e"].underpowered
    assert found["e"].seeds > 15


def test_the_same_trials_give_the_same_forecast():
    spec = claim_with({"mean": "loss", "at": NET}, {"at_least": 0})
    first, second = (forecast_of(spec, {point(): [1.0, 2.0, 4.0, 2.0]})["e"] for _ in range(2))

    assert np.array_equal(first.needed, second.needed)


# ---- rates and quantiles -------------------------------------------------------------------------------------------

RATE = {"rate": "loss", "at": NET}
LONG = SeedPlan(first=6, step=2, cap=100)


def test_shares_of_further_runs_follow_the_dirichlet_law_of_what_was_seen():
    values = draw_shares(np.array([0.0, 1.0]), np.array([1.0] * 7 + [0.0]), 20_000, 50, generator())

    # Jeffreys: Beta(7.5, 1.5). A share over 50 seeds varies by the law and by the seeds.
    mean, spread = 7.5 / 9, 7.5 * 1.5 / 81 / 10
    assert values.mean() == pytest.approx(mean, abs=0.005)
    assert values.mean(axis=1).var() == pytest.approx(spread + (mean * (1 - mean) - spread) / 50, rel=0.05)
    assert set(np.unique(values)) == {0.0, 1.0}


def test_a_rate_that_is_nearly_known_is_decided_after_the_seeds_that_counting_says():
    found = forecast_of(claim_with(RATE, {"at_least": 0.5}), {point(): [1.0] * 2000}, seeds=LONG)["e"]

    assert found.probability == 1.0
    assert found.seeds == pytest.approx(12, abs=0.1)
    assert math.isnan(found.effect)


def test_a_small_pilot_of_a_rate_promises_less_than_a_large_one():
    few, many = (
        forecast_of(claim_with(RATE, {"at_least": 0.7}), {point(): [1.0] * n}, seeds=LONG)["e"].probability
        for n in (3, 300)
    )
    assert few < 0.9 < many


def test_the_smallest_step_of_a_rate_is_told_nine_times_in_ten():
    for edge, upward in ((0.5, True), (0.5, False), (0.7, True)):
        step = smallest_step(tuple(LONG.looks), 0.001, edge, upward=upward)
        picks = generator(3).random((20_000, LONG.cap)) < (edge + step if upward else edge - step)
        band = (edge, math.inf) if upward else (-math.inf, edge)
        told = decide(picks.astype(float), Rule(LONG.looks, *band, 0.001, sequence=Bounded(0.0, 1.0, binary=True)))
        assert (told.sign > 0).mean() == pytest.approx(0.9, abs=0.03)
    assert smallest_step(tuple(PLAN.looks), 0.001, 0.9, upward=True) == math.inf


def test_the_smallest_step_is_counted_from_the_edge_next_to_the_estimate():
    spec = claim_with(RATE, {"between": [0.3, 0.8]})
    low, high = (
        forecast_of(spec, {point(): values}, seeds=LONG)["e"].smallest_effect()
        for values in ([0.0, 1.0, 0.0] * 5, [1.0] * 15)
    )
    looks = tuple(LONG.looks)
    assert low == smallest_step(looks, 0.001, 0.3, upward=True)
    assert high == smallest_step(looks, 0.001, 0.8, upward=True)


def test_of_a_difference_of_rates_the_smallest_effect_is_not_known():
    metrics = {"solved": {"unit": "0 or 1", "better": "higher"}}
    spec = claim_with({"difference": "solved", "of": SVM, "minus": NET}, {"at_least": 0}, metrics=metrics)

    found = forecast_of(spec, {point("svm"): [1.0] * 8, point(): [0.0] * 7 + [1.0]}, "solved", seeds=LONG)["e"]

    assert math.isnan(found.smallest_effect())
    assert 0.9 < found.probability <= 1
    assert found.n == 8


def test_a_median_is_forecast_by_the_side_of_the_band_that_seeds_lie_on():
    spec = claim_with({"median": "loss", "at": NET}, {"at_least": 0})

    clear = forecast_of(spec, {point(): [1.0, 1e9, 2.0, 3.0] * 50}, seeds=LONG)["e"]
    even = forecast_of(spec, {point(): [1.0, -1e9, 2.0, -3.0] * 50}, seeds=LONG)["e"]

    assert (clear.probability, even.underpowered) == (1.0, True)
    # Of two hundred seeds on one side a next one lies there too, all but surely.
    assert clear.seeds == pytest.approx(12.2, abs=0.2)
    assert even.seeds > 80


def test_a_median_between_two_edges_counts_seeds_on_all_three_sides():
    spec = claim_with({"median": "loss", "at": NET}, {"between": [0, 10]})
    inside = forecast_of(spec, {point(): [5.0] * 99 + [6.0]}, seeds=LONG)["e"]
    astride = forecast_of(spec, {point(): [-1.0, 11.0] * 50}, seeds=LONG)["e"]
    above = forecast_of(spec, {point(): [11.0, 12.0] * 50}, seeds=LONG)["e"]
    assert (inside.probability, above.probability) == (1.0, 1.0)
    assert astride.probability < 0.3


def test_the_effect_of_a_median_is_told_in_standard_deviations_and_needs_more_of_them():
    values = [1.0, 3.0] * 10
    found = forecast_of(claim_with({"median": "loss", "at": NET}, {"at_least": -4}), {point(): values}, seeds=LONG)["e"]
    assert found.effect == pytest.approx(6 / np.std(values, ddof=1))
    smallest = smallest_distance(tuple(LONG.looks), 0.001, 0.0, Quantile(0.5))
    assert found.smallest_effect() == pytest.approx(found.sd * smallest)
    assert smallest > 1.1 * smallest_distance(tuple(LONG.looks), 0.001, 0.0)
    assert smallest_distance((6, 8), 0.001, 0.0, Quantile(0.5)) == math.inf


def test_the_distance_of_a_quantile_is_that_from_the_quantile_itself():
    looks = tuple(LONG.looks)
    distance = smallest_distance(looks, 0.001, 0.0, Quantile(0.75))
    noise = generator(9).standard_normal((20_000, 100)) - 0.6744897501960817
    told = (decide(noise + distance, Rule(looks, 0.0, math.inf, 0.001, sequence=Quantile(0.75))).sign > 0).mean()
    assert told == pytest.approx(0.9, abs=0.025)


def test_one_value_gives_no_forecast_of_a_rate_either():
    found = forecast_of(claim_with(RATE, {"at_least": 0.5}), {point(): [1.0]}, seeds=LONG)["e"]
    assert found.reason == "1 seeds have all the trials that this contrast needs; 2 give a spread"
