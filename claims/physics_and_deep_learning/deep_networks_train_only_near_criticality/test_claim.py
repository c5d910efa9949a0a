"""Verdicts, controls, timings; checks of the instrument: the phases by theory, what is drawn, and what is kept apart."""

from __future__ import annotations

import numpy as np
import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))
BIAS_VARIANCE = 0.05

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(101)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def theory(variance: float) -> float:
    """Return log chi_1 of infinitely wide tanh networks: how squares of small differences, and of gradients, grow in a layer.

    Schoenholz et al. 2017, eqs. 3 and 5, at the fixed point of the signals' size.
    """
    q = 1.0
    for _ in range(2000):
        q = variance * WEIGHTS @ np.tanh(np.sqrt(q) * NODES) ** 2 + BIAS_VARIANCE
    return float(np.log(variance * WEIGHTS @ (1 - np.tanh(np.sqrt(q) * NODES) ** 2) ** 2))


def digits(claim, n_train=300):
    return claim.experiment.examples(SEEDS, n_train=n_train, n_test=200, side=14)


def recipe(variance, steps, rates=()):
    from harness.training import Gaussian, Optimiser, Recipe

    start = Gaussian(variance, BIAS_VARIANCE)
    return Recipe(Optimiser("sgd", 0.1), batch_size=20, steps=steps, initialiser=start, rates=rates)


def test_instrument_variances_lie_on_the_sides_that_the_arms_are_named_for():
    """And signals in the ordered phase are to fall by e to the power of 6 between six layers and thirty."""
    assert theory(1.755) < 0 < theory(1.765)
    assert theory(0.8) == pytest.approx(-1 / 2.3, abs=0.01)
    assert theory(5.0) == pytest.approx(1 / 2.6, abs=0.01)
    assert 6 < -6 / theory(0.8) < 30


@pytest.mark.parametrize("variance", [0.8, 1.76, 5.0])
def test_instrument_networks_start_as_theory_has_it(claim, variance):
    """Small differences of two digits grow over twenty layers of 400 units as they do in infinitely wide ones."""
    from harness.training import train

    split = digits(claim, n_train=40)
    build = lambda: claim.experiment.network(196, 25, 400)  # noqa: E731 - a factory
    networks = train(build, *split.train, SEEDS, recipe=recipe(variance, 0))
    near = split.train[0] + 1e-3 * split.train[0].roll(1, 1)
    squares = [
        (networks.features(near, 2 * layer) - networks.features(split.train[0], 2 * layer)).double().square().mean()
        for layer in (5, 25)
    ]

    assert np.log((squares[1] / squares[0]).item()) / 20 == pytest.approx(theory(variance), abs=0.06)


def test_instrument_starts_of_one_seed_differ_by_scale_alone(claim):
    from harness.training import train

    split = digits(claim, n_train=40)
    build = lambda: claim.experiment.network(196, 3, 64)  # noqa: E731 - a factory
    small, large = (train(build, *split.train, SEEDS, recipe=recipe(own, 0)).weights for own in (0.8, 5.0))

    assert (large["4.weight"] / small["4.weight"] - 2.5).abs().max() < 1e-4
    assert (large["4.bias"] == small["4.bias"]).all()
    assert small["2.weight"].var().item() == pytest.approx(0.8 / 64, rel=5 * (2 / 8192) ** 0.5)
    assert small["2.bias"].var().item() == pytest.approx(BIAS_VARIANCE, rel=5 * (2 / 128) ** 0.5)


def test_instrument_no_digit_is_both_trained_on_and_tested_on(claim):
    from fixtures.leakage import images_in_both

    assert images_in_both(digits(claim, n_train=1000)) == [0, 0]


def test_instrument_neither_training_nor_the_choice_of_a_rate_sees_the_test_digits(claim):
    """Without them the networks are the same, bit for bit."""
    from fixtures.leakage import without_test

    split, rule = digits(claim), recipe(1.76, 30, rates=(0.01, 0.1))
    one, other = (
        claim.experiment.fit(SEEDS, own, rule, depth=3, width=16).predict(split.train[0])
        for own in (split, without_test(split))
    )

    assert (one == other).all()


def test_instrument_each_error_is_that_of_its_own_part(claim):
    from fixtures.leakage import exchanged

    split = digits(claim)
    networks = claim.experiment.fit(SEEDS, split, recipe(1.76, 150, rates=(0.01, 0.1)), depth=3, width=64)
    found, swapped = (claim.experiment.score(networks, own) for own in (split, exchanged(split)))

    # What was trained on is known better.
    assert (found["train_error"] < found["test_error"]).all()
    assert (found["train_error"] == swapped["test_error"]).all()
