"""A network trained on digits whose labels say nothing about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from fixtures import mnist
from harness.training import error_rate, supervised, train

if TYPE_CHECKING:
    import numpy as np

    from fixtures.splits import Split
    from harness.seeds import Seeds
    from harness.training import Ensemble, Observer, Recipe


def examples(seeds: Seeds, *, n_train: int, n_test: int, labels: str) -> Split:
    """Return centred digits, with "true" labels to train on or "random" ones; the labels of test digits are true."""
    split = mnist.draw(seeds, n_train, n_test).centred()
    return split if labels == "true" else split.relabelled(random_labels(seeds, n_train))


def random_labels(seeds: Seeds, n_train: int) -> torch.Tensor:
    """Return labels drawn uniformly and independently of the digits, (n_seeds, n_train)."""
    return torch.stack([torch.randint(10, (n_train,), generator=seed.torch("labels")) for seed in seeds])


def network(width: int, dropout: float) -> nn.Sequential:
    """Return a network of two hidden layers of `width` rectifiers, each unit dropped with probability `dropout`."""
    first, second = ([nn.Dropout(dropout)] if dropout else [] for _ in range(2))
    hidden = [nn.Linear(784, width), nn.ReLU(), *first, nn.Linear(width, width), nn.ReLU(), *second]
    return nn.Sequential(*hidden, nn.Linear(width, 10))


def fit(
    seeds: Seeds, split: Split, recipe: Recipe, *, width: int, dropout: float, observer: Observer | None = None
) -> Ensemble:
    """Return one trained network per seed."""
    return train(lambda: network(width, dropout), *split.train, seeds, recipe=recipe, observer=observer)


def score(networks: Ensemble, split: Split) -> dict[str, np.ndarray]:
    """Return the errors on the labels trained on, without dropout, and on the true labels of test digits."""
    return {"train_error": error_rate(networks, *split.train), "test_error": error_rate(networks, *split.test)}


measure, prepare_training, prepare_inference = supervised(examples, fit, score)
