"""Networks trained on digits in the middle of the image, and their errors on the same digits moved aside."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn.functional import pad

from fixtures import mnist
from fixtures.convnets import convnet
from fixtures.perceptrons import perceptron
from fixtures.poses import shifted
from fixtures.splits import Split
from harness.training import error_rate, supervised, train

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from harness.seeds import Seed, Seeds
    from harness.training import Ensemble, Observer, Recipe

SIDE = 32

DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1))


def examples(seeds: Seeds, *, n_train: int, n_test: int, augmentation: int) -> Split:
    """Return digits in frames of 32 x 32 pixels, on a ground of zeros, each seed's ink scaled by one number.

    Not centred: a mean of each pixel would not move along with a digit. Each digit to train on is moved once, by up to
    `augmentation` pixels in both directions.
    """
    digits = mnist.draw(seeds, n_train, n_test).images()
    size = digits.train[0].square().mean((1, 2, 3, 4), keepdim=True).sqrt()
    train, test = (pad(ink / size, (2, 2, 2, 2)) for ink in (digits.train[0], digits.test[0]))
    if augmentation:
        train = torch.stack([moved(own, augmentation, seed) for own, seed in zip(train, seeds, strict=True)])
    return Split((train, digits.train[1]), (test, digits.test[1]))


def moved(images: Tensor, reach: int, seed: Seed) -> Tensor:
    """Return each image moved to a place of its own, at most `reach` pixels away along each axis."""
    places = seed.numpy("places").integers(-reach, reach + 1, size=(len(images), 2)).tolist()
    return torch.stack([shifted(image, *place) for image, place in zip(images, places, strict=True)])


def all_convolutional(channels: Sequence[int], kernel: int) -> nn.Sequential:
    """Return a network whose pools are convolutions of stride two, with rectifiers (Springenberg et al. 2015, sec. 2)."""
    stages: list[nn.Module] = []
    for before, after in pairwise((1, *channels)):
        stages += [nn.Conv2d(before, after, kernel, padding=kernel // 2), nn.ReLU()]
        stages += [nn.Conv2d(after, after, 3, stride=2, padding=1), nn.ReLU()]
    left = SIDE // 2 ** len(channels)
    return nn.Sequential(*stages, nn.Flatten(), nn.Linear(channels[-1] * left * left, 10))


def network(kind: str, channels: Sequence[int], kernel: int, hidden: int) -> nn.Sequential:
    """Return an untrained network of a kind."""
    if kind == "perceptron":
        return nn.Sequential(nn.Flatten(), *perceptron(SIDE * SIDE, [hidden], 10))
    if kind == "all_convolutional":
        return all_convolutional(channels, kernel)
    return convnet(SIDE, channels, kernel=kernel, head={"cnn": "flatten", "global_pooling": "global"}[kind])


def fit(
    seeds: Seeds,
    split: Split,
    recipe: Recipe,
    *,
    kind: str,
    channels: Sequence[int],
    kernel: int,
    hidden: int,
    observer: Observer | None = None,
) -> Ensemble:
    """Return one trained network per seed."""
    build = lambda: network(kind, channels, kernel, hidden)  # noqa: E731
    return train(build, *split.train, seeds, recipe=recipe, observer=observer)


def score(networks: Ensemble, split: Split, *, shift: Sequence[int]) -> dict[str, np.ndarray]:
    """Return the error on test digits moved by each number of pixels, mean of four directions, (n_seeds, n_shifts)."""
    return {"test_error": np.stack([error_when_moved(networks, split, pixels) for pixels in shift], axis=1)}


def error_when_moved(networks: Ensemble, split: Split, pixels: int) -> np.ndarray:
    """Return the error on test digits moved by so many pixels, right, left, down and up, (n_seeds,)."""
    images, labels = split.test
    ways = [(dx * pixels, dy * pixels) for dx, dy in DIRECTIONS] if pixels else [(0, 0)]
    return np.mean([error_rate(networks, shifted(images, dx, dy), labels) for dx, dy in ways], axis=0)


measure, prepare_training, prepare_inference = supervised(examples, fit, score)
