"""Checks of the instrument: ridge regression by another library, limits without noise, and that nothing needs tuning."""

from __future__ import annotations

import numpy as np
import pytest

from harness.claim_tests import test_control, test_reading
from harness.seeds import seeds_of

SEED = seeds_of("instrument", 0, range(1))[0]


def test_instrument_ridge_is_that_of_scikit_learn(claim):
    from sklearn.linear_model import Ridge

    shared = claim.experiment.shared_directions(SEED, 3, 8)
    _, inputs, targets = claim.experiment.draw_tasks(SEED, "any", 4, 6, 0.1, shared)
    found = claim.experiment.ridge(inputs, targets, 0.7)

    for own, x, y in zip(found, inputs, targets, strict=True):
        np.testing.assert_allclose(own, Ridge(alpha=0.7, fit_intercept=False).fit(x, y).coef_, atol=1e-10)


def test_instrument_without_noise_three_shots_are_enough(claim):
    """Enough examples determine each task, three tasks the three directions, and three shots a task within these."""
    experiment = claim.experiment
    shared = experiment.shared_directions(SEED, 3, 20)
    _, inputs, targets = experiment.draw_tasks(SEED, "earlier", 3, 40, 0.0, shared)
    found = experiment.main_directions(experiment.learn(inputs, targets, np.eye(20), 0.0), 3)
    weights, shots, values = experiment.draw_tasks(SEED, "new", 5, 3, 0.0, shared)

    np.testing.assert_allclose(shared @ shared.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(found.T @ found, shared.T @ shared, atol=1e-9)
    np.testing.assert_allclose(experiment.learn(shots, values, found, 0.0), weights, atol=1e-6)


def test_instrument_ten_shots_alone_leave_four_fifths(claim):
    """They project on ten of fifty directions, drawn at random: over 400 tasks within 0.02, five standard errors."""
    experiment = claim.experiment
    given = experiment.draw_tasks(SEED, "new", 400, 10, 1e-4, experiment.shared_directions(SEED, 3, 50))
    weights, inputs, targets = given
    errors = experiment.learn(inputs, targets, np.eye(50), 1e-4) - weights

    assert (errors**2).sum() / (weights**2).sum() == pytest.approx(0.8, abs=0.02)
    assert (weights**2).sum(axis=1).mean() == pytest.approx(1, abs=5 * np.sqrt(2 / 3 / 400))


@pytest.mark.parametrize("rows", ["shared", "all"])
def test_instrument_no_other_penalty_is_better(claim, rows):
    """For either learner; a quarter of it and four times it are not, on the same 2,000 tasks."""
    experiment = claim.experiment
    shared = experiment.shared_directions(SEED, 3, 50)
    drawn, known = (shared, shared) if rows == "shared" else (experiment.shared_directions(SEED, 50, 50), np.eye(50))
    weights, inputs, targets = experiment.draw_tasks(SEED, "new", 2000, 10, 0.3, drawn)
    errors = [((experiment.learn(inputs, targets, known, noise) - weights) ** 2).sum() for noise in (0.15, 0.3, 0.6)]

    assert min(errors) == errors[1]


def test_instrument_fewer_tasks_are_the_first_of_more(claim):
    shared = claim.experiment.shared_directions(SEED, 3, 8)
    few, many = (claim.experiment.draw_tasks(SEED, "earlier", number, 6, 0.1, shared) for number in (2, 5))

    for fewer, more in zip(few, many, strict=True):
        np.testing.assert_allclose(fewer, more[:2], atol=1e-12)
