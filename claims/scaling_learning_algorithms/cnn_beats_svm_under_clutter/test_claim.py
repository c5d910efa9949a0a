"""Checks of the instrument: what the network sees and costs, and what shuffling leaves alone."""

from __future__ import annotations

import numpy as np
import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import Seed

CANVAS, WIDTH = 32, 16


def trial(claim, **changes):
    """Return a small trial of the claim's experiment."""
    settings = {
        "scene": "clutter", "pixels": "natural", "n_train": 40, "n_test": 20, "canvas": CANVAS, "fragments": 5,
        "fragment": 6, "width": 4, "features": "trained", "n_search": 20, "inference_repeats": 1, "method": "adam",
        "learning_rate": 0.01, "weight_decay": 0.0, "schedule": "cosine", "epochs": 1, "batch_size": 20,
        "initialiser": "he", "loss": "cross_entropy", "device": "cpu", "precision": "float32",
    }  # fmt: skip
    return claim.experiment.Trial.of(Seed(0, "instrument", 0), **{**settings, **changes})


def test_instrument_a_unit_of_the_last_stage_sees_the_whole_canvas(claim):
    """The field of 32 pixels that the network's docstring promises, counted from kernels and strides."""
    from torch import nn

    field, stride = 1, 1
    for layer in claim.experiment.network(WIDTH):
        if isinstance(layer, (nn.Conv2d, nn.MaxPool2d)):
            size = layer.kernel_size if isinstance(layer.kernel_size, int) else layer.kernel_size[0]
            field += (size - 1) * stride
            stride *= layer.stride if isinstance(layer.stride, int) else layer.stride[0]
    assert field == CANVAS


def test_instrument_multiplications_per_image_are_as_the_claim_counts_them(claim):
    """4.5 million, the figure on which the expected verdict of the documented speed rests."""
    import torch
    from torch import nn

    images, counted = torch.zeros(1, 1, CANVAS, CANVAS), 0
    for layer in claim.experiment.network(WIDTH).eval():
        images = layer(images)
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            places = images[0, 0].numel() if images.ndim == 4 else 1
            counted += places * layer.weight.numel()
    assert counted == pytest.approx(4.5e6, rel=0.01)


def test_instrument_shuffled_pixels_keep_the_distances_between_images(claim):
    """What a Gaussian kernel sees is the same, to the rounding of float32 sums in another order."""
    natural = claim.experiment.examples_of(trial(claim))
    shuffled = claim.experiment.examples_of(trial(claim, pixels="shuffled"))
    assert not np.array_equal(natural.images, shuffled.images)
    for one, other in ((natural.images, shuffled.images), (natural.test_images, shuffled.test_images)):
        before, after = (np.square(images[:, None] - images[None]).sum((2, 3)) for images in (one, other))
        np.testing.assert_allclose(after, before, rtol=1e-5)


def test_instrument_the_scenes_of_a_seed_show_the_same_digits(claim):
    """Uniform and cluttered trials are paired: same split, same labels."""
    cluttered, uniform = (claim.experiment.examples_of(trial(claim, scene=scene)) for scene in ("clutter", "uniform"))
    np.testing.assert_array_equal(cluttered.labels, uniform.labels)
    np.testing.assert_array_equal(cluttered.test_labels, uniform.test_labels)


def test_instrument_untrained_features_come_from_the_network_before_its_first_step(claim):
    """They differ from trained ones, and need no training: zero epochs leave the initial weights."""
    import torch

    untrained, _ = claim.experiment.trained_network(trial(claim, epochs=0))
    trained, _ = claim.experiment.trained_network(trial(claim))
    assert torch.count_nonzero(untrained.weights["2.running_mean"]) == 0
    assert torch.count_nonzero(trained.weights["2.running_mean"]) == 4
