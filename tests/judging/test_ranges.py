"""What a contrast can be by its specification alone."""

from __future__ import annotations

import math

import pytest

from harness.judging import ranges
from harness.judging.ranges import reachable
from tests.specimen import claim, claim_with

NET = {"arm": "net", "width": 4, "scene": "plain"}
SVM = {"arm": "svm", "width": 4, "scene": "plain"}


@pytest.mark.parametrize(
    ("contrast", "span"),
    [
        ({"mean": "error", "at": NET}, (0, 1)),
        ({"mean": "loss", "at": NET}, (-math.inf, math.inf)),
        ({"difference": "error", "of": SVM, "minus": NET}, (-1, 1)),
        ({"ratio": "error", "of": SVM, "to": NET}, (0, math.inf)),
        ({"ratio": "loss", "of": SVM, "to": NET}, (0, math.inf)),
        ({"interaction": "error", "of": SVM, "minus": NET, "here": {}, "there": {}}, (-2, 2)),
        ({"slope": "error", "over": "width"}, (-5 / 14, 5 / 14)),
        ({"loglog_slope": "error", "over": "width"}, (-math.inf, math.inf)),
        ({"rank_trend": "loss", "over": "width"}, (-1, 1)),
        ({"exact": "error"}, (0, 1)),
        ({"exact": "loss"}, (-math.inf, math.inf)),
    ],
)
def test_what_a_contrast_can_be_at_all(contrast, span):
    spec = claim_with(contrast)
    assert reachable(spec.expectations["e"].contrast, spec) == pytest.approx(span)


@pytest.mark.parametrize(("bounds", "span"), [([0, None], (0, math.inf)), ([None, 0], (-math.inf, 0))])
def test_exact_values_reach_as_far_as_their_metric(bounds, span):
    spec = claim_with({"exact": "m"}, metrics={"m": {"unit": "s", "better": "lower", "bounds": bounds}})
    assert reachable(spec.expectations["e"].contrast, spec) == span


def test_a_half_bounded_metric_gives_half_bounded_contrasts():
    spec = claim_with(
        {"difference": "m", "of": SVM, "minus": NET},
        metrics={"m": {"unit": "s", "better": "lower", "bounds": [0, None]}},
    )
    assert ranges.linear_bounds(spec.metrics["m"], [1.0]) == (0, math.inf)
    assert reachable(spec.expectations["e"].contrast, spec) == (-math.inf, math.inf)


@pytest.mark.parametrize(("bounds", "span"), [([0, None], (0, math.inf)), ([None, 0], (-math.inf, 0))])
def test_a_point_of_weight_zero_does_not_spoil_the_bounds(bounds, span):
    spec = claim(metrics={"error": {"unit": "fraction", "better": "lower", "bounds": bounds}})
    assert ranges.linear_bounds(spec.metrics["error"], [0.0, 2.0]) == span


@pytest.mark.parametrize(
    "metric",
    [{"unit": "0 or 1", "better": "higher"}, {"unit": "x", "better": "higher", "bounds": [0, 1], "resolution": 1}],
)
def test_a_metric_says_by_unit_or_by_bounds_and_resolution_that_it_is_zero_or_one(metric):
    spec = claim_with({"rate": "solved", "at": NET}, metrics={"solved": metric})
    assert spec.metrics["solved"].two_valued
    assert ranges.bounds_of(spec.metrics["solved"]) == (0.0, 1.0)
