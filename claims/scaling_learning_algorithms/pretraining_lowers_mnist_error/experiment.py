"""A deep network of logistic units, fine-tuned from pre-trained and from random weights."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from fixtures import mnist
from fixtures.boltzmann import ContrastiveDivergence
from harness.pictures import Curves, Images
from harness.training.ensembles import Ensemble, error_rate, train
from harness.training.learning_curve import LearningCurve
from harness.training.optimisers import Optimiser

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.data import DataRecord
    from harness.seeds import Seed, Seeds
    from harness.training.ensembles import Initialiser, Observer, Precision

CLASSES = 10

PREFIX = "pretraining_"  # of the settings of contrastive divergence

ACTIVATIONS: dict[str, type[nn.Module]] = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU}

Examples = tuple[torch.Tensor, torch.Tensor]  # ink (n_seeds, n, 784) in [0, 1] and labels (n_seeds, n)

Weights = dict[str, torch.Tensor]  # by their name in the network, (n_seeds, *shape)


def data_used() -> list[DataRecord]:
    """Return the record of the digits."""
    return [mnist.load().record]


@lru_cache(maxsize=1)
def examples_of(seeds: Seeds, n_train: int, n_test: int) -> tuple[Examples, Examples]:
    """Return training and test examples, every pixel's ink between 0 and 1."""
    digits = mnist.load()
    ink = torch.from_numpy(digits.images / 255.0).float().flatten(1)
    labels = torch.tensor(digits.labels, dtype=torch.int64)
    parts = [mnist.split(digits, seed, n_train, n_test) for seed in seeds]
    training, test = (torch.stack([torch.from_numpy(pair[side]) for pair in parts]) for side in (0, 1))
    return (ink[training], labels[training]), (ink[test], labels[test])


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
    (inputs, _), _ = examples_of(seeds, n_train, n_test)
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
    seeds: Seeds,
    *,
    start: str,
    n_train: int,
    n_test: int,
    hidden: list[int],
    images: str,
    device: str,
    **divergence: float,
) -> Weights | None:
    """Return what an arm starts from: "pretrained" or "shuffled" weights, or None for "random" ones."""
    if start == "random":
        return None
    rule = ContrastiveDivergence(**{name.removeprefix(PREFIX): value for name, value in divergence.items()})
    weights = pretrained(seeds, n_train, n_test, images, tuple(hidden), rule, device)
    return weights if start == "pretrained" else shuffled(weights, seeds)


def fine_tuned(
    seeds: Seeds,
    first: Weights | None,
    *,
    n_train: int,
    n_test: int,
    hidden: list[int],
    activation: str,
    initialiser: Initialiser,
    learning_rate: float,
    schedule: str,
    epochs: int,
    batch_size: int,
    device: str,
    precision: Precision,
    observer: Observer | None = None,
) -> Ensemble:
    """Return the networks of an arm, trained on labels from the weights `first` on; the output layer begins at random."""
    training, _ = examples_of(seeds, n_train, n_test)
    return train(
        lambda: network(tuple(hidden), activation),
        *training,
        seeds,
        optimiser=Optimiser("adam", learning_rate, schedule=schedule),
        epochs=epochs,
        batch_size=batch_size,
        initialiser=initialiser,
        start=first,
        device=device,
        precision=precision,
        observer=observer,
    )


def measure(arm: str, seeds: Seeds, **settings: Any) -> dict[str, np.ndarray]:
    """Return the errors on training and test digits after fine-tuning."""
    networks = trained(seeds, **settings)
    training, test = examples_of(seeds, settings["n_train"], settings["n_test"])
    return {"train_error": error_rate(networks, *training), "test_error": error_rate(networks, *test)}


def trained(seeds: Seeds, *, start: str, images: str, **settings: Any) -> Ensemble:
    """Return the networks of an arm: pre-trained if it asks for that, then fine-tuned."""
    divergence = {name: settings.pop(name) for name in list(settings) if name.startswith(PREFIX)}
    shared = {name: settings[name] for name in ("n_train", "n_test", "hidden", "device")}
    return fine_tuned(seeds, start_of(seeds, start=start, images=images, **shared, **divergence), **settings)


def prepare_training(arm: str, seed: Seed, **settings: Any) -> Callable[[], Ensemble]:
    """Return a function that pre-trains and fine-tunes one network."""
    examples_of((seed,), settings["n_train"], settings["n_test"])

    def run() -> Ensemble:
        pretrained.cache_clear()
        return trained((seed,), **settings)

    return run


def prepare_inference(arm: str, seed: Seed, **settings: Any) -> Callable[[], torch.Tensor]:
    """Return a function that classifies the test digits by a trained network."""
    networks = trained((seed,), **settings)
    _, (inputs, _) = examples_of((seed,), settings["n_train"], settings["n_test"])
    return lambda: networks.predict(inputs)


def illustrate(seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves | Images]:
    """Draw each arm's test error while it is fine-tuned, and what units of the first machine have learned to see."""
    lines = []
    for arm, settings in arms.items():
        _, test = examples_of((seed,), settings["n_train"], settings["n_test"])
        curve = LearningCurve(*test, -(-settings["n_train"] // settings["batch_size"]))
        trained((seed,), observer=curve.observer, **settings)
        lines.append(curve.line(arm.replace("_", " ")))
    curves = Curves("Test error while labels are learned", "epoch", "test error (fraction)", lines, log="y")
    return [curves, _features(seed, arms["pretrained"])]


def _features(seed: Seed, settings: dict[str, Any]) -> Images:
    """Draw the weights of the first units, before any label is seen."""
    names = ("start", "images", "n_train", "n_test", "hidden", "device")
    divergence = {name: value for name, value in settings.items() if name.startswith(PREFIX)}
    weights = start_of((seed,), **{name: settings[name] for name in names}, **divergence)
    assert weights is not None
    units = weights["0.weight"][0][:12].cpu().numpy()
    most = float(np.abs(units).max())
    captions = [f"unit {number}" for number in range(1, len(units) + 1)]
    title = "What units of the first layer weigh after pre-training: white for, black against"
    return Images(title, captions, [unit.reshape(28, 28) for unit in units], low=-most, high=most)
