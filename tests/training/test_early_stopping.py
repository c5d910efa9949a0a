"""Early stopping: the rule on numbers by hand; `test_ensembles` holds it against a plain loop."""

from __future__ import annotations

import math

import pytest
import torch

from harness.errors import UsageError
from harness.training.early_stopping import EarlyStopping, StoppingState


def watched(looks, **rule):
    """Show a watch of two seeds the looks in turn, each at a further ten steps; return it and when all had stopped."""
    watch = StoppingState(EarlyStopping(torch.empty(0), torch.empty(0), every=10, **rule), 2, torch.device("cpu"))
    for number, values in enumerate(looks, 1):
        weights = {"w": torch.full((2, 3), float(number))}
        if watch.look(10 * number, torch.tensor(values, dtype=torch.float64), weights):
            return watch, 10 * number
    return watch, None


def test_patience_counts_looks_without_a_new_least_value():
    watch, end = watched([(3, 1), (2, 2), (2, 2), (1, 0), (1, 0), (1, 0)], patience=2)

    assert end == 60
    assert watch.steps.tolist() == [40, 10], (
        "the second seed stopped at its third look, and its fourth is no look at all"
    )
    assert watch.best["w"][:, 0].tolist() == [4, 1]


def test_enough_ends_at_the_first_value_that_is():
    watch, end = watched([(3, 1), (0.5, 0.1), (0.4, 0.0)], enough=0.5)

    assert end == 20
    assert watch.steps.tolist() == [20, 20]
    watch, end = watched([(3, 0.5), (2, 0.1), (0.4, 0.0)], enough=0.5)
    assert (end, watch.steps.tolist()) == (30, [30, 10])


def test_no_number_is_no_improvement():
    watch, end = watched([(math.nan, 1.0), (math.nan, math.nan), (0.0, 0.5)], patience=2)

    assert end is None
    assert watch.steps.tolist() == [10, 30], "the first seed stopped at its second look"


def test_weights_that_are_kept_do_not_change_with_those_in_training():
    watch = StoppingState(EarlyStopping(torch.empty(0), torch.empty(0), every=1, patience=1), 1, torch.device("cpu"))
    weights = {"w": torch.zeros(1, 2)}
    watch.look(1, torch.tensor([1.0]), weights)
    weights["w"].add_(1)

    assert watch.best["w"].tolist() == [[0, 0]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"every": 0, "patience": 1}, "stopping: every: 0: give a number of steps, at least 1"),
        ({"every": 1, "patience": 0}, "stopping: patience: 0: at least 1, or leave it out"),
        ({"every": 1}, "stopping: patience and enough: give at least one of them"),
        ({"every": 1, "patience": 1, "metric": "accuracy"}, "stopping: metric: 'accuracy': take one of"),
    ],
)
def test_misuse_is_named(changes, message):
    with pytest.raises(UsageError, match=message):
        EarlyStopping(torch.empty(0), torch.empty(0), **changes)
