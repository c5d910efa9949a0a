"""The mark on seeds that a t interval's error rate is not made for: its statistic, its limits, and what it leaves alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kurtosis, skew

from harness.judging import normality
from harness.judging.bounded import Bounded
from harness.judging.contrasts import PerSeed
from harness.judging.normality import CONSTANT, LIMITS, NOT_NORMAL, TWO_VALUES, bimodality, limit, shape
from harness.judging.quantile import Quantile
from tests.calibration import limits
from tests.calibration.counts import WORLDS
from tests.calibration.shapes import alike, coefficients, marked

SAMPLES = st.lists(st.integers(-1000, 1000).map(lambda v: v / 8), min_size=2, max_size=30).filter(
    lambda v: len(set(v)) > 1
)


def per_seed(values, **extra):
    return PerSeed(dict(enumerate(values)), **extra)


def shape_of(values, **extra):
    return shape(per_seed(values, **extra), range(len(values)))


@given(SAMPLES)
def test_the_coefficient_is_made_of_skewness_and_kurtosis(values):
    # scipy's moments, where they are not lost to rounding.
    if np.std(values) > 1e-6:
        expected = (skew(values) ** 2 + 1) / kurtosis(values, fisher=False)
        assert bimodality(values) == pytest.approx(expected, rel=1e-9)
    assert 0 < bimodality(values) <= 1 + 1e-12


@pytest.mark.parametrize("ones", [1, 3, 6])
def test_two_values_have_a_coefficient_of_one_in_whatever_proportion(ones):
    assert bimodality([5.0] * ones + [-3.0] * (12 - ones)) == pytest.approx(1.0)


@given(SAMPLES, st.sampled_from([1e-150, 1e-3, 1e150]), st.sampled_from([-1, 1]))
def test_neither_place_nor_scale_matters(values, scale, sign):
    moved = [sign * scale * value + 100 * scale for value in values]
    assert bimodality(moved, 3 * scale) == pytest.approx(bimodality(values, 3.0), rel=1e-6)


def test_a_rounding_error_counts_as_if_it_had_been_added():
    values = [0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0]
    fine = np.add.outer(values, (np.arange(2000) + 0.5) / 2000 - 0.5).ravel()
    assert bimodality(values, 1 / math.sqrt(12)) == pytest.approx(bimodality(fine.tolist()), rel=1e-5)
    assert bimodality(values, 1 / math.sqrt(12)) < 0.7


@pytest.mark.parametrize("size", [1e-100, 1e100])
def test_the_coefficient_is_that_of_numbers_of_any_size(size):
    # Of two values the coefficient is 1, in whatever proportion.
    assert bimodality([size, size, -2 * size]) == pytest.approx(1.0)
    plain = bimodality([0.0, 1.0, -1.0, 3.0, -3.0], 0.5)
    assert bimodality([0.0, size, -size, 3 * size, -3 * size], 0.5 * size) == pytest.approx(plain)


def test_the_limits_fall_with_the_number_of_seeds_and_reach_on():
    found = [limit(n) for n in (5, 6, 11, 12, 13, 40, 1000, 4096, 10_000, 10**6)]
    assert found == sorted(found, reverse=True)
    assert found[1] == LIMITS[6]
    assert LIMITS[12] < limit(11) < LIMITS[10]
    assert 1 / 3 < found[-1] < 0.336
    assert all(limit(n) == math.inf for n in (0, 1, 4))
    assert limit(4096) == pytest.approx(LIMITS[4096])


def test_the_limits_are_of_the_sizes_that_their_script_makes():
    assert tuple(LIMITS) == limits.SIZES
    assert list(LIMITS.values()) == sorted(LIMITS.values(), reverse=True)
    assert min(LIMITS.values()) > 1 / 3
    assert max(LIMITS.values()) < 1


@pytest.mark.parametrize("size", [5, 12, 32])
def test_the_limits_are_those_that_their_script_makes(size):
    # 100,000 samples know the quantile to a few units of the third digit.
    assert LIMITS[size] == pytest.approx(limits.made(size, 400_000), abs=0.006)


@pytest.mark.parametrize("n", [5, 11, 13, 30, 40, 100, 300])
def test_one_normal_sample_in_a_hundred_at_most_is_marked(n):
    values = np.random.default_rng([19, n]).standard_normal((20_000, n))
    # Four standard errors above 0.009 are 0.0117; half of it would be a test that sees less than it could.
    assert 0.006 < (coefficients(values) > limit(n)).mean() < 0.0117


@pytest.mark.parametrize(("world", "least"), [("two clusters, 47 %", 0.99), ("two clusters, 80 %", 0.9)])
def test_of_clusters_that_both_are_met_nine_in_ten_are_marked_by_twelve_seeds(world, least):
    values = WORLDS[world].law.draw(np.random.default_rng(23), (5_000, 12))
    assert (coefficients(values) > limit(12)).mean() > least


def test_marks_of_many_runs_are_those_of_each():
    generator = np.random.default_rng(29)
    values = np.concatenate([generator.exponential(size=(20, 24)), np.round(generator.normal(0, 0.4, (20, 24)))])
    values[5] = 3.0
    found = type("Ended", (), {"n": np.array([6, 12, 18, 24] * 10)})
    floor = 1 / math.sqrt(12)
    one_by_one = [
        shape(PerSeed(dict(enumerate(row)), dict.fromkeys(range(24), floor)), range(n))
        for row, n in zip(values, found.n, strict=True)
    ]
    assert [mark == NOT_NORMAL for mark in one_by_one] == marked(values, found, floor).tolist()
    assert [mark == CONSTANT for mark in one_by_one] == alike(values, found).tolist()
    assert {NOT_NORMAL, CONSTANT, ""} == set(one_by_one)


CLUSTERS = [1.0, -1.0, 1.01, -0.99, 1.02, -1.01]


def test_clusters_and_far_seeds_are_marked():
    assert shape_of(CLUSTERS) == NOT_NORMAL
    assert shape_of([0.1, -0.2, 0.3, 0.0, 0.2, -0.1, 30.0]) == NOT_NORMAL
    assert shape_of([0.1, -0.2, 0.3, 0.0, 0.2, -0.1, 0.4]) == ""


def test_the_seeds_that_are_asked_about_count_and_no_later_ones():
    found = per_seed([0.1, -0.2, 0.3, 0.0, 0.2, -0.1, 0.4, 30.0])
    assert shape(found, range(7)) == ""
    assert shape(found, range(8)) == NOT_NORMAL
    assert shape(found, []) == ""


def test_neighbours_in_the_resolution_are_no_clusters():
    values = [0.10, 0.11, 0.10, 0.11, 0.10, 0.11]
    assert shape_of(values) == NOT_NORMAL
    rounding = dict.fromkeys(range(6), 0.01 / math.sqrt(12))
    assert shape_of(values, rounding=rounding) == ""


def test_values_that_are_all_the_same_are_told_apart_from_both():
    assert shape_of([0.5] * 6) == CONSTANT
    assert shape_of([0.5] * 6, raw={seed: [0.5] for seed in range(6)}) == CONSTANT


@pytest.mark.parametrize(("coarsest", "found"), [(0.0, TWO_VALUES), (0.6, TWO_VALUES), (2 / 3, ""), (1.0, "")])
def test_a_metric_of_two_values_is_marked_unless_its_resolution_explains_them(coarsest, found):
    raw = {seed: [seed % 2, 1 - seed % 2, 1.0] for seed in range(6)}
    assert shape_of([0.1, -0.2, 0.3, 0.0, 0.2, -0.1], raw=raw, coarsest=coarsest) == found


def test_what_counts_is_how_far_two_values_lie_apart():
    raw = {seed: [3.0 + seed % 2] for seed in range(6)}
    assert shape_of([0.1, -0.2, 0.3, 0.0, 0.2, -0.1], raw=raw, coarsest=0.8) == ""


def test_the_values_of_every_point_count():
    raw = {seed: [0.0, 1.0] for seed in range(6)}
    assert shape_of([0.1, -0.2, 0.3, 0.0, 0.2, -0.1], raw=raw) == TWO_VALUES


def test_a_metric_of_three_values_is_not_one_of_two():
    assert shape_of([0.1, -0.2, 0.3, 0.0, 0.2, -0.1], raw={seed: [seed % 3] for seed in range(6)}) == ""


@pytest.mark.parametrize("sequence", [Bounded(-2.0, 2.0), Quantile(0.5)])
def test_what_needs_no_shape_is_never_marked(sequence):
    assert shape_of(CLUSTERS, sequence=sequence, raw={seed: [seed % 2] for seed in range(6)}) == ""


def test_shapes_that_break_the_promise_are_those_with_a_remedy():
    assert normality.BREAKING == (NOT_NORMAL, TWO_VALUES)
