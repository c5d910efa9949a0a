"""Checks of the instrument: the smallest and the nearest solution in other ways, what descent keeps, and that signs descend."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from scipy.optimize import minimize

from harness.claim_tests import test_control, test_reading
from harness.seeds import seeds_of

SEED = seeds_of("instrument", 0, range(1))[0]


@pytest.mark.parametrize("start", [0.0, 1.0])
def test_instrument_nearest_solution_is_that_of_a_constrained_minimization(claim, start):
    """Sequential quadratic programming with the equations as constraints; it stops at about a millionth."""
    inputs, targets, begin = claim.experiment.problem(SEED, 3, 5, start)

    found = minimize(
        lambda weights: ((weights - begin) ** 2).sum(),
        np.ones(5),
        constraints={"type": "eq", "fun": lambda weights: inputs @ weights - targets},
        method="SLSQP",
        options={"ftol": 1e-14},
    )

    assert found.success
    np.testing.assert_allclose(claim.experiment.nearest_solution(inputs, targets, begin), found.x, atol=1e-5)


def test_instrument_smallest_solution_is_a_sum_of_the_inputs(claim):
    """X^T (X X^T)^-1 y, the kernel trick of Zhang et al. 2017; no other solution that the null space leads to is shorter."""
    inputs, targets, _ = claim.experiment.problem(SEED, 20, 100, 0.0)
    smallest = claim.experiment.nearest_solution(inputs, targets, np.zeros(100))
    others = claim.experiment.nearest_solution(inputs, targets, SEED.numpy("others").standard_normal(100))

    np.testing.assert_allclose(smallest, inputs.T @ np.linalg.solve(inputs @ inputs.T, targets), atol=1e-12)
    np.testing.assert_allclose(inputs @ others, targets, atol=1e-10)
    assert np.linalg.norm(others) > np.linalg.norm(smallest)
    assert abs((others - smallest) @ smallest) < 1e-10


@pytest.mark.parametrize(("rule", "keeps"), [("gradient", True), ("sign", False)])
def test_instrument_gradient_keeps_what_is_orthogonal_to_the_inputs_and_signs_do_not(claim, rule, keeps):
    given = claim.experiment.problem(SEED, 20, 100, 1.0)
    path = np.array(list(islice(claim.experiment.descent(*given, rule), 50)))
    orthogonal = path - path @ np.linalg.pinv(given[0]) @ given[0]
    moved = np.linalg.norm(orthogonal - orthogonal[0], axis=1) / np.linalg.norm(orthogonal[0])

    assert (moved.max() < 1e-12) == keeps
    assert keeps or moved[-1] > 0.1


def test_instrument_each_gradient_step_is_the_derivative_of_the_loss(claim):
    """By central differences, over a step of one by the smoothness."""
    inputs, targets, begin = claim.experiment.problem(SEED, 4, 6, 1.0)
    first, second = islice(claim.experiment.descent(inputs, targets, begin, "gradient"), 2)

    def loss(weights):
        return ((inputs @ weights - targets) ** 2).sum() / 2

    slope = [(loss(begin + 1e-6 * unit) - loss(begin - 1e-6 * unit)) / 2e-6 for unit in np.eye(6)]

    np.testing.assert_array_equal(first, begin)
    np.testing.assert_allclose((first - second) * np.linalg.eigvalsh(inputs.T @ inputs)[-1], slope, atol=1e-7)


@pytest.mark.parametrize("start", [0.0, 1.0])
def test_instrument_signs_fit_too_and_never_go_uphill(claim, start):
    """So that the control differs in where it ends, not in whether it solves the equations."""
    inputs, targets, begin = claim.experiment.problem(SEED, 20, 100, start)
    path = np.array(list(islice(claim.experiment.descent(inputs, targets, begin, "sign"), 2000)))
    losses = ((path @ inputs.T - targets) ** 2).sum(axis=1)

    assert np.sqrt(losses[-1]) < 1e-6 * np.linalg.norm(targets)
    assert (np.diff(losses) <= 1e-20).all()


def test_instrument_start_is_the_usual_one_and_targets_have_variance_one(claim):
    """Over four hundred seeds, within five standard errors: (x / a)^2 of a uniform x has mean 1/3 and relative variance 0.8; the
    mean square of twenty targets has variance 2 / 20 of the inputs and 2 / 100 of the teacher that they share.
    """
    drawn = [claim.experiment.problem(seed, 20, 100, 1.0) for seed in seeds_of("instrument", 0, range(400))]
    starts, targets = np.array([start for *_, start in drawn]), np.array([targets for _, targets, _ in drawn])

    assert abs(starts).max() <= 0.1
    assert (starts**2).mean() == pytest.approx(0.01 / 3, rel=5 * np.sqrt(0.8 / 40_000))
    assert (targets**2).mean() == pytest.approx(1, rel=5 * np.sqrt(0.12 / 400))
