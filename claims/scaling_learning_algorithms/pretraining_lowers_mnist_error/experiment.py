"""A deep network of logistic units, fine-tuned from pre-trained and from random weights."""

from __future__ import annotations

from functools import lru_cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from fixtures import mnist
from fixtures.contrastive_divergence import ContrastiveDivergence
from harness.training import error_rate, supervised, train

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from fixtures.splits import Split
    from harness.seeds import Seed, Seeds
    from harness.training import Ensemble, Observer, Recipe

CLASSES = 10

PREFIX = "pretraining_"  # of the settings of contrastive divergence

ACTIVATIONS: dict[str, type[nn.Module]] = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU}

Weights = dict[str, torch.Tensor]  # by their name in the network, (n_seeds, *shape)

examples = lru_cache(maxsize=1)(mnist.draw)  # arms and their pre-training share the digits of their seeds


def scrambled(inputs: torch.Tensor, seeds: Seeds) -> torch.Tensor:
    """Return the images with the pixels of each in an order of its own: as much ink, and nothing else to be learned."""
    keys = [torch.rand(inputs.shape[1:], generator=seed.torch("scramble")) for seed in seeds]
    return inputs.gather(2, torch.stack(keys).argsort(2))


@lru_cache(maxsize=1)
def pretrained(
    seeds: Seeds,
    n_train: int,
    n_test: int,
    images: str,
    hidden: tuple[int, ...],
    rule: ContrastiveDivergence,
    device: str,
) -> Weights:
    """Return weights and biases of a stack of Boltzmann machines, by their names in the network."""
    inputs, _ = examples(seeds, n_train=n_train, n_test=n_test).train
    seen = scrambled(inputs, seeds) if images == "scrambled" else inputs
    stack = list(enumerate(rule.train_stack(seen.to(device), hidden, seeds)))
    weights = {f"{2 * layer}.weight": machine.weights.mT for layer, machine in stack}
    return weights | {f"{2 * layer}.bias": machine.hidden_bias[:, 0] for layer, machine in stack}


def shuffled(weights: Weights, seeds: Seeds) -> Weights:
    """Return the same numbers, within each layer and seed in random order: their scale without their features."""
    generators = [seed.torch("shuffle") for seed in seeds]
    return {
        name: torch.stack([_permuted(own, draw) for own, draw in zip(values, generators, strict=True)])
        for name, values in weights.items()
    }


def _permuted(values: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    order = torch.randperm(values.numel(), generator=generator).to(values.device)
    return values.flatten()[order].view(values.shape)


def network(hidden: tuple[int, ...], activation: str) -> nn.Sequential:
    """Return a network of 784 inputs, the hidden layers, and ten outputs."""
    widths = (784, *hidden)
    layers: list[nn.Module] = []
    for below, units in pairwise(widths):
        layers += [nn.Linear(below, units), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], CLASSES))


def start_of(
    seeds: Seeds, *, start: str, n_train: int, n_test: int, hidden: list[int], images: str, device: str, **rule: Any
) -> Weights | None:
    """Return what an arm starts from: "pretrained" or "shuffled" weights, or None for "random" ones."""
    if start == "random":
        return None
    divergence = ContrastiveDivergence(**{name.removeprefix(PREFIX): value for name, value in rule.items()})
    weights = pretrained(seeds, n_train, n_test, images, tuple(hidden), divergence, device)
    return weights if start == "pretrained" else shuffled(weights, seeds)


def fit(
    seeds: Seeds,
    split: Split,
    recipe: Recipe,
    *,
    start: str,
    images: str,
    n_train: int,
    n_test: int,
    hidden: list[int],
    activation: str,
    observer: Observer | None = None,
    **divergence: Any,
) -> Ensemble:
    """Return the networks of an arm, pre-trained if it asks for that, then trained on labels.

    The output layer begins at random.
    """
    origin = {"start": start, "images": images, "n_train": n_train, "n_test": n_test, "hidden": hidden}
    first = start_of(seeds, device=recipe.device, **origin, **divergence)
    build = partial(network, tuple(hidden), activation)
    return train(build, *split.train, seeds, recipe=recipe, start=first, observer=observer)


def score(networks: Ensemble, split: Split) -> dict[str, np.ndarray]:
    """Return the errors on training and test digits after fine-tuning."""
    return {"train_error": error_rate(networks, *split.train), "test_error": error_rate(networks, *split.test)}


measure, prepare_fit, prepare_inference = supervised(examples, fit, score)


def prepare_training(arm: str, seed: Seed, **settings: Any) -> Callable[[], object]:
    """Return a function that pre-trains and fine-tunes one network."""
    fit_again = prepare_fit(arm, seed, **settings)

    def run() -> object:
        pretrained.cache_clear()
        return fit_again()

    return run
