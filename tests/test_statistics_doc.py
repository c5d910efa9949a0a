"""The worked examples of docs/statistics.md, run; and what they define is what the harness computes."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from harness.judging import student
from harness.judging.bounded import Bounded

CALIBRATION = Path(__file__).parents[1] / "docs" / "calibration.md"
DOC = Path(__file__).parents[1] / "docs" / "statistics.md"


def test_the_worked_examples_give_what_stands_there():
    found = doctest.testfile(str(DOC), module_relative=False, encoding="utf-8")
    assert found.attempted > 20
    assert found.failed == 0


def examples():
    """Return the names that the examples define."""
    names = {}
    parsed = doctest.DocTestParser().get_doctest(DOC.read_text(encoding="utf-8"), names, "statistics", str(DOC), 0)
    doctest.DocTestRunner(verbose=False).run(parsed, clear_globs=False)
    return parsed.globs


@pytest.mark.parametrize(("n", "alpha"), [(5, 0.001), (8, 0.001), (12, 0.01), (30, 0.2)])
def test_the_formulas_are_those_of_the_harness(n, alpha):
    names = examples()
    assert names["half_width"](n, alpha) == pytest.approx(student.half_width(n, alpha))
    assert names["smallest_alpha"](n, 3.5) == pytest.approx(student.smallest_alpha(n, 3.5))


@pytest.mark.parametrize(("n", "words"), [(5, "9.2 s at 5"), (6, "4.8 s at 6"), (8, "2.9 s at 8"), (12, "1.9 s at 12")])
def test_the_half_widths_in_the_text_are_right(n, words):
    assert words in DOC.read_text(encoding="utf-8")
    assert words == f"{student.half_width(n, 0.001):.1f} s at {n}"


def test_the_measured_rates_are_those_of_the_calibration():
    rows = re.findall(r"^\| (.+) \| ([0-9.]+ %) \| ([0-9.]+ %) \|$", DOC.read_text(encoding="utf-8"), re.MULTILINE)
    calibration = CALIBRATION.read_text(encoding="utf-8").replace("**", "")
    assert len(rows) >= 7
    for name, verified, refuted in rows:
        assert f"| {name} | 6, 8, ..., 32 | at_least | {verified} | {refuted} | " in calibration


def test_the_seeds_of_means_and_medians_are_those_of_the_calibration():
    rows = re.findall(r"^\| (mean|median|0\.75-quantile) \|.*$", DOC.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == ["mean", "median", "0.75-quantile"]
    calibration = CALIBRATION.read_text(encoding="utf-8")
    for line in DOC.read_text(encoding="utf-8").splitlines():
        if line.startswith(("| mean |", "| median |", "| 0.75-quantile |")):
            assert line in calibration


@pytest.mark.parametrize(("seeds", "rate"), [(12, 0.5), (24, 0.7), (83, 0.9)])
def test_so_many_seeds_that_all_succeed_prove_the_rate_in_the_text_and_one_fewer_does_not(seeds, rate):
    text = " ".join(DOC.read_text(encoding="utf-8").split())
    assert (
        f"{seeds} seeds that all succeed prove a rate of at least {rate}" in text
        or f"{seeds} of at least {rate}" in text
    )
    low, before = (Bounded(0.0, 1.0, binary=True).interval([1.0] * n, 0.001).low for n in (seeds, seeds - 1))
    assert before < rate <= low
