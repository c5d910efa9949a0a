"""A limited time: the cheapest first, nothing begun that will not end in time, some progress always."""

from __future__ import annotations

import math

import pytest

from harness.running import time_budget
from harness.running.time_budget import Budget


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is set."""
    now = [0.0]
    monkeypatch.setattr(time_budget.time, "monotonic", lambda: now[0])
    return now


def test_without_a_limit_everything_may_begin():
    unlimited = Budget()

    assert not unlimited.limited
    assert unlimited.admits("a")
    assert unlimited.allows("a", 1e9)


@pytest.mark.parametrize(
    ("seconds", "order", "first"),
    [
        ({"c": 30.0, "a": 10.0, "b": 20.0}, ["a", "b", "c"], "a"),
        ({"a": 5.0, "b": 5.0}, ["a", "b"], "a"),
        ({"b": None, "a": None}, ["b", "a"], "b"),
        ({"unknown": None, "a": 10.0, "b": 30.0, "c": 20.0}, ["a", "unknown", "c", "b"], "a"),
        ({"b": 9.0, "done": 0.0}, ["done", "b"], "b"),
        ({"unknown": None, "a": 10.0, "done": 0.0}, ["done", "unknown", "a"], "unknown"),
        ({"done": 0.0}, ["done"], None),
        ({}, [], None),
    ],
)
def test_the_cheapest_claim_comes_first(seconds, order, first):
    found = Budget(100.0)

    assert found.arrange(seconds) == order
    assert found.first == first


def test_only_claims_that_end_in_time_begin_save_the_first(clock):
    found = Budget(25.0)
    found.arrange({"a": 50.0, "b": 60.0, "done": 0.0})

    assert [name for name in found.estimates if found.admits(name)] == ["done", "a"]
    clock[0] = 26.0
    assert [name for name in found.estimates if found.admits(name)] == ["done"]


def test_unknown_claims_count_as_the_median(clock):
    found = Budget(25.0)
    found.arrange({"a": 10.0, "b": 20.0, "c": 90.0, "unknown": None})

    assert found.estimates["unknown"] == 20.0
    assert found.admits("unknown")
    clock[0] = 10.0
    assert not found.admits("unknown")


def test_the_first_batch_of_the_first_claim_is_pardoned_once(clock):
    found = Budget(25.0)
    found.arrange({"a": 50.0, "b": 60.0})

    assert not found.allows("b", 30.0)
    assert found.allows("a", 30.0)
    assert not found.allows("a", 30.0)
    assert found.allows("a", 20.0)
    clock[0] = 10.0
    assert not found.allows("a", 20.0)


def test_a_batch_of_unknown_length_begins_until_the_deadline(clock):
    found = Budget(25.0)

    assert found.allows("a", None)
    clock[0] = 24.0
    assert found.allows("a", None)
    clock[0] = 25.0
    assert not found.allows("a", None)


def test_after_the_deadline_nobody_is_pardoned():
    assert Budget(-math.inf).limited
    assert not Budget(-math.inf).admits("a")
    assert not Budget(-math.inf).allows("a", 0.0)
