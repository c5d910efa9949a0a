"""Checks of the instrument: frames, moves, networks that differ in the read-out alone, and a network that cannot tell."""

from __future__ import annotations

import numpy as np
import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(3))


def examples(claim, augmentation=0):
    return claim.experiment.examples(SEEDS, n_train=200, n_test=300, augmentation=augmentation)


def test_instrument_frames_keep_all_ink_of_digits_that_move_by_four_pixels(claim):
    """At most one part in 200 of the ink of 900 digits leaves the frame, in any direction."""
    from fixtures.poses import shifted

    images = examples(claim).test[0]
    for dx, dy in claim.experiment.DIRECTIONS:
        assert shifted(images, 4 * dx, 4 * dy).sum() > 0.995 * images.sum()


def test_instrument_scaled_digits_lie_on_zeros(claim):
    """The training set's mean square is one within the original image, and the ground is exactly zero."""
    train = examples(claim).train[0]

    np.testing.assert_allclose(train[..., 2:-2, 2:-2].square().mean((1, 2, 3, 4)), 1, rtol=1e-5)
    assert (train == 0).float().mean() > 0.5


def test_instrument_moved_digits_to_train_on_lie_everywhere_within_reach(claim):
    """Their centres of mass spread as uniform moves of five pixels do; test digits stay where they are."""
    import torch

    still, moved = examples(claim), examples(claim, augmentation=5)
    columns = torch.arange(32.0)
    centres = [(own.train[0].sum((2, 3)) * columns).sum(2) / own.train[0].sum((2, 3, 4)) for own in (still, moved)]
    moves = (centres[1] - centres[0]).flatten().numpy()

    # A digit at the frame's edge may lose some ink, which moves its centre by less than half a pixel.
    assert np.abs(moves - moves.round()).mean() < 0.01
    assert set(moves.round()) == set(range(-5, 6))
    assert moves.std() == pytest.approx(np.sqrt(10), rel=0.1)
    assert torch.equal(still.test[0], moved.test[0])


def test_instrument_error_is_the_mean_of_four_directions(claim):
    """A network that answers by the ink in the rightmost columns errs on all, but when digits move to the right."""
    import torch

    images, labels = examples(claim).test
    answered = []

    class Rightmost:
        def predict(self, inputs):
            answered.append(inputs)
            right = inputs[..., -5:].sum((2, 3, 4)) > 0
            return torch.nn.functional.one_hot(torch.where(right, labels, (labels + 1) % 10), 10).float()

    split = claim.experiment.Split((images, labels), (images, labels))

    error = claim.experiment.error_when_moved(Rightmost(), split, 4)

    rights = [(shifted[..., -5:].sum((2, 3, 4)) > 0).float().mean(1).numpy() for shifted in answered]
    assert len(answered) == 4
    np.testing.assert_allclose(error, 1 - np.mean(rights, axis=0), atol=1e-6)
    assert (rights[0] > rights[1]).all()


def test_instrument_networks_have_the_parts_that_their_names_say(claim):
    """Pools are in two of the four networks, and the read-out of one of these sees no places."""
    from torch import nn

    kinds = ("perceptron", "cnn", "global_pooling", "all_convolutional")
    networks = {kind: claim.experiment.network(kind, [8, 16, 32], 3, 256) for kind in kinds}
    pools = {kind: sum(isinstance(part, nn.MaxPool2d) for part in own) for kind, own in networks.items()}

    assert pools == {"perceptron": 0, "cnn": 3, "global_pooling": 3, "all_convolutional": 0}
    assert networks["cnn"][-1].in_features == 32 * 4 * 4
    assert networks["global_pooling"][-1].in_features == 32
    assert networks["all_convolutional"][-1].in_features == 32 * 4 * 4
    assert not any(isinstance(part, nn.Conv2d) for part in networks["perceptron"])
