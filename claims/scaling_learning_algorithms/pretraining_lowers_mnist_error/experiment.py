"""A deep network of logistic units, fine-tuned from pre-trained and from random weights."""

from __future__ import annotations

from functools import lru_cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from fixtures import mnist
from fixtures.contrastive_divergence import ContrastiveDivergence
from fixtures.pretraining import anew, shuffled, unrolled
from harness.training import error_rate, supervised, train

if TYPE_CHECKING:
    import numpy as np

    from fixtures.pretraining import Weights
    from fixtures.splits import Split
    from harness.seeds import Seeds
    from harness.training import Ensemble, Observer, Recipe

CLASSES = 10

PREFIX = "pretraining_"  # of the settings of contrastive divergence

ACTIVATIONS: dict[str, type[nn.Module]] = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU}

examples = lru_cache(maxsize=1)(mnist.draw)  # arms and their pre-training share the digits of their seeds


@lru_cache(maxsize=1)
def pretrained(
    seeds: Seeds, n_train: int, n_test: int, hidden: tuple[int, ...], rule: ContrastiveDivergence, device: str
) -> Weights:
    """Return weights and biases of a stack of Boltzmann machines, by their names in the network.

    It sees the images that the network is trained on, without their labels, and no others.
    """
    inputs, _ = examples(seeds, n_train=n_train, n_test=n_test).train
    return unrolled(rule.train_stack(inputs.to(device), hidden, seeds))


def misplaced(weights: Weights, seeds: Seeds) -> Weights:
    """Return the same features of other pixels: in each seed the weights of all first units move alike."""
    first = weights["0.weight"]
    orders = [torch.randperm(first.shape[2], generator=seed.torch("pixels")) for seed in seeds]
    moved = [own[:, order.to(first.device)] for own, order in zip(first, orders, strict=True)]
    return weights | {"0.weight": torch.stack(moved)}


def network(hidden: tuple[int, ...], activation: str) -> nn.Sequential:
    """Return a network of 784 inputs, the hidden layers, and ten outputs."""
    widths = (784, *hidden)
    layers: list[nn.Module] = []
    for below, units in pairwise(widths):
        layers += [nn.Linear(below, units), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], CLASSES))


def start_of(
    seeds: Seeds, *, start: str, n_train: int, n_test: int, hidden: list[int], device: str, **rule: Any
) -> Weights | None:
    """Return what an arm starts from: "pretrained", "shuffled" or "misplaced" weights, or None for "random" ones."""
    if start == "random":
        return None
    divergence = ContrastiveDivergence(**{name.removeprefix(PREFIX): value for name, value in rule.items()})
    weights = pretrained(seeds, n_train, n_test, tuple(hidden), divergence, device)
    if start == "pretrained":
        return weights
    return {"shuffled": shuffled, "misplaced": misplaced}[start](weights, seeds)


def fit(
    seeds: Seeds,
    split: Split,
    recipe: Recipe,
    *,
    start: str,
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
    origin = {"start": start, "n_train": n_train, "n_test": n_test, "hidden": hidden}
    first = start_of(seeds, device=recipe.device, **origin, **divergence)
    build = partial(network, tuple(hidden), activation)
    return train(build, *split.train, seeds, recipe=recipe, start=first, observer=observer)


def loss(networks: Ensemble, inputs: torch.Tensor, labels: torch.Tensor) -> np.ndarray:
    """Return the mean cross-entropy in nat, (n_seeds,)."""
    outputs = networks.predict(inputs)
    # torch wants the classes second: (n_seeds, classes, n)
    each = nn.functional.cross_entropy(outputs.mT, labels, reduction="none")
    return each.mean(1).numpy()


def score(networks: Ensemble, split: Split) -> dict[str, np.ndarray]:
    """Return the errors on training and test digits after fine-tuning, and the loss on the former."""
    return {
        "train_loss": loss(networks, *split.train),
        "train_error": error_rate(networks, *split.train),
        "test_error": error_rate(networks, *split.test),
    }


measure, prepare_fit, prepare_inference = supervised(examples, fit, score)
prepare_training = anew(prepare_fit, pretrained)
