"""Edges of a band on the scale on which a contrast is judged."""

from __future__ import annotations

import math

import pytest

from harness.judging import edges, student
from harness.judging.contrasts import PerSeed
from harness.specification.readings import Band


def band(**form):
    return Band(**form)


@pytest.mark.parametrize(
    ("estimate", "form", "bounds", "expected"),
    [
        (3.0, {"between": [1, 10]}, student.UNBOUNDED, 2.0),
        (9.0, {"between": [1, 10]}, student.UNBOUNDED, 1.0),
        (0.5, {"between": [1, 10]}, student.UNBOUNDED, -0.5),
        (12.0, {"at_most": 10}, student.UNBOUNDED, -2.0),
        (0.01, {"between": [0, 0.1]}, (0.0, 1.0), 0.09),
        (-0.01, {"between": [0, 0.1]}, (0.0, 1.0), 0.11),
        (0.9, {"between": [0.2, 1]}, (0.0, 1.0), 0.7),
        (0.4, {"between": [0, 1]}, (0.0, 1.0), math.inf),
    ],
)
def test_margin_is_the_distance_to_the_nearest_edge_that_can_be_passed(estimate, form, bounds, expected):
    per_seed = PerSeed({}, bounds=bounds)

    assert edges.margin(estimate, per_seed, band(**form)) == pytest.approx(expected)


def test_edges_of_a_ratio_are_logarithms():
    assert edges.edges_of(band(between=[1, math.e]), PerSeed({}, log=True)) == (0.0, 1.0)
    assert edges.edges_of(band(between=[0, 1]), PerSeed({}, log=True)) == (-math.inf, 0.0)
    assert edges.edges_of(band(between=[0, 1]), PerSeed({})) == (0, 1)
