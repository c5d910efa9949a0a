"""A contrast reads the points that it names, each once, in the spelling of its claim."""

from __future__ import annotations

import pytest

from harness.judging.points import (
    cells_of,
    expand,
    kind_of,
    metric_of,
    only,
    points_of,
    shown,
    sweep_values,
    wall_clock_metrics,
    whole_cells,
)
from tests.specimen import claim, claim_with, point

NET = {"arm": "net", "width": 4, "scene": "plain"}
SVM = {**NET, "arm": "svm"}
SWEEP = [point(width=width) for width in (1, 2, 4)]


def contrast_of(contrast):
    return claim_with(contrast).expectations["e"].contrast


def test_exact_reads_every_condition_that_is_left_out():
    spec = claim()
    assert points_of(spec.expectations["never_wrong"].contrast, spec) == [
        point("net", width, scene) for width in (1, 2, 4) for scene in ("plain", "clutter")
    ]


def test_exact_reads_every_arm_and_every_value_of_a_list():
    spec = claim_with({"exact": "error", "at": {"width": [1, 4], "scene": "plain"}}, {"at_most": 0})
    found = points_of(spec.expectations["e"].contrast, spec)
    assert sorted(found) == sorted(point(arm, width) for arm in ("net", "svm") for width in (1, 4))


def test_exact_reads_the_arms_alone_that_yield_its_metric():
    metrics = {
        "error": {"unit": "fraction", "better": "lower", "arms": ["svm"]},
        "loss": {"unit": "nat", "better": "lower"},
    }
    spec = claim_with({"exact": "error", "at": {"width": 1, "scene": "plain"}}, {"at_most": 0}, metrics=metrics)

    assert points_of(spec.expectations["e"].contrast, spec) == [point("svm", 1)]
    assert (spec.metrics_of("svm"), spec.metrics_of("net")) == (("error", "loss"), ("loss",))


def test_a_cell_is_read_in_the_spelling_of_the_condition():
    # measure() gets what the condition says: 4 and not 4.0.
    spec = claim_with({"mean": "error", "at": {**NET, "width": 4.0}})
    (found,) = points_of(spec.expectations["e"].contrast, spec)
    assert found == point()
    assert isinstance(dict(found)["width"], int)


def test_a_single_arm_and_a_condition_of_one_value_may_be_left_out():
    spec = claim_with({"mean": "error"}, arms={"net": {}}, conditions={"width": [4], "scene": ["plain"]}, timings={})
    assert points_of(spec.expectations["e"].contrast, spec) == [point()]


@pytest.mark.parametrize("kind", ["slope", "loglog_slope", "rank_trend"])
def test_a_sweep_reads_every_value_of_its_condition(kind):
    spec = claim_with({kind: "loss", "over": "width", "at": {"arm": "net", "scene": "plain"}})
    assert points_of(spec.expectations["e"].contrast, spec) == SWEEP


@pytest.mark.parametrize(
    "sides", [{"difference": "error", "of": SVM, "minus": NET}, {"ratio": "error", "of": SVM, "to": NET}]
)
def test_the_points_of_two_sides_come_in_the_order_of_the_contrast(sides):
    spec = claim_with(sides)
    assert points_of(spec.expectations["e"].contrast, spec) == [point("svm"), point("net")]


def test_points_of_several_cells_come_once_each():
    spec = claim_with({"difference": "error", "of": {**NET, "width": [1, 4], "take": "min"}, "minus": NET})
    assert points_of(spec.expectations["e"].contrast, spec) == [point(width=1), point(width=4)]


def test_a_condition_handed_over_together_gives_points_like_any_other():
    together = {"width": {"values": [1, 2, 4], "together": True}, "scene": ["plain", "clutter"]}
    apart, joined = (
        claim_with({"slope": "loss", "over": "width", "at": {"arm": "net", "scene": "plain"}}, **extra)
        for extra in ({}, {"conditions": together})
    )
    contrast = apart.expectations["e"].contrast
    assert points_of(contrast, joined) == points_of(contrast, apart) == SWEEP


@pytest.mark.parametrize("kind", ["mean", "exact", "slope", "loglog_slope", "rank_trend", "difference", "ratio"])
def test_a_contrast_is_of_the_kind_whose_key_it_has_and_reads_the_metric_under_it(kind):
    cells = {"difference": {"of": SVM, "minus": NET}, "ratio": {"of": SVM, "to": NET}, "exact": {"at": NET}}
    where = cells.get(
        kind, {"at": NET} if kind == "mean" else {"over": "width", "at": {"arm": "net", "scene": "plain"}}
    )
    found = contrast_of({kind: "loss", **where})
    assert (kind_of(found), metric_of(found)) == (kind, "loss")


def test_durations_are_the_metrics_in_seconds():
    seconds = {"unit": "second", "better": "lower"}
    metrics = {"error": {"unit": "fraction", "better": "lower"}, "loss": seconds, "inference": seconds}
    assert wall_clock_metrics(claim(metrics=metrics)) == {"loss", "inference"}


def test_the_cells_of_an_interaction_are_both_sides_here_and_then_there():
    sides = {"of": {"arm": "svm", "width": 4}, "minus": {"arm": "net", "width": 4}}
    found = contrast_of({"interaction": "error", **sides, "here": {"scene": "clutter"}, "there": {"scene": "plain"}})
    assert cells_of(found) == [
        {"arm": arm, "width": 4, "scene": scene} for scene in ("clutter", "plain") for arm in ("svm", "net")
    ]


def test_a_sweep_fills_in_the_values_it_names_and_keeps_their_order():
    spec = claim_with({"slope": "loss", "over": "width", "at": {"arm": "net", "scene": "plain"}, "values": [4, 1]})
    contrast = spec.expectations["e"].contrast
    assert sweep_values(contrast, spec) == [1, 4]
    assert whole_cells(contrast, spec) == [{"arm": "net", "scene": "plain", "width": width} for width in (1, 4)]


def test_how_several_points_become_one_is_no_condition():
    assert expand({**NET, "width": [1, 4], "take": "max"}, claim()) == [point(width=1), point(width=4)]


@pytest.mark.parametrize("values", [[], [1, 2]])
def test_only_a_single_value_may_be_left_out(values):
    with pytest.raises(ValueError, match="unpack"):
        only(values)


def test_a_point_is_shown_as_names_and_values():
    assert shown(point()) == "arm=net, scene=plain, width=4"
