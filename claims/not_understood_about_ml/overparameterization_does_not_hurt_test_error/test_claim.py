"""Verdicts, controls and timings; checks of the instrument: label noise, pixels, initial weights, what is kept apart."""

from __future__ import annotations

import numpy as np
import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))


def drawn(claim, label_noise, seeds=SEEDS, n_train=300):
    return claim.experiment.examples(seeds, n_train=n_train, n_test=200, label_noise=label_noise)


def trained(claim, split, width=4, initialiser="uniform", epochs=2):
    from harness.training import Optimiser, Recipe

    recipe = Recipe(Optimiser("sgd", 0.1, momentum=0.9), batch_size=100, epochs=epochs, initialiser=initialiser)
    return claim.experiment.fit(SEEDS, split, recipe, width=width)


@pytest.mark.parametrize("share", [0.05, 0.4])
def test_instrument_noise_changes_nine_in_ten_of_its_share(claim, share):
    """A redrawn label is the old one in one case of ten; within five standard errors over two thousand labels."""
    digits = claim.experiment.mnist.draw(SEEDS[:1], 2000, 200)
    clean, noisy = digits.train[1][0], drawn(claim, share, SEEDS[:1], n_train=2000).train[1][0]
    changed = (clean != noisy).double().mean().item()

    assert changed == pytest.approx(0.9 * share, abs=5 * np.sqrt(0.9 * share / 2000))


def test_instrument_test_labels_and_all_pixels_are_without_noise(claim):
    clean, noisy = drawn(claim, 0.0), drawn(claim, 0.4)

    assert (clean.train[0] == noisy.train[0]).all()
    assert all((one == other).all() for one, other in zip(clean.test, noisy.test, strict=True))


def test_instrument_pixels_are_centred_by_the_training_set(claim):
    split = drawn(claim, 0.0)
    inputs, test_inputs = split.train[0], split.test[0]

    assert inputs.shape == (2, 300, 100)
    assert inputs.mean(1).abs().max() < 1e-5
    assert test_inputs.mean(1).abs().max() > 1e-3


def test_instrument_no_digit_is_both_trained_on_and_tested_on(claim):
    from fixtures.leakage import images_in_both

    assert images_in_both(drawn(claim, 0.05, n_train=2000)) == [0, 0]


def test_instrument_each_seed_draws_digits_of_its_own(claim):
    """Of five thousand two seeds have few in common: three hundred draws one in seventeen, two hundred one in 25."""
    from fixtures.leakage import common

    split = claim.experiment.mnist.draw(SEEDS, 300, 200, side=claim.experiment.SIDE)

    for inks, labels in (split.train, split.test):
        assert common(inks[0], inks[1]) < 0.15 * inks.shape[1]
        assert (labels[0] != labels[1]).double().mean() > 0.5


def test_instrument_training_sees_nothing_of_the_test_digits(claim):
    """Neither to stop by nor otherwise: without them the networks are the same, bit for bit."""
    from fixtures.leakage import without_test

    split = drawn(claim, 0.05)
    one, other = (trained(claim, own, epochs=40).predict(split.train[0]) for own in (split, without_test(split)))

    assert (one == other).all()


def test_instrument_each_error_is_that_of_its_own_part(claim):
    from fixtures.leakage import exchanged

    split = drawn(claim, 0.05)
    networks = trained(claim, split, width=64, epochs=40)
    found, swapped = (claim.experiment.score(networks, own) for own in (split, exchanged(split)))

    # What was trained on is known better.
    assert (found["train_error"] < found["test_error"]).all()
    assert (found["train_error"] == swapped["test_error"]).all()
    assert (found["test_error"] == swapped["train_error"]).all()
    assert found["gap"] == pytest.approx(abs(found["train_error"] - found["test_error"]))


def test_instrument_he_weights_have_six_times_the_variance(claim):
    """2 against 1/3 over fan in; fifty thousand draws tell each to within two per cent."""
    split = drawn(claim, 0.0)
    starts = [
        trained(claim, split, 500, initialiser, epochs=0).weights["0.weight"] for initialiser in ("he", "uniform")
    ]
    he, uniform = (start.double().var((1, 2)).numpy() for start in starts)

    assert he / uniform == pytest.approx(6, rel=0.05)
