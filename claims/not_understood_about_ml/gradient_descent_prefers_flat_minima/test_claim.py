"""Verdicts, controls, timings; checks of the instrument: the Hessian, where training stops, what rescaling leaves alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))


@pytest.fixture
def trained(claim):
    """Return a function that trains small networks on 40 digits of 4 x 4 pixels, and the digits."""
    from harness.training import Optimiser, Recipe

    split = claim.experiment.examples(SEEDS, n_train=40, n_test=30, side=4)

    def networks(activation, steps=60, rate=1.0, enough=0.0):
        recipe = Recipe(Optimiser("sgd", rate), 1000, steps=steps, loss="squared_error")
        return claim.experiment.fit(
            SEEDS, split, recipe, hidden=[5, 4], activation=activation, enough=enough, every=5
        )  # fmt: skip

    return networks, split


def whole_hessian(networks, split, number, activation):
    """Return all 159 x 159 second derivatives of one network's mean squared error, written out, in float64."""
    import torch

    parts = [own[number].double() for own in networks.weights.values()]
    ends = np.cumsum([own.numel() for own in parts])[:-1].tolist()
    inputs, targets = split.train[0][number].double(), torch.eye(10).double()[split.train[1][number]]
    function = {"tanh": torch.tanh, "relu": torch.relu}[activation]

    def loss(flat):
        own = [piece.view_as(part) for piece, part in zip(flat.tensor_split(ends), parts, strict=True)]
        hidden = function(function(inputs @ own[0].T + own[1]) @ own[2].T + own[3])
        return ((hidden @ own[4].T + own[5] - targets) ** 2).mean()

    return torch.autograd.functional.hessian(loss, torch.cat([own.flatten() for own in parts]))


def test_instrument_sharpness_is_that_of_the_whole_hessian(claim, trained):
    """To a ten-thousandth, which float32 leaves of second derivatives."""
    import torch

    networks, split = trained[0]("tanh"), trained[1]
    found = claim.experiment.score(networks, split, learning_rate=1.0, factor=1.0, iterations=60)["sharpness"]

    for number in range(2):
        whole = whole_hessian(networks, split, number, "tanh")
        assert whole.shape == (159, 159)
        assert found[number] == pytest.approx(torch.linalg.eigvalsh(whole)[-1].item(), rel=1e-4)


def test_instrument_training_stops_at_the_loss_that_is_enough(claim, trained):
    networks, split = trained[0]("tanh", steps=500, enough=0.06), trained[1]
    losses = claim.experiment.score(networks, split, learning_rate=1.0, factor=1.0, iterations=5)["train_loss"]

    assert (losses <= 0.06).all()
    assert (losses > 0.05).all()
    assert all(0 < taken < 500 for taken in networks.steps)


def test_instrument_all_examples_are_in_every_step(trained):
    """A step of full-batch descent is the gradient's: two steps by hand in one go of the oracle, to float32."""
    import torch

    from fixtures.curvature import gradient

    start, one, two = (trained[0]("tanh", steps=steps, rate=0.5) for steps in (5, 10, 15))
    targets = torch.eye(10)[trained[1].train[1]]
    for before, after in ((start, one), (one, two)):
        at = before
        for _ in range(5):
            slopes = gradient(at, trained[1].train[0], targets, "squared_error")
            at = replace(at, weights={name: own - 0.5 * slopes[name] for name, own in at.weights.items()})
        for name, own in at.weights.items():
            torch.testing.assert_close(own, after.weights[name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("activation", "same"), [("relu", True), ("tanh", False)])
def test_instrument_rescaling_leaves_the_function_of_rectifiers_alone(claim, trained, activation, same):
    networks = trained[0](activation)
    inputs = 3 * trained[1].test[0]
    change = (claim.experiment.rescaled(networks, 0.1).predict(inputs) - networks.predict(inputs)).abs().max()

    assert (change < 1e-5) == same
    assert change < 1e-5 or change > 0.01


def test_instrument_what_is_rescaled_by_a_is_sharper_by_the_formula(claim, trained):
    """The Hessian of f(w) = g(D w) is D H D: rescaled by a, D has 1/a for what was made smaller, and a for what grew."""
    import torch

    networks, split = trained[0]("relu"), trained[1]
    score = claim.experiment.score(networks, split, learning_rate=1.0, factor=0.5, iterations=80)
    factors = (2, 2, 0.5, 1, 1, 1)
    scale = torch.cat(
        [torch.full((own[0].numel(),), by) for own, by in zip(networks.weights.values(), factors, strict=True)]
    )
    for number in range(2):
        whole = whole_hessian(networks, split, number, "relu")
        expected = torch.linalg.eigvalsh(scale[:, None] * whole * scale)[-1]
        assert score["sharpness"][number] == pytest.approx(expected.item(), rel=1e-3)
