"""Printed numbers: what each stands for, and what is refused."""

from __future__ import annotations

import pytest

from harness.specification.quotation import Quotation, Table, meant, misfit


@pytest.mark.parametrize(
    ("number", "unit", "tolerance", "low", "high"),
    [
        ("2.1", "%", None, 0.0205, 0.0215),
        ("2.10", "%", None, 0.02095, 0.02105),
        ("97", "%", None, 0.965, 0.975),
        ("1,200", "ms", None, 1.1995, 1.2005),
        (".05", "", None, 0.045, 0.055),
        ("\N{MINUS SIGN}3", "", None, -3.5, -2.5),
        ("1e-3", "", None, 0.0005, 0.0015),
        ("2.1", "%", 0.5, 0.016, 0.026),
        ("2", "min", None, 90.0, 150.0),
    ],
)
def test_a_number_stands_for_all_that_rounds_to_it_or_is_within_its_tolerance(number, unit, tolerance, low, high):
    assert meant(number, unit, tolerance) == pytest.approx((low, high), rel=1e-12)


@pytest.mark.parametrize("text", ["", "two", "1,20", "1.2.3", "nan", "inf", "12e"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ValueError, match="is no number"):
        meant(text, "")


@pytest.mark.parametrize(
    ("unit", "of", "fits"),
    [
        ("%", "fraction", True),
        ("%", "rate", True),
        ("%", "second", False),
        ("ms", "second", True),
        ("ms", "fraction", False),
        ("", "nat", True),
        ("x", "ratio", True),
    ],
)
def test_a_unit_fits_the_metric_that_it_is_a_unit_of(unit, of, fits):
    assert (misfit(unit, of) == "") is fits


QUOTATION = {"file": "README.md", "claim": "c", "expectation": "e"}


@pytest.mark.parametrize(
    ("says", "number", "times"),
    [
        ("errs in 2.1 of 100", "2.1", 1),
        ("errs in 2.15 of 100", "2.1", 0),
        ("12.1 or 2.1", "2.1", 1),
        ("2.1 or 2.1", "2.1", 2),
    ],
)
def test_a_number_stands_once_in_its_words_and_is_no_part_of_a_longer_one(says, number, times):
    given = {**QUOTATION, "says": says, "number": number}
    if times == 1:
        assert Quotation.model_validate(given).number == number
    else:
        with pytest.raises(ValueError, match=f"stands {times} times in says"):
            Quotation.model_validate(given)


def test_a_table_over_a_condition_names_its_metric():
    with pytest.raises(ValueError, match="metric and over go together"):
        Table.model_validate({"file": "README.md", "over": "n", "because": "a benchmark"})
