"""Checks of the instrument: the reference separator and the descent."""

from __future__ import annotations

import numpy as np
import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of


def test_instrument_separator_of_two_points_is_known(claim):
    """Of (2, 0), (0, 2) and a point far off it is (1/2, 1/2) by symmetry, with the first two pulling alike."""
    points = np.array([[2.0, 0.0], [0.0, 2.0], [5.0, 5.0]])
    separator, multipliers = claim.experiment.max_margin_separator(points)

    np.testing.assert_allclose(separator, [0.5, 0.5], rtol=1e-12)
    np.testing.assert_allclose(multipliers, [0.25, 0.25, 0.0], rtol=1e-12)


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

    assert margin == pytest.approx(1 / np.linalg.norm(claim.experiment.max_margin_separator(signed)[0]), rel=1e-5)


def test_instrument_refuses_data_that_are_not_separable(claim):
    """Two opposite points have no separator, and the reference says so."""
    with pytest.raises(ValueError, match="separable"):
        claim.experiment.max_margin_separator(np.array([[1.0, 0.0], [-1.0, 0.0]]))


@pytest.mark.parametrize(
    ("separator", "multipliers"),
    [([0.5, 0.4], [0.25, 0.2]), ([0.5, 0.5], [0.25, 0.3]), ([1.0, 1.0], [0.5, 0.5]), ([0.5, 0.0], [0.25, 0.0])],
    ids=["a margin is violated", "not stationary", "slack is paid for", "a point on the plane"],
)
def test_instrument_refuses_what_is_not_optimal(claim, separator, multipliers):
    """Each of the conditions of optimality is asked, of points whose separator is (1/2, 1/2)."""
    points = np.array([[2.0, 0.0], [0.0, 2.0]])
    claim.experiment.raise_unless_optimal(points, np.array([0.5, 0.5]), np.array([0.25, 0.25]))

    with pytest.raises(ValueError, match="KKT"):
        claim.experiment.raise_unless_optimal(points, np.array(separator), np.array(multipliers))


def test_instrument_tolerates_rounding_alone(claim):
    """One part in a hundred million of the margin is the limit: 0.8 of it passes, 1.5 does not."""
    points, multipliers = np.array([[2.0, 0.0], [0.0, 2.0]]), np.array([0.25, 0.25])
    claim.experiment.raise_unless_optimal(points, np.array([0.5, 0.5 + 0.8e-8]), multipliers)

    with pytest.raises(ValueError, match="KKT"):
        claim.experiment.raise_unless_optimal(points, np.array([0.5, 0.5 + 1.5e-8]), multipliers)


def test_instrument_refuses_a_negative_multiplier(claim):
    """Of (1, 0) twice, multipliers 2 and -1 give (1, 0) with both margins met; only their sign is wrong."""
    with pytest.raises(ValueError, match="KKT"):
        claim.experiment.raise_unless_optimal(
            np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([1.0, 0.0]), np.array([2.0, -1.0])
        )


def test_instrument_law_of_two_orthogonal_points_is_known(claim):
    """Of (a, 0) and (0, b) each weight obeys an equation of its own, with exp(a w) = rate a^2 t for late t.

    With a = 2 and b = 1 the multipliers are 1/4 and 1, so that w = (ln(4 rate t) / 2, ln(rate t)) at late t; the law's
    constants are worked out from that by hand, not by entropies.
    """
    rate, late = 0.3, 1e30
    _, multipliers = claim.experiment.max_margin_separator(np.array([[2.0, 0.0], [0.0, 1.0]]))
    deficit, beginning = claim.experiment.limit_law(multipliers, rate)
    margins = np.array([np.log(4 * rate * late), np.log(rate * late)])
    # The weights along the separator (1/2, 1), times its margin of 1 / sqrt(1.25).
    along = (margins[0] / 2 * 0.5 + margins[1]) / 1.25

    assert np.log(late) - beginning == pytest.approx(along)
    assert deficit == pytest.approx(along - margins.min())


def test_instrument_law_of_a_single_support_vector_leaves_no_deficit(claim):
    """Of (1, 0) and a point far behind it the descent's limit is the separator itself."""
    _, multipliers = claim.experiment.max_margin_separator(np.array([[1.0, 0.0], [9.0, 1.0]]))

    assert claim.experiment.limit_law(multipliers, 0.3) == pytest.approx((0, np.log(1 / 0.3)))


def test_instrument_descent_ends_where_the_law_says(claim):
    """The same two points, by the descent itself: after 100,000 steps its weights are those of the limit."""
    points = np.array([[[2.0, 0.0], [0.0, 1.0]]])
    (rate,) = claim.experiment.step_size(points, "logistic", 1.0)
    (weights,) = claim.experiment.descend(points, "logistic", 1.0, [100_000])

    np.testing.assert_allclose(weights[0], [np.log(4 * rate * 1e5) / 2, np.log(rate * 1e5)], atol=1e-3)


def test_instrument_seeds_differ_in_their_data(claim):
    """Every seed draws examples and teacher anew."""
    one, other = (
        claim.experiment.signed_examples(seed, n_train=6, dimension=3) for seed in seeds_of("instrument", 0, range(2))
    )
    assert not np.isclose(np.abs(one), np.abs(other)).any()


def test_instrument_measured_gap_is_that_of_the_weights(claim):
    """Gap, length and loss of a measured trial, from the weights of the descent and the machine's margin by hand."""
    experiment = claim.experiment
    seeds = seeds_of("instrument", 0, range(2))
    settings = {"loss": "logistic", "learning_rate": 1.0}
    found = experiment.measure("gradient_descent", seeds, **settings, step=(3, 50), n_train=8, dimension=4)
    for row, seed in enumerate(seeds):
        signed = experiment.signed_examples(seed, n_train=8, dimension=4)
        separator, multipliers = experiment.max_margin_separator(signed)
        (rate,) = experiment.step_size(signed[None], "logistic", 1.0)
        deficit, beginning = experiment.limit_law(multipliers, rate)
        for column, weights in enumerate(experiment.descend(signed[None], **settings, steps=[3, 50])):
            margins = signed @ weights[0]
            length = np.sqrt((weights**2).sum() / (separator**2).sum())
            since = np.log((3, 50)[column]) - beginning
            wanted = (1 - margins.min() / length, np.log1p(np.exp(-margins)).mean(), length - since)
            names = ("margin_gap", "training_loss", "excess_length")
            assert [found[name][row, column] for name in names] == pytest.approx(wanted)
            assert found["excess_deficit"][row, column] == pytest.approx(wanted[0] * since - deficit)


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
    first, third = experiment.descend(signed[None], loss, 1.0, [1, 3])

    np.testing.assert_allclose(first[0], -np.array(gradient) / smoothness, rtol=1e-7)
    again = first[0]
    for _ in range(2):
        slope = -1 / (1 + np.exp(signed @ again)) if loss == "logistic" else signed @ again - 1
        again = again - slope @ signed / smoothness
    np.testing.assert_allclose(third[0], again, rtol=1e-12)
