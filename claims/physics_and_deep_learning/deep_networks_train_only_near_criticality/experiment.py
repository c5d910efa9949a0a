"""Deep tanh networks that start in the ordered phase, at the critical point, or in the chaotic phase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixtures import mnist
from fixtures.perceptrons import perceptron
from harness.training import error_rate, search, supervised

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from fixtures.splits import Split
    from harness.seeds import Seeds
    from harness.training import Ensemble, Recipe


def examples(seeds: Seeds, *, n_train: int, n_test: int, side: int) -> Split:
    """Return digits shrunk to `side` pixels, centred and of variance one."""
    return mnist.draw(seeds, n_train, n_test, side).standardised()


def network(inputs: int, depth: int, width: int) -> nn.Sequential:
    """Return a network of `depth` hidden layers of tanh."""
    return perceptron(inputs, [width] * depth, 10, activation="tanh")


def fit(seeds: Seeds, split: Split, recipe: Recipe, *, depth: int, width: int) -> Ensemble:
    """Return one network per seed, at the rate of the grid with the least training loss."""
    inputs = split.train[0].shape[2]
    return search(lambda: network(inputs, depth, width), *split.train, seeds, recipe=recipe)[0]


def score(networks: Ensemble, split: Split) -> dict[str, np.ndarray]:
    """Return the errors on the digits trained on and on others."""
    return {"train_error": error_rate(networks, *split.train), "test_error": error_rate(networks, *split.test)}


measure, prepare_training, prepare_inference = supervised(examples, fit, score)
