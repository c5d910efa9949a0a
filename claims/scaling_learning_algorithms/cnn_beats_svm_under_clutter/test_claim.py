"""Checks of the instrument: what the network sees and costs, and what shuffling leaves alone."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import Seed

CANVAS, WIDTH = 32, 16

SEED = Seed(0, "instrument", 0)


SETTINGS = {
    "scene": "clutter", "pixels": "natural", "n_train": 40, "n_test": 20, "test_placements": 1, "canvas": CANVAS,
    "fragments": 5, "fragment": 6, "width": 4, "features": "trained", "n_search": 20, "costs": [1.0, 10.0],
    "kernel_widths": [0.5, 2.0], "neighbours": 1, "method": "adam",
    "learning_rate": 0.01, "weight_decay": 0.0, "schedule": "cosine", "epochs": 1, "batch_size": 20,
    "initialiser": "he", "loss": "cross_entropy", "device": "cpu", "precision": "float32",
}  # fmt: skip
"""Of a small trial."""


def trial(claim, seed=SEED, **changes):
    """Return a small trial of the claim's experiment."""
    return claim.experiment.Trial.of(seed, **{**SETTINGS, **changes})


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
    """All trials of a seed are paired: same split, same labels; moved and cluttered digits lie in the same places."""
    scenes = ("uniform", "moved", "fragments", "clutter")
    drawn = {scene: claim.experiment.examples_of(trial(claim, scene=scene)) for scene in scenes}
    for own in drawn.values():
        np.testing.assert_array_equal(own.labels, drawn["uniform"].labels)
        np.testing.assert_array_equal(own.test_labels, drawn["uniform"].test_labels)
    for part in ("images", "test_images"):
        uniform, moved, fragments, both = (getattr(drawn[scene], part) for scene in scenes)
        assert (fragments >= uniform).all()
        assert (both >= moved).all()
        assert (both > moved).any((1, 2)).mean() > 0.9
        assert (fragments > uniform).any((1, 2)).mean() > 0.9
        np.testing.assert_allclose(moved.sum((1, 2)), uniform.sum((1, 2)), rtol=1e-5)
        assert (moved != uniform).any((1, 2)).mean() > 0.9


def test_instrument_on_a_uniform_ground_all_of_a_digit_lies_in_the_middle(claim):
    """A canvas holds all ink of its digit, in the 20 x 20 pixels that MNIST fits digits to, which stand in the middle."""
    from fixtures import mnist

    examples, digits = claim.experiment.examples_of(trial(claim, scene="uniform")), mnist.load()
    rows, test_rows = mnist.split(digits, SEED, 40, 20)
    for images, own in ((examples.images, rows), (examples.test_images, test_rows)):
        ink = digits.images[own].sum((1, 2)) / 255
        np.testing.assert_allclose(images.sum((1, 2)), ink, rtol=1e-5)
        np.testing.assert_allclose(images[:, 6:26, 6:26].sum((1, 2)), ink, rtol=1e-5)


def test_instrument_placements_are_other_scenes_of_the_same_test_digits(claim):
    """All once, then all again elsewhere, with their labels; on a uniform ground there is nothing to draw again."""
    one, three = (claim.experiment.examples_of(trial(claim, scene="moved", test_placements=n)) for n in (1, 3))
    np.testing.assert_array_equal(three.images, one.images)
    assert three.test_images.shape == (60, CANVAS, CANVAS)
    np.testing.assert_array_equal(three.test_labels.reshape(3, 20), np.stack([one.test_labels] * 3))
    ink = three.test_images.sum((1, 2)).reshape(3, 20)
    np.testing.assert_allclose(ink, np.stack([ink[0]] * 3), rtol=1e-5)
    first, second, _ = np.split(three.test_images, 3)
    assert (first != second).any((1, 2)).mean() > 0.9
    assert len(claim.experiment.examples_of(trial(claim, scene="uniform", test_placements=3)).test_labels) == 20


def test_instrument_no_digit_is_both_trained_on_and_tested_on(claim):
    """On a uniform ground a scene is a digit: none of a thousand stands on both sides, or in two places of one."""
    examples = claim.experiment.examples_of(trial(claim, scene="uniform", n_train=600, n_test=400))
    rows = np.concatenate([examples.images, examples.test_images]).reshape(1000, -1)
    assert len(np.unique(rows, axis=0)) == 1000


def test_instrument_each_seed_draws_digits_and_scenes_of_its_own(claim):
    """Few images of two seeds are the same digit; given the same digits, seeds and parts would still move them differently."""
    other = Seed(0, "instrument", 1)
    one, two = (claim.experiment.examples_of(trial(claim, seed=seed, scene="uniform")) for seed in (SEED, other))
    for part in ("images", "test_images"):
        assert (getattr(one, part) != getattr(two, part)).any((1, 2)).mean() > 0.9
    digits = np.arange(1, 1 + 20 * 28 * 28, dtype=np.float32).reshape(20, 28, 28)
    sides = [(SEED, "train"), (SEED, "test"), (other, "train"), (other, "test")]
    drawn = [claim.experiment._scenes(digits, trial(claim, seed=seed, scene="moved"), side, 1) for seed, side in sides]
    for first, second in combinations(drawn, 2):
        assert (first != second).any((1, 2)).mean() > 0.8


@pytest.mark.parametrize("arm", ["gaussian_svm", "nearest_neighbours", "cnn", "svm_on_cnn_features"])
def test_instrument_training_sees_nothing_of_the_test_part(claim, arm, monkeypatch):
    """With other test images and labels what is learned is the same, bit for bit: nothing is searched or stopped by them."""
    own = trial(claim)
    examples = claim.experiment.examples_of(own)
    said = claim.experiment.learner(arm, own)()(examples.test_images)
    blank = examples._replace(test_images=np.zeros_like(examples.test_images), test_labels=examples.test_labels * 0)
    claim.experiment._trained_once.cache_clear()
    monkeypatch.setattr(claim.experiment, "examples_of", lambda _: blank)

    np.testing.assert_array_equal(claim.experiment.learner(arm, own)()(examples.test_images), said)


def test_instrument_the_error_is_that_of_the_test_part(claim):
    """Nearest neighbours know every image that they were trained on, and err on others as often as counted by hand."""
    own = trial(claim, test_placements=2)
    examples = claim.experiment.examples_of(own)
    squares = np.square(examples.test_images[:, None] - examples.images[None]).sum((2, 3))
    wrong = examples.labels[squares.argmin(1)] != examples.test_labels

    assert claim.experiment._measure_one("nearest_neighbours", own)[0] == pytest.approx(wrong.mean())
    assert wrong.mean() > 0.2


@pytest.mark.parametrize("arm", ["gaussian_svm", "nearest_neighbours", "cnn"])
def test_instrument_each_arm_is_measured_by_its_own_learner(claim, arm, monkeypatch):
    asked, experiment = [], claim.experiment
    learner, network = experiment.learner, experiment.trained_network
    monkeypatch.setattr(experiment, "learner", lambda name, own: asked.append(name) or learner(name, own))
    monkeypatch.setattr(experiment, "trained_network", lambda own: asked.append("cnn") or network(own))
    experiment.measure(arm, (SEED,), **SETTINGS)

    assert asked == [arm]


def test_instrument_a_machine_is_searched_over_the_whole_grid(claim, monkeypatch):
    """What is handed to the search is the claim's grid, and what it returns is what is fitted."""
    from harness.training.support_vectors import SvmParameters

    own, asked, fitted = trial(claim), [], []
    chosen = SvmParameters(3.0, 0.01)
    machines = claim.experiment.support_vectors
    fit = machines.fit
    monkeypatch.setattr(machines, "search", lambda *_, **grid: asked.append(grid) or chosen)
    monkeypatch.setattr(machines, "fit", lambda *given: fitted.append(given[2]) or fit(*given))
    claim.experiment.learner("gaussian_svm", own)()

    assert asked == [{"n_search": 20, "costs": (1.0, 10.0), "widths": (0.5, 2.0)}]
    assert fitted == [chosen]


def test_instrument_untrained_features_come_from_the_network_before_its_first_step(claim):
    """They differ from trained ones, and need no training: zero epochs leave the initial weights."""
    import torch

    untrained, _ = claim.experiment.trained_network(trial(claim, epochs=0))
    trained, _ = claim.experiment.trained_network(trial(claim))
    assert torch.count_nonzero(untrained.weights["2.running_mean"]) == 0
    assert torch.count_nonzero(trained.weights["2.running_mean"]) == 4
