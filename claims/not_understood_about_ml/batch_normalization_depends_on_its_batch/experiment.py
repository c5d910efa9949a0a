"""Networks with and without normalisation, trained in batches of several sizes, and seen in inference and training mode."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from fixtures import mnist
from harness.training import search, supervised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.splits import Split
    from harness.seeds import Seeds
    from harness.training import Ensemble, Recipe

RATES_ARE_FOR = 16  # examples in a batch; of other batches the rate is in proportion

NORMALIZATIONS: dict[str, type[nn.Module]] = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm}


def examples(seeds: Seeds, *, n_train: int, n_test: int, side: int) -> Split:
    """Return digits shrunk to `side` pixels, centred and of variance one."""
    return mnist.draw(seeds, n_train, n_test, side).standardised()


def network(inputs: int, hidden: Sequence[int], normalization: str) -> nn.Sequential:
    """Return layers of rectifiers, "batch" or "layer" normalised before each, or "none".

    Raises:
        KeyError: another normalisation.
    """
    layers: list[nn.Module] = []
    for below, units in pairwise((inputs, *hidden)):
        own = [] if normalization == "none" else [NORMALIZATIONS[normalization](units)]
        layers += [nn.Linear(below, units), *own, nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(hidden[-1], 10))


def fit(seeds: Seeds, split: Split, recipe: Recipe, *, hidden: Sequence[int], normalization: str) -> Ensemble:
    """Return one network per seed, at the rate of least training loss."""
    rates = tuple(rate * recipe.batch_size / RATES_ARE_FOR for rate in recipe.rates)
    build = lambda: network(split.train[0].shape[2], hidden, normalization)  # noqa: E731
    # One seed after the other: two examples that are normalised by each other magnify rounding until it shows, and a product
    # for several seeds rounds otherwise than one for a seed alone.
    alone = [
        search(build, ink[None], labels[None], (seed,), recipe=replace(recipe, rates=rates))[0]
        for ink, labels, seed in zip(*split.train, seeds, strict=True)
    ]
    weights = {name: torch.cat([own.weights[name] for own in alone]) for name in alone[0].weights}
    return replace(alone[0], weights=weights, steps=tuple(step for own in alone for step in own.steps))


def score(
    networks: Ensemble, split: Split, *, mode: Sequence[str], small_batch: int, large_batch: int, pure_batch: int
) -> dict[str, np.ndarray]:
    """Return the error on test digits in each mode, (n_seeds, n_modes)."""
    sizes = {"small_batches": small_batch, "large_batches": large_batch, "pure_batches": pure_batch}
    parts = [one_class_after_another(split, pure_batch) if name == "pure_batches" else split.test for name in mode]
    errors = [error(networks, *part, sizes.get(name)) for name, part in zip(mode, parts, strict=True)]
    return {"test_error": np.stack(errors, axis=1)}


def error(networks: Ensemble, inputs: torch.Tensor, labels: torch.Tensor, batch_size: int | None) -> np.ndarray:
    """Return the error in training mode, so many examples at a time, or in inference mode if None, (n_seeds,)."""
    outputs = networks.predict(inputs, batch_statistics=batch_size is not None, batch_size=batch_size)
    return (outputs.argmax(2) != labels).double().mean(1).numpy()


def one_class_after_another(split: Split, number: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the first `number` test digits of each class, those of a class in a row, (n_seeds, 10 `number`) of them."""
    ink, labels = split.test
    rows = [torch.cat([(own == label).nonzero()[:number, 0] for label in range(10)]) for own in labels]
    return tuple(torch.stack([own[row] for own, row in zip(values, rows, strict=True)]) for values in (ink, labels))


measure, prepare_training, prepare_inference = supervised(examples, fit, score)
