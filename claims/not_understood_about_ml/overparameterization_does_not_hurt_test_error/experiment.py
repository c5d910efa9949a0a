"""Networks of one hidden layer, from 2 units to far more than there are examples, on small images of digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from fixtures import mnist
from fixtures.labels import redrawn
from harness.training import error_rate, supervised, train

if TYPE_CHECKING:
    from fixtures.splits import Split
    from harness.seeds import Seeds
    from harness.training import Ensemble, Recipe

SIDE = 10  # 100 pixels, as in Neyshabur et al. 2015

CLASSES = 10


def examples(seeds: Seeds, *, n_train: int, n_test: int, label_noise: float) -> Split:
    """Return small digits; a share of the training labels is drawn anew, uniformly over all classes."""
    split = mnist.draw(seeds, n_train, n_test, side=SIDE).standardised()
    pairs = zip(split.train[1].numpy(), seeds, strict=True)
    noisy = np.stack([redrawn(own, label_noise, CLASSES, seed) for own, seed in pairs])
    return split.relabelled(torch.from_numpy(noisy))


def fit(seeds: Seeds, split: Split, recipe: Recipe, *, width: int) -> Ensemble:
    """Return one network of `width` hidden units per seed, trained without any penalty."""

    def network() -> nn.Sequential:
        return nn.Sequential(nn.Linear(SIDE * SIDE, width), nn.ReLU(), nn.Linear(width, CLASSES))

    return train(network, *split.train, seeds, recipe=recipe)


def score(networks: Ensemble, split: Split) -> dict[str, np.ndarray]:
    """Return the errors on the training set (its labels noisy as trained on) and on clean test digits, and their gap."""
    train_error, test_error = error_rate(networks, *split.train), error_rate(networks, *split.test)
    return {"train_error": train_error, "test_error": test_error, "gap": np.abs(train_error - test_error)}


measure, prepare_training, prepare_inference = supervised(examples, fit, score)
