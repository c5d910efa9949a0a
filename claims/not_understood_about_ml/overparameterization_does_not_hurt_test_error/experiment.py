"""Networks of one hidden layer, from 2 units to far more than there are examples, on small images of digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from fixtures import mnist
from fixtures.labels import redrawn
from harness.training.ensembles import Ensemble, error_rate, train
from harness.training.optimisers import Optimiser

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.data import DataRecord
    from harness.seeds import Seed, Seeds
    from harness.training.ensembles import Initialiser, Precision

SIDE = 10  # 100 pixels, as in Neyshabur et al. 2015

CLASSES = 10

Examples = tuple[torch.Tensor, torch.Tensor]  # pixels (n_seeds, n, SIDE * SIDE) and labels (n_seeds, n)


def data_used() -> list[DataRecord]:
    """Return the record of the digits."""
    return [mnist.load().record]


def examples_of(seeds: Seeds, n_train: int, n_test: int, label_noise: float) -> tuple[Examples, Examples]:
    """Return training and test examples; a share of the training labels is drawn anew, uniformly over all classes.

    Pixels are centred by the training set's mean of each and divided by one common standard deviation.
    """
    digits = mnist.load()
    parts = [mnist.split(digits, seed, n_train, n_test) for seed in seeds]
    inputs, test_inputs = (torch.stack([_small(digits.images[pair[side]]) for pair in parts]) for side in (0, 1))
    labels, test_labels = (np.stack([digits.labels[pair[side]] for pair in parts]) for side in (0, 1))
    noisy = np.stack([redrawn(own, label_noise, CLASSES, seed) for own, seed in zip(labels, seeds, strict=True)])
    centre, spread = inputs.mean(1, keepdim=True), inputs.std((1, 2), keepdim=True)
    training = (inputs - centre) / spread, torch.from_numpy(noisy.astype(np.int64))
    return training, ((test_inputs - centre) / spread, torch.from_numpy(test_labels.astype(np.int64)))


def _small(images: np.ndarray) -> torch.Tensor:
    """Return images shrunk by averaging, shape (n, SIDE * SIDE)."""
    return nn.functional.adaptive_avg_pool2d(torch.from_numpy(images / 255.0), SIDE).flatten(1).float()


def fitted(
    training: Examples,
    seeds: Seeds,
    *,
    width: int,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    momentum: float,
    schedule: str,
    initialiser: Initialiser,
    device: str,
    precision: Precision,
) -> Ensemble:
    """Return one network of `width` hidden units per seed, trained without any penalty."""
    return train(
        lambda: nn.Sequential(nn.Linear(SIDE * SIDE, width), nn.ReLU(), nn.Linear(width, CLASSES)),
        *training,
        seeds,
        optimiser=Optimiser("sgd", learning_rate, momentum, schedule=schedule),
        epochs=epochs,
        batch_size=batch_size,
        initialiser=initialiser,
        device=device,
        precision=precision,
    )


def measure(
    arm: str, seeds: Seeds, *, n_train: int, n_test: int, label_noise: float, **training_settings: object
) -> dict[str, np.ndarray]:
    """Return the errors on the training set (its labels noisy as trained on) and on clean test digits, and their gap."""
    training, test = examples_of(seeds, n_train, n_test, label_noise)
    networks = fitted(training, seeds, **training_settings)
    train_error, test_error = error_rate(networks, *training), error_rate(networks, *test)
    return {"train_error": train_error, "test_error": test_error, "gap": np.abs(train_error - test_error)}


def prepare_training(
    arm: str, seed: Seed, *, n_train: int, n_test: int, label_noise: float, **training_settings: object
) -> Callable[[], Ensemble]:
    """Return a function that trains one network."""
    training, _ = examples_of((seed,), n_train, n_test, label_noise)
    return lambda: fitted(training, (seed,), **training_settings)


def prepare_inference(
    arm: str, seed: Seed, *, n_train: int, n_test: int, label_noise: float, **training_settings: object
) -> Callable[[], torch.Tensor]:
    """Return a function that classifies the test digits by a trained network."""
    training, test = examples_of((seed,), n_train, n_test, label_noise)
    networks = fitted(training, (seed,), **training_settings)
    return lambda: networks.predict(test[0])
