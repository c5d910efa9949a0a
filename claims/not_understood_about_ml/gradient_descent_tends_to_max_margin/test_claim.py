"""Checks of the instrument: the reference separator and the descent."""

from __future__ import annotations

import numpy as np
import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of


def test_instrument_separator_of_two_points_is_known(claim):
    """Of (2, 0) and (0, 2) the separator is (1/2, 1/2) by symmetry."""
    separator = claim.experiment.max_margin_separator(np.array([[2.0, 0.0], [0.0, 2.0]]))

    np.testing.assert_allclose(separator, [0.5, 0.5], rtol=1e-12)


def test_instrument_separator_agrees_with_a_support_vector_machine(claim):
    """A machine by coordinate descent on another formulation finds the same margin, to its own tolerance."""
    from sklearn.svm import LinearSVC

    (seed,) = seeds_of("instrument", 0, range(1))
    signed = claim.experiment.signed_examples(seed, n_train=30, dimension=20)
    # Half the examples are mirrored, so that both classes occur; without an intercept this changes nothing.
    classes = np.where(np.arange(30) % 2, 1, -1)
    machine = LinearSVC(C=1e6, loss="hinge", fit_intercept=False, tol=1e-10, max_iter=10_000_000, random_state=0)
    machine.fit(signed * classes[:, None], classes)

    margin = (signed @ machine.coef_[0]).min() / np.linalg.norm(machine.coef_)

    assert margin == pytest.approx(1 / np.linalg.norm(claim.experiment.max_margin_separator(signed)), rel=1e-5)


def test_instrument_refuses_data_that_are_not_separable(claim):
    """Two opposite points have no separator, and the reference says so."""
    with pytest.raises(ValueError, match="separable"):
        claim.experiment.max_margin_separator(np.array([[1.0, 0.0], [-1.0, 0.0]]))


@pytest.mark.parametrize("loss", ["logistic", "squared"])
def test_instrument_descent_follows_the_gradient_of_the_loss(claim, loss):
    """The first step from zero is the learning rate times a central difference of the summed loss."""
    experiment = claim.experiment
    (seed,) = seeds_of("instrument", 0, range(1))
    signed = experiment.signed_examples(seed, n_train=6, dimension=3)

    def summed_loss(weights):
        return 6 * experiment.mean_loss((signed @ weights)[None], loss)[0]

    gradient = [(summed_loss(1e-5 * axis) - summed_loss(-1e-5 * axis)) / 2e-5 for axis in np.eye(3)]
    smoothness = experiment.CURVATURE[loss] * np.linalg.norm(signed, ord=2) ** 2
    (weights,) = experiment.descend(signed[None], loss, 1.0, [1])

    np.testing.assert_allclose(weights[0], -np.array(gradient) / smoothness, rtol=1e-7)
