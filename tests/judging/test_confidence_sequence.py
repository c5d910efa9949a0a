"""The t interval behind the face that all ways to an interval share."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.judging import student
from harness.judging.bounded import Bounded
from harness.judging.confidence_sequence import STUDENT, Student
from harness.judging.quantile import Quantile

VALUES = np.array([0.1, 0.5, 0.4, 0.2, 0.35, 0.3, 0.6, 0.15])
EVERY = [STUDENT, Bounded(0.0, 1.0), Bounded(0.0, 1.0, binary=True), Quantile(0.5)]


@pytest.mark.parametrize("bounds", [student.UNBOUNDED, (0.2, 1.0), (0.0, 0.45)])
@pytest.mark.parametrize("floor", [0.0, 1.0])
def test_many_runs_at_once_have_the_intervals_of_each(floor, bounds):
    rows = np.array([VALUES, VALUES[::-1] * 2, VALUES - 0.3])
    lows, highs = STUDENT.ends(rows, 0.001, floor, bounds)
    for row, low, high in zip(rows, lows, highs, strict=True):
        expected = student.interval(row, 0.001, sd_floor=floor, bounds=bounds)
        assert (low, high) == pytest.approx((expected.low, expected.high))
        assert STUDENT.interval(row, 0.001, floor, bounds) == expected


def test_unless_told_otherwise_there_is_neither_a_floor_nor_a_bound():
    assert STUDENT.interval(VALUES, 0.001) == student.interval(VALUES, 0.001)
    ends = STUDENT.ends(VALUES[None], 0.001), STUDENT.ends(VALUES[None], 0.001, 0.0, student.UNBOUNDED)
    assert [end.tolist() for end in ends[0]] == [end.tolist() for end in ends[1]]
    for sequence in EVERY[1:]:
        assert sequence.interval(VALUES, 0.2) == sequence.interval(VALUES, 0.2, 5.0)


@pytest.mark.parametrize("sequence", EVERY[1:], ids=repr)
def test_an_interval_of_one_run_is_the_ends_of_many_with_its_numbers(sequence):
    values = (VALUES > 0.3).astype(float) if getattr(sequence, "binary", False) else VALUES
    (low,), (high,) = sequence.ends(values[None], 0.2)
    found = sequence.interval(values.tolist(), 0.2)
    assert found == student.Interval(8, sequence.estimate(values), student.moments(values)[1], low, high)
    assert low < found.estimate < high


def test_each_run_may_have_a_floor_of_its_own():
    lows, highs = STUDENT.ends(np.array([VALUES, VALUES]), 0.001, np.array([0.0, 2.0]))
    half = student.half_width(8, 0.001)
    assert (highs - lows).tolist() == pytest.approx([2 * half * VALUES.std(ddof=1), 4 * half])


def test_too_few_seeds_leave_what_is_possible():
    lows, highs = STUDENT.ends(np.ones((3, 4)), 0.001, 0.0, (-1.0, 2.0))
    assert (lows.tolist(), highs.tolist()) == ([-1.0] * 3, [2.0] * 3)
    assert np.isinf(STUDENT.ends(np.ones((1, 4)), 0.001)).all()


@pytest.mark.parametrize("g", [1.0, 10.0, 100.0])
def test_the_prior_scale_is_the_one_given(g):
    sequence = Student(g)
    lows, highs = sequence.ends(VALUES[None], 0.001)
    assert (highs[0] - lows[0]) / 2 == pytest.approx(student.half_width(8, 0.001, g) * VALUES.std(ddof=1))
    assert sequence.fewest(0.001) == {1.0: 8, 10.0: 5, 100.0: 4}[g]
    distance = (VALUES.mean() - 0.0) / VALUES.std(ddof=1)
    assert sequence.p(VALUES, 0.0, 0.0, upper=False) == pytest.approx(student.smallest_alpha(8, distance, g))


def test_a_p_value_counts_the_distance_in_standard_deviations_or_in_floors():
    plain, floored = (STUDENT.p(VALUES, 0.0, floor, upper=True) for floor in (0.0, 1.0))
    assert plain == pytest.approx(student.smallest_alpha(8, VALUES.mean() / VALUES.std(ddof=1)))
    assert floored == pytest.approx(student.smallest_alpha(8, VALUES.mean()))
    assert STUDENT.p(VALUES, 0.5, 1.0, upper=False) == pytest.approx(student.smallest_alpha(8, 0.175))


@pytest.mark.parametrize(("n", "expected"), [(4, (False, False)), (5, (True, True))])
def test_a_bounded_interval_may_be_as_narrow_as_the_seeds_are_alike(n, expected):
    assert STUDENT.can_end(n, 0.001, (0.0, math.inf), student.UNBOUNDED) == expected


def test_seeds_are_constant_but_for_rounding():
    same, rounded, spread = (student.interval([1.0, 1.0 + step] * 3, 0.001) for step in (0.0, 1e-15, 1e-12))
    assert [STUDENT.constant(one) for one in (same, rounded, spread)] == [True, True, False]
    # A thousand times the values, a thousand times the rounding; of zeros there is none.
    assert STUDENT.constant(student.interval([-1000.0, -1000.0 - 1e-12] * 3, 0.001))
    assert STUDENT.constant(student.interval([0.0] * 6, 0.001))
    assert not STUDENT.constant(student.interval([0.0, 1e-100] * 3, 0.001))


def test_the_estimate_is_what_the_seeds_are_asked_for():
    assert [sequence.estimate(VALUES) for sequence in EVERY] == pytest.approx([VALUES.mean()] * 3 + [np.median(VALUES)])


@pytest.mark.parametrize("sequence", EVERY, ids=repr)
def test_no_interval_is_made_of_what_is_no_number(sequence):
    for bad in ([0.5, math.nan], [0.5, math.inf], [[0.5]]):
        with pytest.raises(ValueError, match="finite numbers, one per seed"):
            sequence.interval(bad, 0.05)


def test_what_each_takes_for_granted():
    assert [sequence.normal for sequence in EVERY] == [True, False, False, False]
    assert [sequence.spread for sequence in EVERY] == [True, False, False, True]
