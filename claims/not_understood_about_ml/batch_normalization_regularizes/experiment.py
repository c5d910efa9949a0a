"""Perceptrons with batch normalization, dropout or neither; and what weight decay does to weights that are normalised."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cosine_similarity, cross_entropy

from fixtures import mnist
from fixtures.labels import noisy
from fixtures.perceptrons import perceptron
from harness.training import error_rate, search, supervised

if TYPE_CHECKING:
    from fixtures.perceptrons import Activation, Normalization
    from fixtures.splits import Split
    from harness.seeds import Seeds
    from harness.training import Ensemble, Recipe

CLASSES = 10
State = dict[str, Tensor]
Batch = tuple[Tensor, Tensor]


@lru_cache(maxsize=1)  # arms and networks of a seed have the same digits
def examples(seeds: Seeds, *, n_train: int, n_test: int, side: int, label_noise: float) -> Split:
    """Return small digits, standardised; of the labels to train on the share `label_noise` is drawn anew."""
    split = mnist.draw(seeds, n_train, n_test, side=side).standardised()
    return split.relabelled(noisy(split.train[1], label_noise, CLASSES, seeds))


def network(
    side: int, width: int, depth: int, activation: Activation, normalization: Normalization | None, dropout: float
) -> nn.Sequential:
    """Return `depth` hidden layers of `width` units and a linear read-out."""
    own = {"activation": activation, "normalization": normalization, "dropout": dropout}
    return perceptron(side * side, (width,) * depth, CLASSES, **own)


def fit(
    seeds: Seeds,
    split: Split,
    recipe: Recipe,
    *,
    start_of_relu: float,
    start_of_sigmoid: float,
    side: int,
    width: int,
    depth: int,
    activation: Activation,
    normalization: Normalization | None,
    dropout: float,
) -> Ensemble:
    """Return each seed's network of least training loss among those of all rates.

    Args:
        seeds: one per network.
        split: what is trained on.
        recipe: with the rates to choose among.
        start_of_relu: what the hidden layers' initial weights are multiplied by where their units are rectifiers.
        start_of_sigmoid: the same of sigmoids.
        side: of a digit in pixels.
        width: units of each hidden layer.
        depth: number of hidden layers.
        activation: of the hidden units.
        normalization: where hidden layers are normalised; None for nowhere.
        dropout: probability by which a hidden unit is left out in training.
    """
    scale = {"relu": start_of_relu, "sigmoid": start_of_sigmoid}[activation]
    scaled = replace(recipe, layer_factors=(scale,) * depth + (1.0,))
    shape = (side, width, depth, activation, normalization, dropout)
    return search(lambda: network(*shape), *split.train, seeds, recipe=scaled)[0]


def score(
    networks: Ensemble,
    split: Split,
    *,
    examined: bool,
    batch_size: int,
    rescaling: float,
    decay: float,
    decay_rate: float,
    decay_steps: int,
    epsilon: float,
) -> dict[str, np.ndarray]:
    """Return the errors on the digits trained on and on others; where `examined`, also what `laws` finds.

    An examined network goes on with test digits: on those that it was trained on there is no error left to descend. From
    then on `epsilon` is what is added to variances.
    """
    found = {"train_error": error_rate(networks, *split.train), "test_error": error_rate(networks, *split.test)}
    if not examined:
        return found
    module, rows = copy.deepcopy(networks.module).train(), []
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d):
            part.eps = epsilon
    for number, (digits, labels) in enumerate(zip(*split.test, strict=True)):
        state = {name: as_double(own[number]) for name, own in networks.weights.items()}
        batches = list(zip(as_double(digits).split(batch_size), labels.split(batch_size), strict=True))
        rows.append(laws(module, state, batches[:decay_steps], rescaling, decay, decay_rate))
    return found | {name: np.array([own[name] for own in rows]) for name in rows[0]}


def as_double(values: Tensor) -> Tensor:
    """Return a copy on the CPU, in double precision, but for whole numbers."""
    return values.cpu().to(torch.float64 if values.is_floating_point() else values.dtype, copy=True)


def laws(
    module: nn.Module, state: State, batches: list[Batch], rescaling: float, decay: float, rate: float
) -> dict[str, float]:
    """Return how far a network in training mode is from being blind to the scale of its hidden layers' weights.

    With c = 1 - rate * decay, and a gradient that falls as one over the weights' scale, weights w that decay are at each
    step c^step times the weights v = w / c^step, and these move by -rate c^-(2 step + 1) times their own gradient (Li &
    Arora 2020): decay is a rate that grows.

    Returns:
        `radial_gradient`: the largest |cosine| between a hidden layer's weights and their gradient;
        `rescaling_change`: the largest change of an output where all hidden weights are multiplied by `rescaling`;
        `beyond_the_rate`: the largest difference of an output after descent with decay and at the rate that grows.
    """
    hidden, kept, digits = hidden_weights(module), 1 - rate * decay, batches[-1][0]
    slopes = gradient(module, state, batches[0])
    cosines = [cosine_similarity(slopes[name].flatten(), state[name].flatten(), dim=0) for name in hidden]
    decayed = hastened = state
    for step, batch in enumerate(batches):
        decayed = stepped(module, decayed, batch, rate, kept, rate)
        hastened = stepped(module, hastened, batch, rate, 1, rate * kept ** -(2 * step + 1))
    rescaled = state | {name: rescaling * state[name] for name in hidden}
    first, other, *after = (functional_call(module, own, (digits,)) for own in (state, rescaled, decayed, hastened))
    return {
        "radial_gradient": float(max(abs(own) for own in cosines)),
        "rescaling_change": float((first - other).abs().max()),
        "beyond_the_rate": float((after[0] - after[1]).abs().max()),
    }


def hidden_weights(module: nn.Module) -> list[str]:
    """Return the names of the hidden layers' weights: of all matrices but the read-out's."""
    return [name for name, own in module.named_parameters() if own.ndim == 2][:-1]


def gradient(module: nn.Module, state: State, batch: Batch) -> State:
    """Return the gradient of the mean loss of a batch, normalised by its own statistics, by the parameters' names."""
    leaves = {name: state[name].detach().requires_grad_() for name, _ in module.named_parameters()}
    loss = cross_entropy(functional_call(module, state | leaves, (batch[0],)), batch[1])
    return dict(zip(leaves, torch.autograd.grad(loss, list(leaves.values())), strict=True))


def stepped(module: nn.Module, state: State, batch: Batch, rate: float, kept: float, rate_of_hidden: float) -> State:
    """Return the state after a step at `rate`; of the hidden weights `kept` is left, and their rate is their own."""
    slopes, hidden = gradient(module, state, batch), hidden_weights(module)
    moved = {name: state[name] - rate * slope for name, slope in slopes.items()}
    return state | moved | {name: kept * state[name] - rate_of_hidden * slopes[name] for name in hidden}


measure, prepare_training, prepare_inference = supervised(examples, fit, score)
