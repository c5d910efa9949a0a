"""Optimisers against torch's own reference implementations, and schedules against their formulas."""

from __future__ import annotations

import math

import pytest
import torch

from harness.errors import UsageError
from harness.optim import Optimiser

REFERENCES = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, 0.05, foreach=False),
    "momentum": lambda parameters: torch.optim.SGD(parameters, 0.05, momentum=0.9, foreach=False),
    "decay": lambda parameters: torch.optim.SGD(parameters, 0.05, momentum=0.9, weight_decay=0.01, foreach=False),
    "adam": lambda parameters: torch.optim.Adam(parameters, 0.05, foreach=False),
    "adam decay": lambda parameters: torch.optim.AdamW(parameters, 0.05, weight_decay=0.01, foreach=False),
}
OURS = {
    "sgd": Optimiser("sgd", 0.05),
    "momentum": Optimiser("sgd", 0.05, 0.9),
    "decay": Optimiser("sgd", 0.05, 0.9, 0.01),
    "adam": Optimiser("adam", 0.05),
    "adam decay": Optimiser("adam", 0.05, weight_decay=0.01),
}


def descend(build, steps=30):
    """Minimise a quadratic of unequal curvatures; return where it led."""
    curvature = torch.tensor([1.0, 10.0, 0.1, 3.0, 0.5], dtype=torch.float64)
    place = torch.linspace(-1, 2, 5, dtype=torch.float64).requires_grad_()
    built = build([place])
    for _ in range(steps):
        built.zero_grad()
        (curvature * place.square()).sum().backward()
        built.step()
    return place.detach()


@pytest.mark.parametrize("name", REFERENCES)
def test_thirty_steps_agree_with_the_plain_implementation(name):
    """The fused kernels compute the same formula: equal to float64's rounding, amplified over thirty steps."""
    torch.testing.assert_close(descend(OURS[name].build), descend(REFERENCES[name]), rtol=1e-11, atol=1e-13)


def test_weight_decay_of_adam_shrinks_a_weight_without_gradient():
    weight = torch.ones(1, requires_grad=True)
    weight.grad = torch.zeros(1)
    Optimiser("adam", 0.1, weight_decay=0.5).build([weight]).step()

    assert weight.item() == pytest.approx(1 - 0.1 * 0.5)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [1, 1, 1, 1]),
        ("cosine", [1, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2]),
        ("linear", [1, 0.75, 0.5, 0.25]),
        ("step", [1, 1, 0.1, 0.01]),
    ],
)
def test_factor_follows_the_formula(schedule, expected):
    optimiser = Optimiser("sgd", 1.0, schedule=schedule)

    assert [optimiser.factor(step, 4) for step in range(4)] == pytest.approx(expected)


def test_rate_is_given_to_the_built_optimiser():
    optimiser = Optimiser("sgd", 0.2, schedule="linear")
    built = optimiser.build([torch.zeros(1, requires_grad=True)])
    optimiser.set_rate(built, 5, 10)

    assert built.param_groups[0]["lr"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("adm", 0.1), r"method: 'adm' is unknown; take one of sgd, adam"),
        (("sgd", -0.1), r"learning_rate: -0.1 is outside \[0.0, inf\)"),
        (("sgd", math.nan), "learning_rate: nan is outside"),
        (("sgd", 0.1, 1.0), r"momentum: 1.0 is outside \[0.0, 1.0\)"),
        (("adam", 0.1, 0.9), "momentum: 0.9: 'adam' has its own; leave it out or take 'sgd'"),
        (("sgd", 0.1, 0.9, -1e-4), "weight_decay: -0.0001 is outside"),
        (("sgd", 0.1, 0.9, 0.0, "cosin"), "schedule: 'cosin' is unknown; take one of constant, cosine, linear, step"),
    ],
)
def test_misuse_is_named(arguments, message):
    with pytest.raises(UsageError, match=message):
        Optimiser(*arguments)
