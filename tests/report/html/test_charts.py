"""The geometry of the report's pictures."""

from __future__ import annotations

import pytest

from harness.report.html import charts
from harness.store.records.beside import PointRecord
from harness.store.records.expectation import ExpectationRecord
from harness.store.records.parsing import parse, plain
from tests.reported import altered, saved_claim


def expectation(
    estimate=6.0, low=5.0, high=7.0, band=(4.0, None), *, reported=None, unit="ratio", exact=False, values=None
):
    (found,) = saved_claim().readings["as_documented"].expectations.values()
    told = {
        "verdict": "VERIFIED",
        "estimate": estimate,
        "low": low,
        "high": high,
        "band": {"low": band[0], "high": band[1], "text": "a band"},
        "reported": reported,
        "unit": unit,
        "exact": exact,
        "duration": unit == "second",
        "contrast": {"mean": "error"},
        "n": 3,
        "values": values or {"0": 5.5, "1": 6.0, "2": 6.5},
        "looks": [{"n": 2, "low": None, "high": None}, {"n": 3, "low": low, "high": high}],
    }
    return parse(ExpectationRecord, {**plain(found), **told}, "a test")


MIDDLE = charts.STRIP / 2


def test_a_single_edge_lies_in_the_middle_of_a_strip():
    least = charts.strip(expectation(band=(4.0, None)))
    most = charts.strip(expectation(band=(None, 4.0)))

    assert least["band"] == [MIDDLE, charts.STRIP - 4]
    assert most["band"] == [4, MIDDLE]


def test_a_band_of_two_edges_lies_around_the_middle():
    low, high = charts.strip(expectation(band=(4.0, 9.0), unit="fraction"))["band"]

    assert (low + high) / 2 == pytest.approx(MIDDLE, abs=0.1)


def test_an_interval_in_the_band_is_drawn_in_it_and_one_outside_is_not():
    inside = charts.strip(expectation(low=5.0, high=7.0))
    outside = charts.strip(expectation(estimate=2.0, low=1.0, high=3.0))

    assert inside["band"][0] < inside["interval"][0] < inside["estimate"] < inside["interval"][1] < inside["band"][1]
    assert outside["interval"][1] < outside["band"][0]


def test_ratios_are_drawn_by_their_logarithms():
    drawn = charts.strip(expectation(estimate=4.0, low=2.0, high=8.0))

    assert drawn["estimate"] - drawn["interval"][0] == pytest.approx(drawn["interval"][1] - drawn["estimate"], abs=0.2)


def test_what_is_not_known_is_not_drawn():
    nothing = expectation(estimate=None, low=None, high=None)
    unbounded = expectation(low=None, high=None)

    assert (
        charts.strip(nothing)["interval"]
        is charts.strip(nothing)["estimate"]
        is charts.strip(nothing)["reported"]
        is None
    )
    assert charts.strip(unbounded)["interval"] == [4, charts.STRIP - 4]
    assert charts.strip(expectation(exact=True))["interval"] is None


def test_a_panel_shows_every_seed_every_look_and_the_control_on_one_scale():
    control = expectation(estimate=0.6, low=0.5, high=0.7, values={"0": 0.6, "1": 0.6})
    (found,) = saved_claim().controls.values()
    of_each = {"shuffled": {"errs": control}, "another": {}}
    controls = {name: found.model_copy(update={"expectations": of}) for name, of in of_each.items()}
    drawn = charts.panel("errs", expectation(reported=6.0), controls)
    own, other = drawn["rows"]

    assert (own["label"], other["label"]) == ("as claimed", "control: shuffled")
    assert len(own["dots"]) == 3
    assert len(other["dots"]) == 2
    assert [look["n"] for look in own["looks"]] == [2], "the last look is the interval itself"
    assert other["interval"][1] < drawn["band"][0] < own["interval"][0]
    assert drawn["reported"] == own["estimate"]
    assert own["bottom"] < other["y"] < drawn["axis"] < drawn["height"]


def test_many_looks_are_thinned_to_the_first_and_last():
    assert charts._thinned(list(range(20)), 6)[0] == 0
    assert charts._thinned(list(range(20)), 6)[-1] == 19
    assert len(charts._thinned(list(range(20)), 6)) == 6


def claim(points, conditions=None, metrics=("error",)):
    found = saved_claim()
    expectations = {
        name: altered(expectation(unit="second" if name == "time" else "ratio"), {"contrast": {"mean": name}})
        for name in metrics
    }
    readings = {"r": found.readings["as_documented"].model_copy(update={"expectations": expectations})}
    told = {"points": points, "conditions": conditions or {}, "readings": readings}
    return found.model_copy(update=told)


def point(values, control=None, **where):
    return PointRecord(control=control, point=where, values={"error": values})


def test_a_metric_is_drawn_over_the_numeric_condition_by_its_mean_and_seeds():
    widths = [2, 4, 8]
    points = [point({"0": w / 10, "1": w / 10 + 0.2}, arm=arm, width=w) for arm in ("a", "b") for w in widths]
    points.append(point({"0": 99.0}, "broken", arm="a", width=2))
    (drawn,) = charts.phenomena(claim(points, {"width": widths, "kind": ["x", "y"]}))

    assert drawn["title"] == "error over width"
    assert [one["name"] for one in drawn["series"]] == ["a", "b"]
    assert drawn["series"][0]["values"] == [(2, pytest.approx(0.3)), (4, pytest.approx(0.5)), (8, pytest.approx(0.9))]
    assert len(drawn["series"][0]["dots"]) == 6
    assert drawn["table"]["rows"][0] == ("2", ["0.3", "0.3"])


def test_without_a_numeric_condition_every_arm_has_a_row():
    points = [point({"0": 0.1, "1": 0.3}, arm="a_b"), point({"0": 0.5, "1": None}, arm="c")]
    (drawn,) = charts.phenomena(claim(points))

    assert [(row["label"], row["value"], row["n"]) for row in drawn["rows"]] == [("a b", "0.2", 2), ("c", "0.5", 1)]


def test_durations_come_last_and_metrics_without_values_not_at_all():
    measured = {"error": {"0": 1.0}, "time": {"0": 2.0}, "gap": {}}
    points = [PointRecord(control=None, point={"arm": "a"}, values=measured)]
    drawn = charts.phenomena(claim(points, metrics=("time", "gap", "error")))

    assert [one["title"] for one in drawn] == ["error by arm", "time by arm"]


def test_the_metric_of_a_contrast_is_found_in_whatever_order_its_parts_stand():
    contrast = {"at": {"arm": "a"}, "mean": "error"}
    one = altered(claim([point({"0": 0.1}, arm="a")]), {"readings.r.expectations.error.contrast": contrast})

    assert [drawn["title"] for drawn in charts.phenomena(one)] == ["error by arm"]


def test_a_wide_range_is_drawn_on_a_logarithmic_axis():
    drawn = charts.line_chart("t", "x", "y", [charts.Series("a", [(1, 0.001), (1000, 1.0)])])
    asked = charts.line_chart("t", "x", "y", [charts.Series("a", [(1, 0.001), (1000, 1.0)])], log="")

    assert drawn["log"] == "horizontal and vertical"
    assert asked["log"] == ""


def test_more_series_than_can_be_told_apart_are_counted():
    series = [charts.Series(str(n), [(0, n), (1, n)]) for n in range(11)]
    drawn = charts.line_chart("t", "x", "y", series)

    assert len(drawn["series"]) == charts.MOST_SERIES
    assert drawn["left_out"] == 3


def test_dots_at_one_place_are_drawn_once():
    assert charts.moves([(1.2, 3.0), (1.4, 3.1), (7.0, 8.0)]) == "M1 3h0M7 8h0"
    assert charts.path([(1.0, 2.5), (3.0, 4.0)]) == "M1 2.5 3 4"
