"""Axes: places, ticks, words."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report.html.axes import Scale, scale_over, words


def test_a_linear_axis_maps_its_ends_and_middle():
    scale = Scale(0.0, 10.0, 100.0, 200.0)

    assert [scale(0), scale(5), scale(10)] == [100.0, 150.0, 200.0]


def test_a_logarithmic_axis_gives_equal_factors_equal_lengths():
    scale = Scale(1.0, 100.0, 0.0, 100.0, log=True)

    assert [scale(1), scale(10), scale(100)] == [0.0, 50.0, 100.0]


def test_an_axis_may_run_upwards():
    assert Scale(0.0, 1.0, 170.0, 20.0)(1.0) == 20.0


def test_what_lies_beyond_the_axis_is_drawn_at_its_end():
    scale = Scale(0.0, 1.0, 0.0, 100.0)

    assert (scale(-3.0), scale(7.0)) == (0.0, 100.0)


def test_a_value_without_a_logarithm_makes_the_axis_linear():
    assert not scale_over([0.0, 5.0], 0, 1, log=True).log
    assert scale_over([0.1, 5.0], 0, 1, log=True).log


@pytest.mark.parametrize(
    ("low", "high", "log", "expected"),
    [
        (0.0, 1.0, False, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (-0.012, 0.002, False, ["-0.01", "-0.005", "0"]),
        (2.0, 4096.0, True, ["10", "100", "1,000"]),
        (350.0, 13000.0, True, ["500", "1,000", "2,000", "5,000", "10,000"]),
        (3.9, 5.1, True, ["4", "4.25", "4.5", "4.75", "5"]),
        (1e-9, 3.0, True, ["1e-9", "1e-7", "1e-5", "0.001", "0.1"]),
    ],
)
def test_ticks_are_round_values(low, high, log, expected):
    assert [said for _, said in Scale(low, high, 0, 100, log).ticks(5)] == expected


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(3, 8))
def test_ticks_lie_on_the_axis_and_none_is_said_twice(low, width, most):
    scale = Scale(low, low + width, 0.0, 1000.0)
    found = scale._round_values(most)

    assert 1 <= len(found) <= most + 1
    rounding = 1e-8 * (width + abs(low))
    assert all(low - rounding <= value <= low + width + rounding for value in found)
    assert len(set(found)) == len(found)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12), max_size=5))
def test_an_axis_holds_all_values_and_has_a_length(values):
    scale = scale_over(values, 0, 100)

    assert scale.low < scale.high
    assert all(scale.holds(value) for value in values)


def test_infinities_do_not_stretch_an_axis():
    assert scale_over([1.0, math.inf, 2.0, math.nan], 0, 1) == scale_over([1.0, 2.0], 0, 1)


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.0, "0"), (0.05, "0.05"), (1000.0, "1,000"), (1e6, "1e6"), (2.5e-5, "2.5e-5"), (-12.5, "-12.5")],
)
def test_words_of_a_tick(value, said):
    assert words(value) == said
