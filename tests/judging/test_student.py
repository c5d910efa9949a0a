"""The interval against an independent oracle, against theory, and against what any interval must obey."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mpmath import mp, mpf
from scipy import stats as scipy_stats

from harness.judging import student

ALPHA = st.floats(1e-6, 0.2)
# Values whose differences a float resolves: the properties below are about statistics, not about rounding.
VALUES = st.lists(st.integers(-1000, 1000).map(lambda v: v / 8), min_size=5, max_size=30)


def half_width_of_oracle(n, alpha, scale=10):
    """Solve mixture(t) = 1 / alpha at 50 digits by bisection on the e-value, not by its inverse."""
    with mp.workdps(50):
        shrink, nu = 1 + mpf(n) * scale, mpf(n - 1)

        def log_e_value(squared):
            return -mp.log(shrink) / 2 + mpf(n) / 2 * (mp.log1p(squared / nu) - mp.log1p(squared / (nu * shrink)))

        goal = -mp.log(mpf(alpha))
        low, high = mpf(0), mpf(10) ** 12
        for _ in range(110):
            middle = (low + high) / 2
            low, high = (middle, high) if log_e_value(middle) < goal else (low, middle)
        return float(mp.sqrt(low / n))


@pytest.mark.parametrize(("n", "expected"), [(5, 9.2), (6, 4.8), (8, 2.9), (12, 1.9), (24, 1.1)])
def test_half_widths_are_those_of_the_documentation(n, expected):
    assert round(student.half_width(n, 0.001), 1) == expected


@pytest.mark.parametrize("alpha", [0.001, 0.01, 0.05, 1e-9])
@pytest.mark.parametrize("n", [5, 6, 8, 12, 24, 100, 10_000])
def test_half_width_equals_an_independent_computation_at_fifty_digits(n, alpha):
    if math.isinf(student.half_width(n, alpha)):
        assert n < student.smallest_n(alpha)
        return
    # Eleven digits: float64 loses a few in the two differences of exponentials.
    assert student.half_width(n, alpha) == pytest.approx(half_width_of_oracle(n, alpha), rel=1e-11)


def test_the_interval_ends_where_the_mixture_of_noncentral_t_densities_reaches_one_in_alpha():
    # From the definition, not the closed form: E(t) = integral of N(d; 0, g) f(t; nu, d sqrt(n)) / f(t; nu, 0) dd.
    n, alpha, g = 8, 0.001, 10.0
    t = student.half_width(n, alpha) * math.sqrt(n)
    effects = np.linspace(-20, 20, 8001)
    ratio = scipy_stats.nct.pdf(t, n - 1, effects * math.sqrt(n)) / scipy_stats.t.pdf(t, n - 1)
    e_value = np.trapezoid(ratio * scipy_stats.norm.pdf(effects, scale=math.sqrt(g)), effects)
    # The quadrature of a smooth function over six standard deviations is good to six digits.
    assert e_value == pytest.approx(1 / alpha, rel=1e-5)


@pytest.mark.parametrize(
    ("alpha", "n"), [(0.5, 2), (0.2, 3), (0.05, 3), (0.01, 4), (0.001, 5), (1e-6, 8), (1e-320, 196)]
)
def test_smallest_n_is_the_first_with_a_bounded_interval(alpha, n):
    assert student.smallest_n(alpha) == n
    assert math.isinf(student.half_width(n - 1, alpha))
    assert math.isfinite(student.half_width(n, alpha))


@pytest.mark.parametrize("alpha", [1e-320, 0.001, 0.5, 1.0])
@pytest.mark.parametrize("n", [0, 1])
def test_below_two_values_the_interval_is_unbounded_at_every_error_rate(n, alpha):
    assert student.half_width(n, alpha) == math.inf


def test_one_value_has_no_interval():
    found = student.interval([3.0], 0.001)
    assert (found.n, found.estimate, found.low, found.high) == (1, 3.0, -math.inf, math.inf)
    assert math.isnan(found.sd)


def test_no_value_has_neither_estimate_nor_interval():
    found = student.interval([], 0.001, bounds=(0.0, 1.0))
    assert math.isnan(found.estimate)
    assert math.isnan(found.sd)
    assert (found.n, found.low, found.high) == (0, 0.0, 1.0)


def test_an_interval_by_hand():
    # mean 3, sd sqrt(2.5), half-width 9.2240 sd at n = 5
    found = student.interval([1.0, 2.0, 3.0, 4.0, 5.0], 0.001)
    reach = half_width_of_oracle(5, 0.001) * math.sqrt(2.5)
    assert (found.estimate, found.sd) == (3.0, pytest.approx(math.sqrt(2.5)))
    assert (found.low, found.high) == (pytest.approx(3 - reach), pytest.approx(3 + reach))


@given(VALUES, ALPHA, st.integers(-20, 20), st.integers(-1000, 1000))
def test_scaling_and_shifting_the_values_scales_and_shifts_the_interval(values, alpha, exponent, shift):
    scale = 2.0**exponent
    one = student.interval(values, alpha)
    other = student.interval([scale * (value + shift) for value in values], alpha)
    wide = scale * (abs(shift) + 1000)
    for end in ("estimate", "low", "high"):
        assert getattr(other, end) == pytest.approx(scale * (getattr(one, end) + shift), rel=1e-9, abs=1e-9 * wide)


@given(VALUES, ALPHA)
def test_turning_the_sign_turns_the_interval(values, alpha):
    one, other = student.interval(values, alpha), student.interval([-value for value in values], alpha)
    assert (other.low, other.high) == (pytest.approx(-one.high), pytest.approx(-one.low))


@given(VALUES, ALPHA, st.randoms(use_true_random=False))
def test_the_order_of_the_values_is_irrelevant(values, alpha, random):
    mixed = random.sample(values, len(values))
    one, other = student.interval(values, alpha), student.interval(mixed, alpha)
    assert (other.low, other.high) == (pytest.approx(one.low, abs=1e-9), pytest.approx(one.high, abs=1e-9))


@given(st.integers(2, 300), ALPHA, st.floats(1, 1000))
def test_more_alpha_never_widens(n, alpha, times):
    assert student.half_width(n, min(alpha * times, 0.2)) <= student.half_width(n, alpha)


@given(st.integers(2, 300), ALPHA)
def test_more_values_never_widen(n, alpha):
    assert student.half_width(n + 1, alpha) <= student.half_width(n, alpha)


@given(VALUES, ALPHA)
def test_the_interval_holds_the_estimate(values, alpha):
    found = student.interval(values, alpha)
    assert found.low <= found.estimate <= found.high


def test_the_interval_is_clipped_to_the_bounds():
    found = student.interval([0.1, 0.5, 0.9, 0.2, 0.8], 0.001, bounds=(0.0, 1.0))
    assert (found.low, found.high) == (0.0, 1.0)


@pytest.mark.parametrize(("value", "expected"), [(1.0 + 1e-12, 1.0), (-1e-12, 0.0)])
def test_an_estimate_that_rounding_puts_beyond_a_bound_does_not_turn_the_interval_inside_out(value, expected):
    found = student.interval([value] * 8, 0.001, sd_floor=1e-15, bounds=(0.0, 1.0))
    assert (found.low, found.high) == (expected, expected)


def test_the_spread_is_never_taken_below_the_floor():
    found = student.interval([0.5] * 8, 0.001, sd_floor=0.01)
    assert found.sd == 0
    assert found.high - 0.5 == pytest.approx(0.01 * student.half_width(8, 0.001))


def test_a_spread_above_the_floor_is_kept():
    values = [0.1, 0.2, 0.3, 0.4, 0.5]
    assert student.interval(values, 0.001, sd_floor=0.01) == student.interval(values, 0.001)


def test_equal_values_have_a_spread_of_exactly_zero():
    # The plain formula gives 1.5e-17 here, an interval narrow enough for any band.
    assert np.std([0.1] * 6, ddof=1) > 0
    assert student.interval([0.1] * 6, 0.001).sd == 0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_refused(bad):
    with pytest.raises(ValueError, match="finite numbers, one per seed"):
        student.interval([1.0, 2.0, 3.0, 4.0, bad], 0.001)


def test_a_table_of_values_is_refused():
    with pytest.raises(ValueError, match="one per seed"):
        student.interval([[1.0, 2.0], [3.0, 4.0]], 0.001)


@pytest.mark.parametrize("pairs", [1, 4])
def test_values_too_large_for_a_float_leave_the_interval_unbounded(pairs):
    found = student.interval([1e308, -1e308] * pairs, 0.001)
    assert (found.sd, found.low, found.high) == (math.inf, -math.inf, math.inf)


def test_two_values_have_a_spread():
    assert student.interval([1.0, 3.0], 0.001).sd == pytest.approx(math.sqrt(2))


def test_single_precision_is_computed_in_double():
    values = np.array([0.1, 0.2, 0.4, 0.3, 0.7], dtype=np.float32)
    assert student.interval(values, 0.001) == student.interval(values.tolist(), 0.001)
    assert student.slope_weights(values) == student.slope_weights(values.tolist())


def test_a_rank_trend_of_numbers_without_a_sign_goes_down_too():
    # The difference of 1 and 3 among bytes is 254.
    up, down = np.array([1, 2, 3], dtype=np.uint8), np.array([3, 2, 1], dtype=np.uint8)
    assert student.kendall_tau(up, down) == student.kendall_tau(down, up) == -1


def test_a_rounding_error_is_uniform_over_one_step():
    assert student.resolution_floor(0.01) == pytest.approx(0.01 / math.sqrt(12))


def test_rounding_errors_of_several_metrics_add_in_squares():
    assert student.resolution_floor(0.01, [1, -1]) == pytest.approx(0.01 / math.sqrt(6))
    assert student.resolution_floor(0.01, [3, 4]) == pytest.approx(5 * 0.01 / math.sqrt(12))


POINTS = st.lists(
    st.tuples(st.integers(-100, 100), st.integers(-100, 100)), min_size=2, max_size=8, unique_by=lambda pair: pair[0]
)


@given(POINTS)
def test_the_slope_is_that_of_polyfit(points):
    x, y = np.array(points, dtype=float).T
    assert float(np.dot(student.slope_weights(x), y)) == pytest.approx(np.polyfit(x, y, 1)[0], rel=1e-7, abs=1e-7)


@pytest.mark.parametrize(
    "x", [[1.0], [2.0, 2.0, 2.0], [0.1] * 6, [5e-324, 1e-323], [-1e308, 1e308], [0, 1, math.nan], [0, 1, math.inf]]
)
def test_a_slope_needs_two_different_values(x):
    with pytest.raises(ValueError, match="a slope needs two different values of the condition"):
        student.slope_weights(x)


def test_a_slope_over_huge_values_does_not_overflow():
    assert student.slope_weights([0.0, 1e200]) == pytest.approx([-1e-200, 1e-200])


def test_a_slope_over_the_smallest_normal_number_is_one():
    tiny = sys.float_info.min
    assert student.slope_weights([0.0, tiny]) == [-1 / tiny, 1 / tiny]


def test_a_slope_over_nothing_is_refused():
    with pytest.raises(ValueError, match="empty"):
        student.slope_weights([])


def test_a_slope_over_values_far_from_zero_keeps_its_digits():
    near, far = student.slope_weights([0, 1, 3]), student.slope_weights([1e12, 1e12 + 1, 1e12 + 3])
    assert near == pytest.approx([-2 / 7, -1 / 14, 5 / 14], rel=1e-15)
    assert far == near


@given(st.permutations(range(7)), st.permutations(range(7)))
def test_tau_without_ties_is_that_of_scipy(x, y):
    assert student.kendall_tau(x, y) == pytest.approx(scipy_stats.kendalltau(x, y).statistic)


@pytest.mark.parametrize(
    ("x", "y", "tau"),
    [
        ([1, 2, 3], [5, 5, 5], 0.0),
        ([1, 2, 3], [1, 2, 2], 2 / 3),
        ([1, 2, 3, 4], [4, 4, 1, 1], -4 / 6),
        ([1, 2], [1, 2], 1.0),
    ],
)
def test_ties_count_zero_among_all_pairs(x, y, tau):
    assert student.kendall_tau(x, y) == pytest.approx(tau)


def test_a_rank_trend_needs_two_points():
    with pytest.raises(ValueError, match="at least two points"):
        student.kendall_tau([1], [1])


@given(st.integers(2, 60), st.floats(1e-12, 0.9))
@example(2, 0.5)
def test_the_smallest_alpha_undoes_the_half_width(n, alpha):
    reach = student.half_width(n, alpha)
    if math.isfinite(reach):
        assert student.smallest_alpha(n, reach) == pytest.approx(alpha, rel=1e-6)


@given(st.integers(2, 60), st.floats(0, 30), st.floats(0, 30))
def test_what_lies_farther_is_excluded_at_a_smaller_error_rate(n, distance, more):
    assert student.smallest_alpha(n, distance + more) <= student.smallest_alpha(n, distance) <= 1.0


@pytest.mark.parametrize(("n", "distance", "expected"), [(1, 9.0, 1.0), (0, 9.0, 1.0), (8, 0.0, 1.0)])
def test_without_spread_or_distance_nothing_is_excluded(n, distance, expected):
    assert student.smallest_alpha(n, distance) == expected


@pytest.mark.parametrize("distance", [math.inf, 1e200])
def test_at_an_infinite_distance_the_number_of_values_alone_bounds_the_error_rate(distance):
    # K tends to 1 + n g, so alpha to (1 + n g)^((1 - n) / 2): 61^-2.5 for six values.
    assert student.smallest_alpha(6, distance) == pytest.approx(61**-2.5)
