"""Caps without room for a verdict of a rate or a quantile are refused, with the number of seeds that would do."""

from __future__ import annotations

import re

import pytest

from harness.judging import caps, student
from harness.judging.bounded import Bounded
from harness.judging.confidence_sequence import STUDENT
from harness.judging.feasibility import problems_of
from harness.judging.quantile import Quantile
from tests.specimen import claim_with, sound

NET = {"arm": "net", "width": 4, "scene": "plain"}
SVM = {**NET, "arm": "svm"}
E = ("readings", "as_documented", "expectations", "e")
METRICS = {**sound()["metrics"], "solved": {"unit": "0 or 1", "better": "higher"}}
INFINITE = float("inf")


def problems(contrast, band, cap=24, **extra):
    profiles = {"smoke": {"seeds": 2}, "quick": {"seeds": {"first": 6, "cap": cap}}}
    return problems_of(claim_with(contrast, band, metrics=METRICS, profiles=profiles, **extra))


@pytest.mark.parametrize(
    ("contrast", "band", "cap", "needed", "verb"),
    [
        ({"rate": "solved", "at": NET}, {"at_least": 0.9}, 83, 83, "met"),
        ({"rate": "solved", "at": NET}, {"at_most": 0.1}, 83, 83, "met"),
        ({"rate": "solved", "at": NET}, {"at_least": 0.5}, 12, 12, "missed"),
        ({"rate": "solved", "at": NET}, {"at_least": 0.02}, 454, 454, "missed"),
        ({"difference": "solved", "of": SVM, "minus": NET}, {"at_least": 0}, 12, 12, "missed"),
        ({"difference": "solved", "of": SVM, "minus": NET}, {"between": [-0.2, 0.2]}, 37, 37, "met"),
        ({"median": "loss", "at": NET}, {"at_most": 1}, 12, 12, "missed"),
        ({"quantile": "loss", "q": 0.9, "at": NET}, {"at_least": 1}, 83, 83, "missed"),
        ({"quantile": "loss", "q": 0.9, "at": NET}, {"at_most": 1}, 83, 83, "met"),
        ({"ratio": "loss", "of": SVM, "to": NET, "over_seeds": "median"}, {"at_least": 1}, 12, 12, "missed"),
    ],
)
def test_a_cap_with_which_nothing_could_be_shown_is_refused_and_one_more_seed_is_not(contrast, band, cap, needed, verb):
    assert problems(contrast, band, cap) == []
    (problem,) = problems(contrast, band, cap - 1)
    assert problem[0] == (*E, "band")
    assert f"can never be seen to be {verb}: " in problem[1] or cap == 12
    assert problem[1].endswith(f"raise the cap to {needed} or more, or move the band")


def test_the_whole_sentence_about_too_few_seeds():
    ((where, message),) = problems({"rate": "solved", "at": NET}, {"at_least": 0.9})
    assert where == (*E, "band")
    assert message == (
        "at least 0.9 can never be seen to be met: at alpha 0.001 not even 24 seeds that all speak for it are enough "
        "(profile 'quick'); raise the cap to 83 or more, or move the band"
    )


def test_where_no_number_of_seeds_is_enough_it_says_so():
    ((_, message),) = problems({"rate": "solved", "at": NET}, {"at_least": 0.9999})
    assert message.endswith("no number of seeds is; move the band")


def test_a_larger_error_rate_needs_fewer_seeds():
    assert problems({"median": "loss", "at": NET}, {"at_most": 1}, 6, expectation={"alpha": 0.05}) == []
    (problem,) = problems({"median": "loss", "at": NET}, {"at_most": 1}, 8, expectation={"alpha": 0.01})
    assert "at alpha 0.01 not even 8 seeds" in problem[1]


def test_the_smallest_number_of_roughly_normal_seeds_is_asked_of_means_alone():
    # Four seeds would do for nothing that is a mean; a high quantile can be told with them, but not missed.
    (problem,) = problems({"mean": "loss", "at": NET}, {"at_most": 1}, cap=6, expectation={"alpha": 1e-9})
    assert problem[0] == ("profiles", "quick", "seeds")
    (problem,) = problems({"quantile": "loss", "q": 0.9, "at": NET}, {"at_least": 1}, cap=6)
    assert problem[0] == (*E, "band")


def test_the_error_rate_of_a_quantile_asks_nothing_of_means():
    mean = {"contrast": {"mean": "loss", "at": NET}, "band": {"at_most": 1}, "because": "a reason"}
    median = {"contrast": {"median": "loss", "at": NET}, "band": {"at_most": 1}, "because": "a reason", "alpha": 1e-9}
    readings = {"as_documented": {"expectations": {"e": mean, "f": median}}}
    profiles = {"smoke": {"seeds": 2}, "quick": {"seeds": {"first": 6, "cap": 8}}}
    spec = claim_with({"mean": "loss", "at": NET}, readings=readings, profiles=profiles)
    assert {where for where, _ in caps.problems_of(spec)} == {
        ("readings", "as_documented", "expectations", "f", "band")
    }


def test_every_profile_that_gives_verdicts_needs_room():
    profiles = {"smoke": {"seeds": 2}, "quick": {"seeds": {"first": 6, "cap": 24}}, "paper": {"seeds": 4}}
    (problem,) = caps.problems_of(claim_with({"mean": "loss", "at": NET}, {"at_most": 1}, profiles=profiles))
    assert problem[0] == ("profiles", "paper", "seeds")


@pytest.mark.parametrize(
    ("sequence", "alpha", "band", "bounds", "needed"),
    [
        (STUDENT, 0.001, (0.0, INFINITE), (-INFINITE, INFINITE), 5),
        (Quantile(0.5), 0.001, (0.0, INFINITE), (-INFINITE, INFINITE), 12),
        (Bounded(0.0, 1.0, binary=True), 0.001, (0.9, INFINITE), (0.0, 1.0), 83),
        (Bounded(0.0, 1.0, binary=True), 0.001, (-INFINITE, 1e-9), (0.0, 1.0), None),
        # Between 12,000 and 16,384 zeros would do, and no profile may have so many.
        (Bounded(0.0, 1.0, binary=True), 0.001, (7.5e-4, INFINITE), (0.0, 1.0), None),
        (Bounded(0.0, 1.0, binary=True), 0.5, (0.5, INFINITE), (0.0, 1.0), 3),
    ],
)
def test_the_seeds_that_are_needed(sequence, alpha, band, bounds, needed):
    assert caps.seeds_needed(sequence, alpha, band, bounds) == needed


# ---- resolutions too coarse for their band -------------------------------------------------------------------------

STEP = 0.5
REACH = student.resolution_floor(1.0, [STEP]) * student.half_width(24, 0.001)
"""How far the narrowest interval of 24 seeds reaches from its middle, of a metric in steps of a half."""


def too_coarse(contrast, band, bounds=(0, 1), **extra):
    """Return what is said of a contrast of a metric in steps of a half: verb and room for each problem."""
    metrics = {**METRICS, "coarse": {"unit": "x", "better": "lower", "bounds": list(bounds), "resolution": STEP}}
    profiles = {"smoke": {"seeds": 2}, "quick": {"seeds": {"first": 6, "cap": 24}}}
    found = caps.problems_of(claim_with(contrast, band, metrics=metrics, profiles=profiles, **extra))
    words = [message for _, message in found]
    return [(re.search("to be (met|missed)", one)[1], float(re.search("room for ([^;]+);", one)[1])) for one in words]


MEAN = {"mean": "coarse", "at": NET}
LESS, MORE = (0.99 * REACH, 1.01 * REACH)


@pytest.mark.parametrize(
    ("band", "bounds", "expected"),
    [
        # At a bound an interval is clipped, and needs room on one side alone.
        ({"at_most": MORE}, (0, 1), []),
        ({"at_most": LESS}, (0, 1), ["met"]),
        ({"between": [0, MORE]}, (0, 1), []),
        ({"between": [0, LESS]}, (0, 1), ["met"]),
        ({"between": [1 - MORE, 1]}, (0, 1), []),
        ({"between": [1 - LESS, 1]}, (0, 1), ["met"]),
        ({"between": [0.5 - MORE, 0.5 + MORE]}, (0, 2), []),
        ({"between": [0.5 - LESS, 0.5 + LESS]}, (0, 2), ["met"]),
        ({"at_least": LESS}, (0, 1), ["missed"]),
        # Outside it is the wider side that counts, from where the contrast begins.
        ({"at_least": 0}, (-1, 1), []),
        ({"at_least": LESS - 1}, (-1, 1), ["missed"]),
        ({"at_most": 1 - LESS}, (-1, 1), ["missed"]),
        ({"between": [LESS, 1 - LESS / 2]}, (0, 1), ["missed"]),
        ({"between": [LESS, 2 - MORE]}, (0, 2), []),
        # Met and missed alike: the one is named; just reached is enough.
        ({"at_most": REACH / 2}, (0, REACH), ["met"]),
        ({"at_most": REACH}, (0, 1), []),
    ],
)
def test_a_band_without_room_for_the_narrowest_interval_is_refused(band, bounds, expected):
    assert [verb for verb, _ in too_coarse(MEAN, band, bounds)] == expected


def test_the_room_that_there_is_is_said():
    assert too_coarse(MEAN, {"at_most": 0.125}) == [("met", 0.125)]
    assert too_coarse(MEAN, {"at_least": 0.0625}) == [("missed", 0.0625)]
    assert too_coarse({"difference": "coarse", "of": SVM, "minus": NET}, {"at_least": 0}) == []
    assert too_coarse({"difference": "coarse", "of": SVM, "minus": NET}, {"at_least": -0.9375}) == [("missed", 0.0625)]


@pytest.mark.parametrize(
    "contrast",
    [
        {"median": "coarse", "at": NET},
        {"ratio": "coarse", "of": SVM, "to": NET},
        {"loglog_slope": "coarse", "over": "width", "at": {"arm": "net", "scene": "plain"}},
    ],
)
def test_what_is_no_mean_or_rounds_by_what_is_measured_is_let_through(contrast):
    assert too_coarse(contrast, {"between": [0.25, 0.375]}, (0, 4)) == []


def test_every_expectation_is_held_against_its_resolution():
    body = {"band": {"at_most": 0.125}, "because": "a reason"}
    rate = {"contrast": {"median": "loss", "at": NET}, "band": {"at_most": 1}, "because": "a reason"}
    readings = {
        "as_documented": {"expectations": {"e": rate, "f": {"contrast": MEAN, **body}, "g": {"contrast": MEAN, **body}}}
    }
    assert too_coarse(MEAN, {"at_most": 1}, readings=readings) == [("met", 0.125)] * 2


# ---- metrics of zeros and ones under the wrong question ------------------------------------------------------------


@pytest.mark.parametrize(
    ("contrast", "kind", "remedy"),
    [
        ({"mean": "solved", "at": NET}, "mean", "use `rate`"),
        ({"median": "solved", "at": NET}, "median", "use `rate`"),
        ({"quantile": "solved", "q": 0.2, "at": NET}, "quantile", "use `rate`"),
        ({"ratio": "solved", "of": SVM, "to": NET}, "ratio", "use `difference`, or `linear`"),
        (
            {"loglog_slope": "solved", "over": "width", "at": {"arm": "net", "scene": "plain"}},
            "loglog_slope",
            "use `difference`, or `linear`",
        ),
        (
            {"difference": "solved", "of": SVM, "minus": NET, "over_seeds": "median"},
            "difference",
            "use the mean over seeds, which is one of rates: leave out `over_seeds`",
        ),
    ],
)
def test_a_metric_of_zeros_and_ones_is_refused_where_no_error_rate_is_kept(contrast, kind, remedy):
    ((where, message),) = problems(contrast, {"at_most": 0.2})
    assert where == (*E, "contrast", kind)
    assert message == f"'solved' is 0 or 1 in every trial, of which this interval keeps no error rate; {remedy}"


@pytest.mark.parametrize(
    "contrast",
    [
        {"rate": "solved", "at": NET},
        {"rate": "solved", "at": {**NET, "width": [1, 2], "take": "min"}},
        {"difference": "solved", "of": SVM, "minus": NET},
        {"exact": "solved", "at": NET},
        {"rank_trend": "solved", "over": "width", "at": {"arm": "net", "scene": "plain"}},
    ],
)
def test_it_is_let_through_where_one_is(contrast):
    assert problems(contrast, {"at_most": 0.2}, cap=200) == []


@pytest.mark.parametrize(
    "changes",
    [{"resolution": 0.01}, {"resolution": "1/n_test"}, {"bounds": [0.5, 1]}, {"bounds": [0, 0.5]}],
)
def test_a_rate_of_a_metric_that_declares_other_values_is_refused(changes):
    metric = {"unit": "fraction", "better": "higher", **changes}
    ((where, message),) = problems_of(claim_with({"rate": "m", "at": NET}, {"at_most": 0.2}, metrics={"m": metric}))
    assert where == (*E, "contrast", "rate")
    assert message == (
        "is a rate of 'm', which declares other values than 0 and 1; let measure() return 1 where a trial succeeds, else "
        "0, and declare `unit: 0 or 1`"
    )


@pytest.mark.parametrize(
    "changes", [{}, {"bounds": [0, 1]}, {"bounds": [0, None], "resolution": 1}, {"resolution": 1.0}]
)
def test_a_rate_of_a_metric_that_might_be_zero_or_one_is_let_through(changes):
    metric = {"unit": "flag", "better": "higher", **changes}
    assert problems_of(claim_with({"rate": "m", "at": NET}, {"at_most": 0.5}, metrics={"m": metric})) == []


def test_a_mean_of_zeros_and_ones_over_several_cells_is_no_rate():
    ((where, message),) = problems({"rate": "solved", "at": {**NET, "width": [1, 2], "take": "mean"}}, {"at_most": 0.5})
    assert where == (*E, "contrast", "at", "take")
    assert message == "of zeros and ones a mean is neither; give min (all) or max (any)"


def test_cells_of_a_linear_contrast_are_checked_like_any_other():
    cells = [{"weight": 1, "at": {**NET, "arm": "nett"}}, {"weight": -1, "at": {"arm": "svm", "width": 4}}]
    found = dict(problems({"linear": "loss", "cells": cells}, {"at_most": 0}))
    assert found == {
        (*E, "contrast", "cells", 0, "at", "arm"): "no arm 'nett'; did you mean 'net'?",
        (*E, "contrast", "cells", 1, "at"): "does not say which scene; add `scene:` with one of ['plain', 'clutter']",
    }


def test_a_linear_contrast_that_names_a_cell_twice_is_refused():
    cells = [{"weight": weight, "at": at} for weight, at in ((1, SVM), (-0.5, NET), (-0.5, NET))]
    ((where, message),) = problems({"linear": "loss", "cells": cells}, {"at_most": 0})
    assert where == (*E, "contrast")
    assert "compares a cell with itself" in message


def test_the_room_of_a_linear_contrast_is_that_of_its_weights():
    cells = [{"weight": 1, "at": SVM}, {"weight": -0.5, "at": NET}]
    (_, message), *_ = problems({"linear": "error", "cells": cells}, {"at_least": 1.5})
    assert message == "at least 1.5 can never be met: the contrast can only lie between -0.5 and 1; move the band"
