"""Verdicts, controls, timings; checks of the instrument: random labels are random, and the regularisers are there."""

from __future__ import annotations

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(4))


def test_instrument_random_labels_say_nothing_about_the_digits(claim):
    """They agree with the true ones in a tenth of the cases; within five standard errors over eight thousand labels."""
    sizes = {"n_train": 2000, "n_test": 100}
    true, drawn = (claim.experiment.examples(SEEDS, labels=labels, **sizes).train[1] for labels in ("true", "random"))

    assert abs((true == drawn).double().mean().item() - 0.1) < 5 * (0.09 / 8000) ** 0.5


def test_instrument_true_and_random_labels_come_with_the_same_digits(claim):
    import torch

    sizes = {"n_train": 100, "n_test": 100}
    true, drawn = (claim.experiment.examples(SEEDS, labels=labels, **sizes) for labels in ("true", "random"))

    assert torch.equal(true.train[0], drawn.train[0])
    assert torch.equal(true.test[1], drawn.test[1])


def test_instrument_dropout_is_in_the_network_that_asks_for_it(claim):
    from torch import nn

    layers = claim.experiment.network(4, 0.5)

    assert sum(isinstance(layer, nn.Dropout) for layer in layers) == 2
    assert not any(isinstance(layer, nn.Dropout) for layer in claim.experiment.network(4, 0.0))
    assert sum(p.numel() for p in layers.parameters()) == 3210
