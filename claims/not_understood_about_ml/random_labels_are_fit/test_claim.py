"""Verdicts, controls, timings; checks of the instrument: random labels are random, and the regularisers are there."""

from __future__ import annotations

from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(4))


def test_reading(claim, reading):
    claim.check_reading(reading)


def test_control(claim, control):
    claim.check_control(control)


def test_training_time(claim, benchmark, training_arm):
    claim.time_training(benchmark, training_arm)


def test_inference_time(claim, benchmark, inference_arm):
    claim.time_inference(benchmark, inference_arm)


def test_instrument_random_labels_say_nothing_about_the_digits(claim):
    """They agree with the true ones in a tenth of the cases; within five standard errors over eight thousand labels."""
    _, true = claim.experiment.examples_of(SEEDS, 2000, 100, "true")[0]
    _, drawn = claim.experiment.examples_of(SEEDS, 2000, 100, "random")[0]

    assert abs((true == drawn).double().mean().item() - 0.1) < 5 * (0.09 / 8000) ** 0.5


def test_instrument_true_and_random_labels_come_with_the_same_digits(claim):
    import torch

    pairs = [claim.experiment.examples_of(SEEDS, 100, 100, labels) for labels in ("true", "random")]

    assert torch.equal(pairs[0][0][0], pairs[1][0][0])
    assert torch.equal(pairs[0][1][1], pairs[1][1][1])


def test_instrument_dropout_is_in_the_network_that_asks_for_it(claim):
    from torch import nn

    layers = claim.experiment.network(4, 0.5)

    assert sum(isinstance(layer, nn.Dropout) for layer in layers) == 2
    assert not any(isinstance(layer, nn.Dropout) for layer in claim.experiment.network(4, 0.0))
    assert sum(p.numel() for p in layers.parameters()) == 3210
