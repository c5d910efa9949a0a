"""Verdicts, controls and timings; checks of the instrument: label noise and the pixels."""

from __future__ import annotations

import numpy as np
import pytest

from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))


def test_reading(claim, reading):
    claim.check_reading(reading)


def test_control(claim, control):
    claim.check_control(control)


def test_training_time(claim, benchmark, training_arm):
    claim.time_training(benchmark, training_arm)


def test_inference_time(claim, benchmark, inference_arm):
    claim.time_inference(benchmark, inference_arm)


@pytest.mark.parametrize("share", [0.05, 0.4])
def test_instrument_noise_changes_nine_in_ten_of_its_share(claim, share):
    """A redrawn label is the old one in one case of ten; within five standard errors over two thousand labels."""
    clean, noisy = (claim.experiment.examples_of(SEEDS[:1], 2000, 500, noise)[0][1][0] for noise in (0.0, share))
    changed = (clean != noisy).double().mean().item()

    assert changed == pytest.approx(0.9 * share, abs=5 * np.sqrt(0.9 * share / 2000))


def test_instrument_test_labels_and_all_pixels_are_without_noise(claim):
    (clean_inputs, _), clean_test = claim.experiment.examples_of(SEEDS, 300, 200, 0.0)
    (noisy_inputs, _), noisy_test = claim.experiment.examples_of(SEEDS, 300, 200, 0.4)

    assert (clean_inputs == noisy_inputs).all()
    assert all((clean == noisy).all() for clean, noisy in zip(clean_test, noisy_test, strict=True))


def test_instrument_pixels_are_centred_by_the_training_set(claim):
    (inputs, _), (test_inputs, _) = claim.experiment.examples_of(SEEDS, 300, 200, 0.0)

    assert inputs.shape == (2, 300, 100)
    assert inputs.mean(1).abs().max() < 1e-5
    assert test_inputs.mean(1).abs().max() > 1e-3
