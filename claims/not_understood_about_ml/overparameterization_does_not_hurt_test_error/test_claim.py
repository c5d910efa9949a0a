"""Verdicts, controls and timings; checks of the instrument: label noise and the pixels."""

from __future__ import annotations

import numpy as np
import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))


def drawn(claim, label_noise, seeds=SEEDS, n_train=300):
    return claim.experiment.examples(seeds, n_train=n_train, n_test=200, label_noise=label_noise)


@pytest.mark.parametrize("share", [0.05, 0.4])
def test_instrument_noise_changes_nine_in_ten_of_its_share(claim, share):
    """A redrawn label is the old one in one case of ten; within five standard errors over two thousand labels."""
    clean, noisy = (drawn(claim, noise, SEEDS[:1], n_train=2000).train[1][0] for noise in (0.0, share))
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
