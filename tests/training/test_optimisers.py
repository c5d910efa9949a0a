"""Optimisers against torch's own reference implementations, and schedules against their formulas."""

from __future__ import annotations

import math

import pytest
import torch

from harness.errors import UsageError
from harness.training.optimisers import Optimiser, _Adam, _Sgd, make_stepper

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


CURVATURE = torch.tensor([1.0, 10.0, 0.1, 3.0, 0.5], dtype=torch.float64)
STEPS = 30


def places(number):
    """Return where a descent begins, once for each of `number` seeds."""
    return torch.linspace(-1, 2, 5, dtype=torch.float64).repeat(number, 1).requires_grad_()


def reference(build, factor=lambda _: 1.0):
    """Minimise a quadratic of unequal curvatures by a torch optimiser; return where it led."""
    place = places(1)
    built = build([place])
    rate = built.param_groups[0]["lr"]
    for step in range(STEPS):
        built.param_groups[0]["lr"] = rate * factor(step / STEPS)
        built.zero_grad()
        (CURVATURE * place.square()).sum().backward()
        built.step()
    return place.detach()[0]


COLUMNS = {"sgd": _Sgd, "adam": _Adam}
"""What a GPU takes, where a recorded step may hold no number of the host's."""


def ours(optimisers, *, by_columns=False):
    """Minimise the same by one optimiser per seed; return where each led."""
    place = places(len(optimisers))
    made = COLUMNS[optimisers[0].method] if by_columns else make_stepper
    rule = made(optimisers, [place], STEPS)
    for _ in range(STEPS):
        (CURVATURE * place.square()).sum().backward()
        rule.step()
        assert place.grad is None
    return place.detach()


@pytest.mark.parametrize("name", REFERENCES)
def test_thirty_steps_agree_with_the_plain_implementation(name):
    """The fused kernels compute the same formula: equal to float64's rounding, amplified over thirty steps."""
    alike = ours([OURS[name]] * 2)

    torch.testing.assert_close(alike, reference(REFERENCES[name]).expand(2, -1), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("by_columns", [False, True])
@pytest.mark.parametrize("method", ["sgd", "adam"])
def test_a_grid_of_optimisers_is_each_of_them_by_itself(method, by_columns):
    names = [name for name, own in OURS.items() if own.method == method]
    others = [Optimiser(method, 0.02, schedule="cosine"), Optimiser(method, 0.01, weight_decay=0.1, schedule="step")]
    together = ours([*(OURS[name] for name in names), *others], by_columns=by_columns)

    for row, name in zip(together, names, strict=False):
        torch.testing.assert_close(row, reference(REFERENCES[name]), rtol=1e-11, atol=1e-13)
    for row, own in zip(together[len(names) :], others, strict=True):
        torch.testing.assert_close(row, ours([own])[0], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("method", ["sgd", "adam"])
def test_rows_of_seeds_with_the_same_optimiser_are_each_of_them_by_itself(method):
    """As a search lays them out: all seeds at one rate, then all at the next, each with a schedule of its own."""
    names = [name for name, own in OURS.items() if own.method == method]
    each = [*(OURS[name] for name in names), Optimiser(method, 0.02, schedule="cosine")]
    together = ours([own for own in each for _ in range(3)])

    for number, own in enumerate(each):
        alone = ours([own])[0] if own not in OURS.values() else reference(REFERENCES[names[number]])
        torch.testing.assert_close(together[3 * number : 3 * number + 3], alone.expand(3, -1), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("optimisers", [[OURS["decay"]] * 4, [OURS["adam"]] * 2 + [OURS["adam decay"]] * 2])
def test_what_a_network_does_not_use_stays_and_what_it_uses_later_begins_then(optimisers):
    """Seen by a parameter that has a gradient at the second step alone, as torch's own optimiser has it."""
    unused, place = (torch.ones(4, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    rule = make_stepper(optimisers, [unused, place], 2)
    for step in range(2):
        place.grad = torch.ones_like(place)
        if step:
            unused.grad = torch.ones_like(unused)
        rule.step()
        assert (unused == 1).all() == (step == 0)

    for row, own in enumerate(optimisers):
        expected = torch.ones(3, dtype=torch.float64, requires_grad=True)
        expected.grad = torch.ones_like(expected)
        name = next(name for name, known in OURS.items() if known == own)
        REFERENCES[name]([expected]).step()
        torch.testing.assert_close(unused[row], expected, rtol=1e-11, atol=1e-13)


def test_optimisers_of_two_methods_make_no_grid():
    with pytest.raises(UsageError, match="optimiser: method: one per seed may differ in numbers and schedule"):
        ours([OURS["sgd"], OURS["adam"]])


@pytest.mark.parametrize("method", ["sgd", "adam"])
def test_the_schedule_sets_the_rate_of_each_step(method):
    scheduled = ours([Optimiser(method, 0.05, schedule="linear")])[0]
    kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[method]

    torch.testing.assert_close(scheduled, reference(lambda parameters: kind(parameters, 0.05), lambda done: 1 - done))


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
