"""A network trained on digits whose labels say nothing about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from fixtures import mnist
from harness.pictures import Curves
from harness.training.ensembles import Ensemble, error_rate, train
from harness.training.learning_curve import LearningCurve
from harness.training.optimisers import Optimiser

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from harness.data import DataRecord
    from harness.seeds import Seed, Seeds
    from harness.training.ensembles import Initialiser, Observer, Precision

CLASSES = 10

Examples = tuple[torch.Tensor, torch.Tensor]  # pixels (n_seeds, n, 784) and labels (n_seeds, n)


def data_used() -> list[DataRecord]:
    """Return the record of the digits."""
    return [mnist.load().record]


def examples_of(seeds: Seeds, n_train: int, n_test: int, labels: str) -> tuple[Examples, Examples]:
    """Return training examples, with "true" labels or uniformly drawn "random" ones, and test examples with true ones.

    Pixels are in [0, 1], less the training set's mean of each.
    """
    digits = mnist.load()
    ink = torch.from_numpy(digits.images / 255.0).float().flatten(1)
    known = torch.tensor(digits.labels, dtype=torch.int64)
    parts = [mnist.split(digits, seed, n_train, n_test) for seed in seeds]
    training, test = (torch.stack([torch.from_numpy(pair[side]) for pair in parts]) for side in (0, 1))
    centre = ink[training].mean(1, keepdim=True)
    answers = known[training] if labels == "true" else random_labels(seeds, n_train)
    return (ink[training] - centre, answers), (ink[test] - centre, known[test])


def random_labels(seeds: Seeds, n_train: int) -> torch.Tensor:
    """Return labels drawn uniformly and independently of the digits, (n_seeds, n_train)."""
    return torch.stack([torch.randint(CLASSES, (n_train,), generator=seed.torch("labels")) for seed in seeds])


def network(width: int, dropout: float) -> nn.Sequential:
    """Return a network of two hidden layers of `width` rectifiers, each unit dropped with probability `dropout`."""
    hidden = [
        nn.Linear(784, width),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(width, width),
        nn.ReLU(),
        nn.Dropout(dropout),
    ]
    kept = [layer for layer in hidden if dropout or not isinstance(layer, nn.Dropout)]
    return nn.Sequential(*kept, nn.Linear(width, CLASSES))


def fitted(
    training: Examples,
    seeds: Seeds,
    *,
    width: int,
    dropout: float,
    weight_decay: float,
    learning_rate: float,
    momentum: float,
    schedule: str,
    initialiser: Initialiser,
    epochs: int,
    batch_size: int,
    device: str,
    precision: Precision,
    observer: Observer | None = None,
) -> Ensemble:
    """Return one trained network per seed."""
    return train(
        lambda: network(width, dropout),
        *training,
        seeds,
        optimiser=Optimiser("sgd", learning_rate, momentum, weight_decay, schedule),
        epochs=epochs,
        batch_size=batch_size,
        initialiser=initialiser,
        device=device,
        precision=precision,
        observer=observer,
    )


def measure(
    arm: str, seeds: Seeds, *, n_train: int, n_test: int, labels: str, **training_settings: Any
) -> dict[str, np.ndarray]:
    """Return the errors on the labels trained on, without dropout, and on the true labels of test digits."""
    training, test = examples_of(seeds, n_train, n_test, labels)
    networks = fitted(training, seeds, **training_settings)
    return {"train_error": error_rate(networks, *training), "test_error": error_rate(networks, *test)}


def prepare_training(
    arm: str, seed: Seed, *, n_train: int, n_test: int, labels: str, **training_settings: Any
) -> Callable[[], Ensemble]:
    """Return a function that trains one network."""
    training, _ = examples_of((seed,), n_train, n_test, labels)
    return lambda: fitted(training, (seed,), **training_settings)


def prepare_inference(
    arm: str, seed: Seed, *, n_train: int, n_test: int, labels: str, **training_settings: Any
) -> Callable[[], torch.Tensor]:
    """Return a function that classifies the test digits by a trained network."""
    training, test = examples_of((seed,), n_train, n_test, labels)
    networks = fitted(training, (seed,), **training_settings)
    return lambda: networks.predict(test[0])


def illustrate(seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    """Draw each arm's error on the labels it is trained on, without dropout, while it is trained."""
    lines = []
    for arm, settings in arms.items():
        own = dict(settings)
        training, _ = examples_of((seed,), own.pop("n_train"), own.pop("n_test"), own.pop("labels"))
        curve = LearningCurve(*training, -(-settings["n_train"] // settings["batch_size"]))
        fitted(training, (seed,), observer=curve.observer, **own)
        lines.append(curve.line(arm.replace("_", " ")))
    return Curves(
        "Training error while labels, true or random, are fitted", "epoch", "training error (fraction)", lines
    )
