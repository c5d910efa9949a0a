"""Quantiles by exact inversion: against counting, against another package, and with ties."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import ville
from hypothesis import given
from hypothesis import strategies as st

from harness.judging import binomial, student
from harness.judging.confidence_sequence import STUDENT
from harness.judging.quantile import Quantile
from harness.judging.simulation import Rule, decide

MEDIAN = Quantile(0.5)
VALUES = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=24)


def kept(values, q, alpha):
    """Return those x on a fine grid that neither the count at or below them, nor that below, speaks against."""
    few, many = binomial.tails(len(values), q, alpha)
    grid = np.arange(-6, 6.01, 0.25)
    return [x for x in grid if (values <= x).sum() >= few and (values < x).sum() <= len(values) - many]


@given(VALUES, st.sampled_from([0.25, 0.5, 0.9]))
def test_the_interval_holds_what_no_count_speaks_against(values, q):
    array = np.array(values)
    found, inside = Quantile(q).interval(values, 0.05), kept(array, q, 0.05)
    low, high = max(found.low, -6), min(found.high, 6)
    assert (min(inside), max(inside)) == (low, high)


def test_the_ends_are_ordered_values():
    values = np.random.default_rng(3).permutation(24).astype(float)
    found = MEDIAN.interval(values, 0.001)
    assert (found.n, found.estimate, found.low, found.high) == (24, 11.5, 2.0, 21.0)
    assert found.sd == pytest.approx(values.std(ddof=1))


def test_the_two_sides_of_a_quantile_that_is_no_median_differ():
    values = np.arange(40.0)
    upper, lower = Quantile(0.9).interval(values, 0.05), Quantile(0.1).interval(-values, 0.05)
    assert (upper.low, upper.high) == (-lower.high, -lower.low)
    assert upper.low < 36 < upper.high


@pytest.mark.parametrize("n", [1, 5, 11])
def test_before_there_are_enough_seeds_the_interval_is_what_is_possible(n):
    assert MEDIAN.interval([0.5] * n, 0.001).low == -math.inf
    found = MEDIAN.interval([0.5] * n, 0.001, bounds=(0.0, 1.0))
    assert (found.low, found.high) == (0.0, 1.0)


def test_twelve_seeds_are_the_first_to_say_something():
    assert MEDIAN.fewest(0.001) == 12
    assert MEDIAN.interval(range(12), 0.001).low == 0.0
    assert MEDIAN.interval(range(12), 0.001).high == 11.0
    # One end of a high quantile is known soon.
    assert Quantile(0.9).fewest(0.001) == 4
    assert Quantile(0.9).interval(range(4), 0.001).low == 0.0
    assert Quantile(0.9).interval(range(4), 0.001).high == math.inf


def test_ends_stay_within_what_the_contrast_can_be():
    found = MEDIAN.interval([1 + 1e-9] * 12, 0.001, bounds=(0.0, 1.0))
    assert (found.low, found.high) == (1.0, 1.0)


def test_p_values_are_the_smallest_error_rates_at_which_the_interval_keeps_off_an_edge():
    values = np.array([*range(1, 20), -1.0])
    for upper, array in ((False, values), (True, -values)):
        p = MEDIAN.p(array, 0.0, 0.0, upper=upper)
        keeps, misses = (MEDIAN.interval(array, p * factor) for factor in (1 + 1e-9, 1 - 1e-9))
        ends = [(one.high, one.low)[not upper] for one in (keeps, misses)]
        assert [end >= 0 if not upper else end <= 0 for end in ends] == [True, False]


def test_a_value_on_the_edge_lies_within_the_band():
    at = np.array([0.0] * 12)
    assert (
        MEDIAN.p(at, 0.0, 0.0, upper=False)
        == MEDIAN.p(at - 1, 0.0, 0.0, upper=True)
        == MEDIAN.p(at + 1, 0, 0, upper=False)
    )
    assert MEDIAN.p(np.array([1.0, -1.0]), 0.0, 0.0, upper=False) == 1.0


@pytest.mark.parametrize(("q", "upper"), [(0.9, False), (0.9, True), (0.2, False), (0.2, True)])
def test_which_values_speak_for_which_side_of_an_edge(q, upper):
    # Two below the edge, three on it, one above: a lower edge counts what is below, an upper one what is not above.
    values, count = np.array([-1.0, 0.0, -2.0, 0.0, 5.0, 0.0]), 5 if upper else 2
    expected = min(1.0, math.exp(-binomial.log_evidence(6, q)[count]))
    assert Quantile(q).p(values, 0.0, 0.0, upper=upper) == pytest.approx(expected)


def test_many_runs_at_once_have_the_ends_that_each_has_alone():
    rows = np.random.default_rng(5).normal(size=(50, 17))
    lows, highs = Quantile(0.6).ends(rows, 0.01)
    for row, low, high in zip(rows, lows, highs, strict=True):
        alone = Quantile(0.6).interval(row, 0.01)
        assert (alone.low, alone.high) == (low, high)


def test_another_packages_interval_for_a_median_is_wider_and_about_the_same_values():
    # Theirs rests on a boundary for sub-Gaussian counts (Howard & Ramdas 2022), ours on their exact law.
    values = np.random.default_rng(11).normal(size=400)
    theirs = ville.QuantileCS(q=0.5, alpha=0.05, t_opt=100, intersect=False).fit(values)
    for n in (100, 200, 400):
        ours = MEDIAN.interval(values[:n], 0.05)
        assert theirs.lower_[n - 1] <= ours.estimate <= theirs.upper_[n - 1]
        assert ours.high - ours.low < 1.2 * (theirs.upper_[n - 1] - theirs.lower_[n - 1])


LAWS = {
    "exponential": (lambda g, size: g.exponential(size=size), math.log(2)),
    "ties": (lambda g, size: g.integers(0, 3, size).astype(float), 1.0),
    "an atom at the median": (lambda g, size: np.where(g.random(size) < 0.6, 0.0, g.normal(size=size)), 0.0),
    "Cauchy": (lambda g, size: g.standard_cauchy(size), 0.0),
}


@pytest.mark.parametrize("name", LAWS)
def test_whatever_the_law_the_median_is_missed_no_more_often_than_alpha(name):
    draw, truth = LAWS[name]
    values = draw(np.random.default_rng([13, len(name)]), (20_000, 40))
    missed = np.zeros(len(values), dtype=bool)
    for n in range(4, 41, 2):
        low, high = MEDIAN.ends(values[:, :n], 0.05)
        missed |= (low > truth) | (high < truth)
    # Four standard errors above alpha would be 0.056.
    assert missed.mean() < 0.056


def test_every_sample_of_few_values_is_judged_alike_by_order_and_by_count():
    for row in product([0.0, 1.0], repeat=8):
        found = Quantile(0.5).interval(row, 0.2)
        few, many = binomial.tails(8, 0.5, 0.2)
        assert found.low == (0.0 if sum(value == 0 for value in row) >= few else 1.0)
        assert found.high == (1.0 if sum(row) >= many else 0.0)


@pytest.mark.parametrize(
    ("q", "n", "band", "bounds", "expected"),
    [
        (0.5, 11, (0.0, math.inf), student.UNBOUNDED, (False, False)),
        (0.5, 12, (0.0, math.inf), student.UNBOUNDED, (True, True)),
        (0.5, 12, (-math.inf, 0.0), student.UNBOUNDED, (True, True)),
        (0.5, 12, (-1.0, 1.0), student.UNBOUNDED, (True, True)),
        (0.9, 12, (0.0, math.inf), student.UNBOUNDED, (True, False)),
        (0.9, 12, (-math.inf, 0.0), student.UNBOUNDED, (False, True)),
        (0.9, 12, (-1.0, 1.0), student.UNBOUNDED, (False, True)),
        (0.9, 12, (0.2, 1.0), (0.0, 1.0), (True, False)),
        (0.1, 12, (0.0, math.inf), student.UNBOUNDED, (False, True)),
        (0.1, 12, (0.0, 0.5), (0.0, 1.0), (True, False)),
        (0.1, 12, (0.2, 1.0), (0.0, 1.0), (False, True)),
    ],
)
def test_which_ends_there_are_decides_what_can_be_shown(q, n, band, bounds, expected):
    assert Quantile(q).can_end(n, 0.001, band, bounds) == expected


def test_of_a_skewed_contrast_the_mean_is_falsely_refuted_and_the_median_is_not():
    values = np.random.default_rng(17).exponential(size=(20_000, 24))
    wrong = {
        name: decide(values, Rule(range(6, 25, 2), truth, math.inf, 0.001, sequence=sequence)).sign
        for name, truth, sequence in (("mean", 1.0, STUDENT), ("median", math.log(2), MEDIAN))
    }
    assert (wrong["mean"] == -1).mean() > 0.01
    # Four standard errors above alpha.
    assert (wrong["median"] != 0).mean() < 0.0019
