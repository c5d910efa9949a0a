"""Rates and differences of rates: against another package, against the product of bets, and in the worlds that break a t interval."""

from __future__ import annotations

import math
from itertools import permutations, product

import numpy as np
import pytest
import ville
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate
from scipy import stats as scipy_stats

from harness.judging import binomial
from harness.judging.bounded import Bounded
from harness.judging.simulation import Rule, decide

RATE = Bounded(0.0, 1.0, binary=True)
DIFFERENCE = Bounded(-1.0, 1.0)
OUTCOMES = st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=24)


@pytest.mark.parametrize("alpha", [0.001, 0.05])
@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_a_rate_has_the_interval_that_another_package_gives(p, alpha):
    values = (np.random.default_rng([5, int(10 * p)]).random(80) < p).astype(float)
    theirs = ville.BernoulliCS(alpha=alpha, prior=(binomial.PRIOR,) * 2, intersect=False).fit(values)
    for n in (1, 2, 5, 24, 80):
        ours = RATE.interval(values[:n], alpha)
        assert (ours.low, ours.high) == pytest.approx((theirs.lower_[n - 1], theirs.upper_[n - 1]), abs=1e-12)
        assert (ours.n, ours.estimate) == (n, values[:n].mean())


def evidence_by_quadrature(values, m):
    """Return M_n as the integral over theta of the product of bets, from the definition."""
    law = scipy_stats.beta(binomial.PRIOR, binomial.PRIOR)
    u = (np.asarray(values) + 1) / 2

    def wealth(share):
        theta = law.ppf(share)
        return np.prod(u * theta / m + (1 - u) * (1 - theta) / (1 - m))

    return integrate.quad(wealth, 0, 1, limit=400, epsabs=0, epsrel=1e-9)[0]


@pytest.mark.parametrize(
    "values", [[1.0] * 5, [1, 0, 0, -1], [0.0] * 6, [0.25, -0.75, 1.0, 0.5, 0.25], [-1.0, 1.0] * 3]
)
def test_the_evidence_is_the_mixture_of_bets(values):
    for edge in (-0.4, 0.0, 0.3):
        expected = evidence_by_quadrature(values, (edge + 1) / 2)
        found = DIFFERENCE.p(np.array(values, dtype=float), edge, 0.0, upper=False)
        assert found == pytest.approx(min(1.0, 1 / expected), rel=1e-6)


@pytest.mark.parametrize("values", [[1.0] * 12, [1, 0, 0, -1, 1, 1, 1], [0.25, -0.75, 1.0, 0.5, 0.25]])
def test_the_interval_ends_where_the_evidence_reaches_one_in_alpha(values):
    array, alpha = np.array(values, dtype=float), 0.05
    found = DIFFERENCE.interval(values, alpha)
    for end in (found.low, found.high):
        if abs(end) < 1:
            assert DIFFERENCE.p(array, end, 0.0, upper=False) == pytest.approx(alpha, rel=1e-9)
    assert -1 <= found.low < found.estimate
    assert found.estimate <= found.high <= 1


def test_the_difference_of_equal_arms_is_a_sign_test_on_the_seeds_in_which_they_differ():
    # At zero the bet on a difference of 0 is 1, whatever theta: seven seeds up, one down, and any number alike.
    for alike in (0, 5, 40):
        values = np.array([1.0] * 7 + [-1.0] + [0.0] * alike)
        expected = math.exp(-binomial.log_evidence(8, 0.5)[7])
        assert DIFFERENCE.p(values, 0.0, 0.0, upper=False) == pytest.approx(expected, rel=1e-9)


@given(OUTCOMES)
def test_turned_round_values_have_the_interval_turned_round(values):
    one, other = DIFFERENCE.interval(values, 0.05), DIFFERENCE.interval([-v for v in values], 0.05)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-9)


@given(OUTCOMES, st.randoms(use_true_random=False))
def test_the_order_of_the_seeds_says_nothing(values, source):
    shuffled = source.sample(values, len(values))
    one, other = DIFFERENCE.interval(values, 0.05), DIFFERENCE.interval(shuffled, 0.05)
    assert (one.low, one.high) == (other.low, other.high)


def test_many_runs_at_once_have_the_ends_that_each_has_alone():
    rows = np.array([*product([-1.0, 0.0, 1.0], repeat=4), *permutations([1.0, 0.5, -0.25, 0.0])])
    lows, highs = DIFFERENCE.ends(rows, 0.05)
    for row, low, high in zip(rows, lows, highs, strict=True):
        alone = DIFFERENCE.interval(row, 0.05)
        assert (alone.low, alone.high) == (low, high)


def test_values_that_rounding_puts_beyond_a_bound_count_as_at_the_bound():
    beyond, at = (DIFFERENCE.interval([value] * 12, 0.05) for value in (1 + 1e-12, 1.0))
    assert (beyond.low, beyond.high) == (at.low, at.high)
    assert at.high == 1.0
    below = DIFFERENCE.interval([-1 - 1e-12] * 12, 0.05)
    assert (below.low, below.high) == pytest.approx((-at.high, -at.low), abs=1e-12)


@pytest.mark.parametrize("n", [1, 12, 2000])
def test_seeds_that_are_all_at_a_bound_leave_the_other_side_open_alone(n):
    found = DIFFERENCE.interval([-1.0] * n, 0.001)
    assert found.low == -1.0
    assert -1.0 < found.high < 1.0
    # All twelve of one kind: 2^-12 by their mixed chance, where the truth is in the middle.
    assert DIFFERENCE.p(np.full(n, -1.0), 0.0, 0.0, upper=True) == pytest.approx(
        min(1.0, 2.0**-n / math.exp(binomial.log_mixture(n)[0]))
    )


def test_many_seeds_of_several_values_have_numbers_and_not_overflow():
    values = np.tile([1.0, 0.0, 0.5, -0.5], 500)
    found = DIFFERENCE.interval(values, 0.001)
    assert 0.15 < found.low < 0.25 < found.high < 0.35


@pytest.mark.parametrize("arms", [(0.9, 0.9), (0.5, 0.5), (0.99, 0.99)])
def test_equal_rates_are_told_apart_no_more_often_than_alpha(arms):
    generator = np.random.default_rng([7, int(100 * arms[0])])
    first, second = (generator.random((5_000, 24)) < p for p in arms)
    found = decide(
        np.subtract(first, second, dtype=float), Rule(range(4, 25, 4), 0.0, math.inf, 0.05, sequence=DIFFERENCE)
    )
    # By symmetry each side is to stay below half of alpha: four standard errors above it would be 0.034.
    assert max((found.sign == sign).mean() for sign in (1, -1)) < 0.034


@pytest.mark.parametrize(
    ("sequence", "n", "band", "expected"),
    [
        (RATE, 82, (0.9, math.inf), (False, True)),
        (RATE, 83, (0.9, math.inf), (True, True)),
        (RATE, 6, (0.001, math.inf), (True, False)),
        (RATE, 12, (-math.inf, 0.5), (True, True)),
        (RATE, 11, (-math.inf, 0.5), (False, False)),
        (RATE, 24, (0.4, 0.6), (False, True)),
        (RATE, 3000, (0.4, 0.6), (True, True)),
        (RATE, 24, (0.0, 0.5), (True, True)),
        (RATE, 24, (0.5, 1.0), (True, True)),
        (DIFFERENCE, 24, (0.3, 0.9), (False, True)),
        (DIFFERENCE, 24, (-0.9, -0.3), (False, True)),
        (DIFFERENCE, 12, (0.0, math.inf), (True, True)),
        (DIFFERENCE, 24, (-0.3, 0.3), (True, True)),
        (DIFFERENCE, 24, (-0.28, 0.28), (False, True)),
    ],
)
def test_what_the_clearest_seeds_can_show(sequence, n, band, expected):
    assert sequence.can_end(n, 0.001, band, (sequence.low, sequence.high)) == expected


def test_an_interval_that_ends_on_an_edge_lies_outside_of_no_band():
    worst, best = RATE.interval([0.0] * 12, 0.001).high, RATE.interval([1.0] * 12, 0.001).low
    for edge, missed in ((worst, False), (math.nextafter(worst, 1), True)):
        assert RATE.can_end(12, 0.001, (edge, math.inf), (0, 1))[1] is missed
    for edge, missed in ((best, False), (math.nextafter(best, 0), True)):
        assert RATE.can_end(12, 0.001, (-math.inf, edge), (0, 1))[1] is missed


def test_the_clearest_seeds_of_a_rate_are_zeros_and_ones_even_in_the_middle():
    # Twenty-four seeds of 0.5 would do, but there are none.
    assert Bounded(0.0, 1.0).can_end(24, 0.001, (0.3, 0.7), (0, 1)) == (True, True)
    assert RATE.can_end(24, 0.001, (0.3, 0.7), (0, 1)) == (False, True)


def test_any_seed_says_something_of_a_rate():
    assert RATE.fewest(0.001) == 1
    assert RATE.interval([1.0], 0.001).low > 0
    assert not RATE.spread


def test_a_run_that_is_judged_again_costs_nothing_and_says_the_same():
    first, again = (DIFFERENCE.interval(values, 0.01) for values in ([1.0, 0.0, -1.0, 1.0], [0.0, 1.0, 1.0, -1.0]))
    assert first == again
    assert DIFFERENCE.interval([1.0, 0.0, -1.0, 1.0], 0.02).low > first.low


def test_values_between_the_bounds_are_refused_by_nobody_here_and_judged_as_they_are():
    # That a rate has none is checked where trials are read.
    assert RATE.interval([0.5] * 20, 0.05).low > RATE.interval([1.0, 0.0] * 10, 0.05).low
