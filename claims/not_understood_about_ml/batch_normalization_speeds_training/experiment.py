"""Perceptrons trained for a short while with and without batch normalization, each at the best of some rates."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from fixtures import mnist
from fixtures.perceptrons import perceptron
from harness.training import error_rate, search, supervised

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from fixtures.perceptrons import Activation, Normalization
    from fixtures.splits import Split
    from harness.seeds import Seeds
    from harness.training import Ensemble, Recipe

CLASSES = 10


@lru_cache(maxsize=1)  # all arms and conditions of a seed have the same digits
def examples(seeds: Seeds, *, n_train: int, n_test: int, side: int) -> Split:
    """Return small digits, standardised."""
    return mnist.draw(seeds, n_train, n_test, side=side).standardised()


def network(
    side: int, width: int, depth: int, activation: Activation, normalization: Normalization | None
) -> nn.Sequential:
    """Return `depth` hidden layers of `width` units, normalised or not, and a linear read-out, which never is."""
    return perceptron(side * side, (width,) * depth, CLASSES, activation=activation, normalization=normalization)


def fit(
    seeds: Seeds,
    split: Split,
    recipe: Recipe,
    *,
    side: int,
    width: int,
    depth: int,
    activation: Activation,
    normalization: Normalization | None,
    start_scale: float,
) -> Ensemble:
    """Return each seed's network of least training loss among those of all rates.

    Args:
        seeds: one per network.
        split: what is trained on.
        recipe: with the rates to choose among; its initial weights are those of a `start_scale` of 1.
        side: of a digit in pixels.
        width: units of each hidden layer.
        depth: number of hidden layers.
        activation: of the hidden units.
        normalization: where hidden layers are normalised; None for nowhere.
        start_scale: what the hidden layers' initial weights are multiplied by; the read-out's stay as they are.
    """
    scaled = replace(recipe, layer_factors=(start_scale,) * depth + (1.0,))
    return search(lambda: network(side, width, depth, activation, normalization), *split.train, seeds, recipe=scaled)[0]


def score(networks: Ensemble, split: Split) -> dict[str, np.ndarray]:
    """Return the errors on the digits trained on and on others."""
    return {"train_error": error_rate(networks, *split.train), "test_error": error_rate(networks, *split.test)}


measure, prepare_training, prepare_inference = supervised(examples, fit, score)
