"""A printed number holds if it and the interval have a value in common, and the verdict is the one relied on."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness.running.quotations import held
from harness.trials.quotations import QuotedNumber


def judged(low, high, verdict="VERIFIED"):
    """Return a record of a claim with one expectation, as far as it is read."""
    expectation = SimpleNamespace(low=low, high=high, verdict=verdict)
    return SimpleNamespace(readings={"one": SimpleNamespace(expectations={"e": expectation})})


def number(low, high, relied_on=None):
    return QuotedNumber("README.md", 1, "2.1", low, high, "c", "e", relied_on)


@pytest.mark.parametrize(
    ("low", "high", "holds"),
    [
        (2.15, 3, True),
        (1, 2.05, True),
        (2.16, 3, False),
        (1, 2.04, False),
        (None, 2, False),
        (None, 3, True),
        (2.2, None, False),
    ],
)
def test_it_holds_if_it_touches_the_interval(low, high, holds):
    assert held(number(2.05, 2.15), judged(low, high)).holds is holds


@pytest.mark.parametrize(("relied_on", "holds"), [(None, True), ("REFUTED", True), ("VERIFIED", False)])
def test_the_verdict_that_is_relied_on_must_have_come_out(relied_on, holds):
    assert held(number(1, 3, relied_on), judged(2, 2, "REFUTED")).holds is holds


@pytest.mark.parametrize("claim", [None, judged(1, 3, "NOT_RUN"), SimpleNamespace(readings={})])
def test_without_a_verdict_nothing_is_said(claim):
    assert held(number(1, 3, "VERIFIED"), claim).holds is None
