"""The simulated rule is the judge's rule, run by run."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.judging import student
from harness.judging.bounded import Bounded
from harness.judging.confidence_sequence import Student
from harness.judging.quantile import Quantile
from harness.judging.simulation import Rule, decide
from harness.judging.verdict import INCONCLUSIVE, REFUTED, VERIFIED, judge
from harness.specification.models import SeedPlan
from tests.specimen import claim_with, evidence_of, point

NET = {"arm": "net", "width": 4, "scene": "plain"}
WORDS = {1: VERIFIED, -1: REFUTED, 0: INCONCLUSIVE}
PLAN = SeedPlan(first=6, step=4, cap=24)


def noisy(centre, spread):
    """Errors on 200 test examples, 60 runs."""
    drawn = np.random.default_rng(5).normal(centre, spread, (60, PLAN.cap))
    return np.clip(np.round(drawn * 200) / 200, 0, 1)


@pytest.mark.parametrize(
    "form", [{"at_least": 0.1}, {"at_most": 0.11}, {"between": [0.08, 0.12]}, {"at_least": 0.2}, {"at_most": 0.05}]
)
@pytest.mark.parametrize("metric", ["error", "loss"])
@pytest.mark.parametrize("alpha", [0.001, 0.2])
def test_a_simulated_run_ends_as_judge_ends_it(form, metric, alpha):
    same_end(noisy(0.1, 0.01), form, metric, alpha)


@pytest.mark.parametrize("spread", [0.0, 0.001, 0.02])
@pytest.mark.parametrize(
    ("centre", "form"),
    [
        # An end of the interval is then a bound of the metric, and the edge of the band besides.
        (0.02, {"at_least": 0.0}),
        (0.02, {"at_most": 0.0}),
        (0.98, {"at_most": 1.0}),
        (0.98, {"at_least": 1.0}),
        (0.5, {"between": [-1.0, 2.0]}),
        (0.5, {"at_least": 0.45}),
    ],
)
def test_a_simulated_run_at_a_bound_or_without_spread_ends_as_judge_ends_it(centre, form, spread):
    same_end(noisy(centre, spread), form, "error", 0.001)


def same_end(values, form, metric, alpha):
    """Hold every simulated run against the judge's."""
    spec = claim_with({"mean": metric, "at": NET}, form, expectation={"alpha": alpha})
    band = spec.expectations["e"].band
    floor, bounds = (student.resolution_floor(1 / 200), (0.0, 1.0)) if metric == "error" else (0.0, student.UNBOUNDED)
    found = decide(values, Rule(PLAN.looks, band.low, band.high, alpha, floor, bounds))
    for row, sign, n in zip(values, found.sign, found.n, strict=True):
        evidence = evidence_of({point(): row.tolist()}, metric)
        for seed, trial in evidence[point()].items():
            # Something else differs from seed to seed: the simulation knows no seeds that all drew the same data.
            trial["other"] = float(seed)
        judged = judge(spec.expectations["e"], spec, evidence, {"n_test": 200}, PLAN)
        assert (judged.verdict, judged.n) == (WORDS[int(sign)], n)


@pytest.mark.parametrize(
    ("p", "form"),
    [
        (0.98, {"at_least": 0.7}),
        (0.95, {"at_most": 0.5}),
        (0.5, {"at_least": 0.8}),
        (0.5, {"between": [0.15, 0.85]}),
        (0.02, {"between": [0.4, 0.9]}),
    ],
)
def test_a_simulated_rate_ends_as_judge_ends_it(p, form):
    values = (np.random.default_rng(7).random((40, 60)) < p).astype(float)
    same_end_of({"rate": "loss", "at": NET}, values, form, Bounded(0.0, 1.0, binary=True), (0.0, 1.0))


@pytest.mark.parametrize(
    ("q", "form"),
    [
        (0.5, {"at_least": -1.0}),
        (0.5, {"at_most": -0.8}),
        (0.5, {"between": [-1.5, 1.5]}),
        (0.8, {"at_least": 0.0}),
        (0.8, {"at_least": 2.2}),
    ],
)
def test_a_simulated_quantile_ends_as_judge_ends_it(q, form):
    values = np.round(np.random.default_rng(11).normal(0, 1, (40, 60)), 1)
    same_end_of({"quantile": "loss", "q": q, "at": NET}, values, form, Quantile(q))


def same_end_of(contrast, values, form, sequence, bounds=student.UNBOUNDED):
    """Hold every simulated run of another question against the judge's."""
    plan, decided = SeedPlan(first=4, step=4, cap=60), 0
    spec = claim_with(contrast, form)
    band = spec.expectations["e"].band
    found = decide(values, Rule(plan.looks, band.low, band.high, 0.001, bounds=bounds, sequence=sequence))
    for row, sign, n in zip(values, found.sign, found.n, strict=True):
        judged = judge(spec.expectations["e"], spec, evidence_of({point(): row.tolist()}, "loss"), {}, plan)
        assert (judged.verdict, judged.n) == (WORDS[int(sign)], n)
        decided += sign != 0
    assert decided > 5


def test_once_every_run_is_decided_no_later_look_is_computed():
    values = np.ones((3, 24))
    found = decide(values, Rule([12, 24], 0.1, math.inf, 0.001, sequence=Bounded(0.0, 1.0)))
    assert found.n.tolist() == [12, 12, 12]


def test_too_few_seeds_for_an_interval_decide_nothing():
    # Not even of a band that holds all that the metric can be.
    found = decide(np.full((3, 4), 0.5), Rule([3, 4], -1.0, 2.0, 0.001, sd_floor=1e-9, bounds=(0.0, 1.0)))
    assert found.sign.tolist() == [0, 0, 0]
    assert found.n.tolist() == [4, 4, 4]


def test_looks_with_too_few_seeds_leave_the_later_ones_to_decide():
    found = decide(np.full((3, 8), 0.5), Rule([3, 6, 8], 0.0, 1.0, 0.001, sd_floor=1e-9))
    assert found.sign.tolist() == [1, 1, 1]
    assert found.n.tolist() == [6, 6, 6]


def test_signs_are_small_integers_and_numbers_of_seeds_whole():
    found = decide(np.zeros((2, 6)), Rule([6], 0.0, 1.0, 0.001))
    assert (found.sign.dtype, found.n.dtype) == (np.int8, np.int64)


def test_unless_told_otherwise_values_have_neither_bounds_nor_a_floor():
    values = [[100.0, 100.01, 99.99, 100.0, 100.01, 99.99]]
    assert decide(np.array(values), Rule([6], 99.0, 101.0, 0.001)).sign.tolist() == [1]


@pytest.mark.parametrize("shape", [(6,), (2, 6, 1)])
def test_values_that_are_no_table_of_runs_and_seeds_are_refused(shape):
    with pytest.raises(ValueError, match="hold no 6 seeds per run"):
        decide(np.zeros(shape), Rule([6], 0, 1, 0.001))


def test_the_last_look_is_the_one_that_needs_most_seeds():
    with pytest.raises(ValueError, match=r"shape \(2, 5\) hold no 6 seeds per run"):
        decide(np.zeros((2, 5)), Rule([4, 6], 0, 1, 0.001))


def test_the_prior_scale_is_the_one_given():
    values = np.random.default_rng(1).normal(3, 1, (500, 32))
    looks = list(range(5, 33))
    means = [decide(values, Rule(looks, 0, math.inf, 0.001, sequence=Student(g))).n.mean() for g in (1.0, 10.0)]
    assert means[0] != means[1]


def test_values_for_fewer_seeds_than_the_looks_are_refused():
    with pytest.raises(ValueError, match=r"shape \(2, 5\) hold no 6 seeds per run"):
        decide(np.zeros((2, 5)), Rule([6], 0, 1, 0.001))


def test_rounding_errors_of_the_seeds_seen_are_the_floor_of_the_spread():
    values = np.full((2, 8), 0.5)
    # Root mean squares of 1 and 7 are 5; the second run's large errors are those of later seeds.
    rounding = np.array([[1, 7, 1, 7, 1, 7, 1, 7], [0.1] * 6 + [10, 10]], dtype=float)
    edge = 0.5 - 1.01 * 5.0 * student.half_width(6, 0.001)
    found = decide(values, Rule([6, 8], edge, math.inf, 0.001), rounding)
    assert found.n.tolist() == [6, 6]
    tight = decide(values, Rule([6, 8], 0.5 - 0.99 * 5.0 * student.half_width(6, 0.001), math.inf, 0.001), rounding)
    assert tight.n.tolist() == [8, 6]
    alike = decide(values, Rule([6], edge, math.inf, 0.001), np.full(values.shape, 5.0))
    assert alike.sign.tolist() == decide(values, Rule([6], edge, math.inf, 0.001, sd_floor=5.0)).sign.tolist() == [1, 1]
