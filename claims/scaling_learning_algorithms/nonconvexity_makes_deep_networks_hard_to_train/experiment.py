"""Networks of one and of ten hidden layers, trained for a short while: by activation, and by where they start."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fixtures import mnist
from fixtures.perceptrons import perceptron
from harness.training import error_rate, search, supervised, train

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from fixtures.perceptrons import Activation
    from fixtures.splits import Split
    from harness.seeds import Seeds
    from harness.training import Ensemble, Recipe


def examples(seeds: Seeds, *, n_train: int, n_test: int, side: int) -> Split:
    """Return digits shrunk to `side` pixels, centred and of variance one."""
    return mnist.draw(seeds, n_train, n_test, side).standardised()


def network(inputs: int, depth: int, width: int, activation: Activation, *, normalized: bool = False) -> nn.Sequential:
    """Return a network of `depth` hidden layers, each with batch normalization where `normalized` says so."""
    normalization = "before" if normalized else None
    return perceptron(inputs, [width] * depth, 10, activation=activation, normalization=normalization)


def as_sigmoid(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights with which a sigmoid network computes what a tanh network computes with `weights`.

    Since tanh(z) = 2 sigmoid(2z) - 1, a layer that reads hidden units has its weights doubled and less of a bias, and one
    whose outputs are hidden units has all of them doubled. The map is affine and has an inverse.

    Args:
        weights: of a perceptron without normalization, by name: "0.weight" (n_seeds, units, inputs), "0.bias"
            (n_seeds, units), "2.weight" and so on.
    """
    layers = [name.removesuffix(".weight") for name in weights if name.endswith(".weight")]
    mapped = {}
    for layer in layers:
        weight, bias = weights[f"{layer}.weight"], weights[f"{layer}.bias"]
        if layer != layers[0]:
            weight, bias = 2 * weight, bias - weight.sum(2)
        if layer != layers[-1]:
            weight, bias = 2 * weight, 2 * bias
        mapped |= {f"{layer}.weight": weight, f"{layer}.bias": bias}
    return mapped


def start_of_tanh(seeds: Seeds, split: Split, recipe: Recipe, depth: int, width: int) -> dict[str, Tensor]:
    """Return, for a sigmoid network, the start that the tanh network of each seed has by the recipe's initialiser."""
    inputs, untrained = split.train[0].shape[2], replace(recipe, steps=0, rates=())
    return as_sigmoid(
        train(lambda: network(inputs, depth, width, "tanh"), *split.train, seeds, recipe=untrained).weights
    )


def fit(
    seeds: Seeds,
    split: Split,
    recipe: Recipe,
    *,
    activation: Activation,
    depth: int,
    width: int,
    normalized: bool,
    start: str,
) -> Ensemble:
    """Return one network per seed, at the rate of the grid with the least training loss; `start` is "own" or "of_tanh"."""
    inputs = split.train[0].shape[2]
    return search(
        lambda: network(inputs, depth, width, activation, normalized=normalized),
        *split.train,
        seeds,
        recipe=recipe,
        start=start_of_tanh(seeds, split, recipe, depth, width) if start == "of_tanh" else None,
    )[0]


def score(networks: Ensemble, split: Split) -> dict[str, np.ndarray]:
    """Return the errors on the digits trained on."""
    return {"train_error": error_rate(networks, *split.train)}


measure, prepare_training, prepare_inference = supervised(examples, fit, score)
