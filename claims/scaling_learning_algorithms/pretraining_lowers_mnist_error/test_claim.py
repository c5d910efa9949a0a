"""Verdicts, controls and timings; checks of the instrument: what is taken away from weights and images."""

from __future__ import annotations

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
