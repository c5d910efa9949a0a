"""Verdicts in words."""

from __future__ import annotations

import pytest

from harness.report import wording
from harness.store.records.expectation import ExpectationRecord
from harness.store.records.parsing import parse, plain
from harness.store.records.parts import Interval
from tests.reported import read_saved, saved_claim

NET = {"arm": "net", "width": 4}
SVM = {"arm": "svm", "width": 4}


def expectation(**changes):
    (found,) = saved_claim().readings["as_documented"].expectations.values()
    told = {
        "verdict": "REFUTED",
        "reason": "the interval lies wholly outside the band",
        "contrast": {"mean": "error", "at": NET},
        "exact": False,
        "unit": "fraction",
        "band": {"low": None, "high": 0.1, "text": "at most 0.1"},
        "because": "the paper says so",
        "estimate": 0.51234,
        "n": 2,
        "low": 0.5,
        "high": 0.525,
        "values": {"0": 0.5, "1": 0.52468},
        **changes,
    }
    return parse(ExpectationRecord, {**plain(found), **told}, "a test")


def claim(verdict="REFUTED", errors=(), *, behaves=False):
    found = saved_claim()
    reading = {"verdict": verdict, "reason": "a reason", "expectations": {"low_error": expectation()}}
    control = {
        "change": {"depth": 0, "lr": 0.1},
        "behaves": behaves,
        "reason": "did not break what it must break: low_error is VERIFIED all the same",
        "expectations": {"low_error": expectation(verdict="VERIFIED")},
    }
    told = {
        "id": "a_claim",
        "errors": list(errors),
        "readings": {"as_documented": found.readings["as_documented"].model_copy(update=reading)},
        "controls": {"shallow": found.controls["same_centre"].model_copy(update=control)},
    }
    return found.model_copy(update=told)


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0.123456, "0.1235"), (1e-9, "1e-09"), (0.0, "0"), (12345.6, "1.235e+04")]
)
def test_numbers_have_four_significant_digits(value, text):
    assert wording.number(value) == text


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(n=0, low=None, high=None), "-"),
        (Interval(n=2, low=None, high=None), "[-inf, inf]"),
        (Interval(n=2, low=0.0, high=None), "[0, inf]"),
        (Interval(n=9, low=-0.5, high=0.25), "[-0.5, 0.25]"),
    ],
)
def test_an_interval_shows_its_ends(interval, text):
    assert wording.span(interval) == text


@pytest.mark.parametrize(
    ("contrast", "words"),
    [
        ({"mean": "error", "at": {}}, "error"),
        ({"mean": "error", "at": NET}, "error [net, width 4]"),
        (
            {"mean": "error", "at": {"arm": "net", "width": [1, 2, 4], "take": "min"}},
            "error [net, min over width 1 to 4]",
        ),
        ({"exact": "error", "at": {}}, "error in every instance"),
        ({"exact": "error", "at": {"arm": ["net", "svm"]}}, "error in every instance [arm net to svm]"),
        ({"difference": "error", "of": SVM, "minus": NET}, "error [svm, width 4] minus [net, width 4]"),
        ({"ratio": "error", "of": SVM, "to": NET}, "error [svm, width 4] divided by [net, width 4]"),
        (
            {
                "interaction": "error",
                "of": {"arm": "svm"},
                "minus": {"arm": "net"},
                "here": {"scene": "clutter"},
                "there": {"scene": "plain"},
            },
            "error: (svm minus net) at scene clutter less the same at scene plain",
        ),
        ({"median": "error", "at": NET}, "median over seeds of error [net, width 4]"),
        ({"quantile": "error", "q": 0.9, "at": NET}, "0.9-quantile over seeds of error [net, width 4]"),
        ({"rate": "solved", "at": NET}, "rate of solved [net, width 4]"),
        (
            {"linear": "error", "cells": [{"weight": 1.0, "at": SVM}, {"weight": -0.5, "at": NET}]},
            "error: +1 x [svm, width 4] -0.5 x [net, width 4]",
        ),
        (
            {"ratio": "error", "of": SVM, "to": NET, "over_seeds": "median"},
            "median over seeds of error [svm, width 4] divided by [net, width 4]",
        ),
        (
            {"slope": "error", "over": "width", "at": {}, "over_seeds": {"quantile": 0.25}},
            "0.25-quantile over seeds of slope of error over width",
        ),
        (
            {"difference": "error", "of": SVM, "minus": NET, "over_seeds": "mean"},
            "error [svm, width 4] minus [net, width 4]",
        ),
        ({"slope": "error", "over": "width", "at": {}}, "slope of error over width"),
        (
            {"slope": "error", "over": "width", "at": {"arm": "net"}, "values": [1.0, 4.0]},
            "slope of error over width (1, 4) [net]",
        ),
        ({"loglog_slope": "error", "over": "width", "at": {"arm": "net"}}, "log-log slope of error over width [net]"),
        ({"rank_trend": "error", "over": "width", "at": {}}, "rank correlation (Kendall) of error over width"),
    ],
)
def test_every_kind_of_contrast_has_its_words(contrast, words):
    assert wording.contrast_words(expectation(contrast=contrast).contrast) == words


def test_an_expectation_says_what_speaks_against_its_error_rate():
    (*_, last) = wording.expectation_lines("e", expectation(shape="two_values"))
    assert last.strip() == wording.SHAPES["two_values"]
    assert wording.expectation_lines("e", expectation(shape=None)) == wording.expectation_lines("e", expectation())


LEFT = "no bound holds for {} more, whose seeds are not roughly normal"
ALIKE = "{} are the same in every seed and rest on their metric's resolution"


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((0, 0), ""),
        ((2, 0), LEFT.format(2)),
        ((0, 3), ALIKE.format(3)),
        ((1, 4), f"{LEFT.format(1)}; {ALIKE.format(4)}"),
    ],
)
def test_a_budget_says_what_its_bound_leaves_out(counts, words):
    found = dict(zip(("without_bound", "by_resolution"), counts, strict=True))

    assert wording.bound_words(read_saved().error_budget.model_copy(update=found)) == words


def test_a_reading_that_came_out_otherwise_is_explained_in_full():
    assert wording.reading_words(claim(), "as_documented") == (
        "a_claim, reading as_documented: REFUTED, expected VERIFIED. The reading does not hold: a reason.\n"
        "  low_error: REFUTED, the interval lies wholly outside the band\n"
        "    error [net, width 4]\n"
        "    estimate 0.5123 fraction, interval [0.5, 0.525], band at most 0.1 (the paper says so)\n"
        "    per seed: 0: 0.5, 1: 0.5247\n"
        "  What would change it: The evidence is against the reading: look for an error in the experiment first; if there "
        "is none, this is a finding about the statement. More seeds will not change it."
    )


def test_an_invalid_reading_shows_its_controls():
    lines = wording.reading_words(claim("INVALID"), "as_documented").splitlines()
    assert (
        "  control shallow (depth: 0, lr: 0.1): did not break what it must break: low_error is VERIFIED all the same"
        in lines
    )
    assert "    low_error: VERIFIED, the interval lies wholly outside the band" in lines


def test_a_control_that_behaves_says_so():
    (head, *_) = wording.control_words(claim(behaves=True), "shallow")
    assert head == "  control shallow (depth: 0, lr: 0.1): broke what it must break"


def test_a_control_that_only_stays_undecided_says_how_little_that_is():
    record = claim(behaves=True)
    found = record.controls["shallow"]
    (name, *_) = found.expectations
    undecided = {name: found.expectations[name].model_copy(update={"verdict": "INCONCLUSIVE"})}
    weak = found.model_copy(update={"expectations": {**found.expectations, **undecided}})
    assert wording.control_state(weak) == (
        f"broke what it must break ({name} only by staying undecided, which says little)"
    )
    assert wording.control_head(weak) == "broke what it must break"


def test_failed_trials_are_named_five_at_most():
    lines = wording.reading_words(claim(errors=[f"seed {n}" for n in range(9)]), "as_documented").splitlines()
    assert [line for line in lines if "trial failed" in line] == [f"  trial failed: seed {n}" for n in range(5)]


def test_an_exact_expectation_shows_a_range_and_one_without_values_says_none():
    lines = wording.expectation_lines("e", expectation(exact=True, values={}, estimate=None, n=0))
    assert "estimate - fraction, range over instances -, band at most 0.1" in lines[2]
    assert lines[3] == "    per seed: none"


@pytest.mark.parametrize("verdict", ["VERIFIED", "REFUTED", "INCONCLUSIVE", "INVALID", "NOT_RUN"])
def test_every_verdict_has_a_meaning_a_symbol_and_a_remedy(verdict):
    text = wording.reading_words(claim(verdict), "as_documented")
    assert f"The reading {wording.MEANING[verdict]}: " in text
    assert text.endswith(f"What would change it: {wording.WOULD_CHANGE[verdict]}")
    assert len(wording.SYMBOL[verdict]) == 1
    assert list(wording.SYMBOL.values()).count(wording.SYMBOL[verdict]) == 1
