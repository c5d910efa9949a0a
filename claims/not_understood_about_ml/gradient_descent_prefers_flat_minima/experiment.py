"""How sharp the minima are that gradient descent comes to at several rates, and what rescaling two layers makes of one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from fixtures import mnist
from fixtures.curvature import loss_of, sharpness
from fixtures.perceptrons import perceptron
from harness.training import EarlyStopping, error_rate, supervised, train

if TYPE_CHECKING:
    import numpy as np

    from fixtures.perceptrons import Activation
    from fixtures.splits import Split
    from harness.seeds import Seeds
    from harness.training import Ensemble, Observer, Recipe

LOSS = "squared_error"  # the mean over examples and the ten outputs; a tenth of the error summed over outputs


def examples(seeds: Seeds, *, n_train: int, n_test: int, side: int) -> Split:
    """Return digits shrunk to `side` pixels, centred and of variance one."""
    return mnist.draw(seeds, n_train, n_test, side).standardised()


def one_hot(split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the digits trained on, and 1 for the class of each and 0 for the others, (n_seeds, n_train, 10)."""
    inputs, labels = split.train
    return inputs, torch.nn.functional.one_hot(labels, 10).to(inputs.dtype)


def fit(
    seeds: Seeds,
    split: Split,
    recipe: Recipe,
    *,
    hidden: list[int],
    activation: Activation,
    enough: float,
    every: int,
    observer: Observer | None = None,
) -> Ensemble:
    """Return one network per seed, trained on all examples at once until the loss is `enough`, looked at every `every` steps."""
    inputs, targets = one_hot(split)
    stopping = EarlyStopping(inputs, targets, every=every, enough=enough)
    return train(
        lambda: perceptron(inputs.shape[2], hidden, 10, activation=activation),
        inputs, targets, seeds, recipe=recipe, stopping=stopping, observer=observer,
    )  # fmt: skip


def rescaled(networks: Ensemble, factor: float) -> Ensemble:
    """Return networks with all that enters the first hidden units times `factor`, and what leaves them divided by it.

    The function of rectifiers stays the same, since max(0, a z) = a max(0, z) (Dinh et al. 2017, sec. 3).
    """
    factors = {"0.weight": factor, "0.bias": factor, "2.weight": 1 / factor}
    return replace(networks, weights={name: factors.get(name, 1.0) * own for name, own in networks.weights.items()})


def score(
    networks: Ensemble, split: Split, *, learning_rate: float, factor: float, iterations: int
) -> dict[str, np.ndarray]:
    """Return what holds of the networks rescaled by `factor`, and what this changed, each (n_seeds,)."""
    curved = sharpness(networks, *one_hot(split), LOSS, iterations)
    final = rescaled(networks, factor)
    after = curved if factor == 1 else sharpness(final, *one_hot(split), LOSS, iterations)
    outputs = final.predict(split.test[0])
    return {
        "sharpness": after,
        "sharpness_over_limit": after * learning_rate / 2,
        "train_loss": loss_of(final, *one_hot(split), LOSS).numpy(),
        "test_error": error_rate(final, *split.test),
        "sharpness_ratio": after / curved,
        "function_change": (outputs - networks.predict(split.test[0])).abs().amax((1, 2)).numpy(),
    }


measure, prepare_training, prepare_inference = supervised(examples, fit, score)
