"""Verdicts, controls and timings; checks of the instrument: what is taken away from weights and images."""

from __future__ import annotations

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))


def test_instrument_shuffling_keeps_the_numbers_of_each_layer_and_seed(claim):
    import torch

    weights = {"0.weight": torch.arange(24.0).view(2, 3, 4)}
    mixed = claim.experiment.shuffled(weights, SEEDS)["0.weight"]

    assert not torch.equal(mixed, weights["0.weight"])
    torch.testing.assert_close(mixed.flatten(1).sort(1).values, weights["0.weight"].flatten(1))


def test_instrument_scrambling_keeps_the_ink_of_each_image(claim):
    import torch

    images = torch.rand(2, 5, 784, generator=torch.Generator().manual_seed(1))
    mixed = claim.experiment.scrambled(images, SEEDS)

    assert (mixed != images).float().mean() > 0.9
    torch.testing.assert_close(mixed.sort(2).values, images.sort(2).values)
