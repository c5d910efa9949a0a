"""Gradients of minibatches held against that of all examples, and descent by both: in equal passes and in equal updates."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from fixtures import mnist
from fixtures.curvature import gradient
from harness.training import Recipe, error_rate, orders, search, supervised, train

if TYPE_CHECKING:
    import numpy as np

    from fixtures.splits import Split
    from harness.seeds import Seed, Seeds
    from harness.training import Ensemble

    Examples = tuple[Tensor, Tensor]


@lru_cache(maxsize=1)  # all arms and sizes of a seed have the same digits
def examples(seeds: Seeds, *, n_train: int, n_test: int, side: int) -> Split:
    """Return digits of so many pixels a side, centred and scaled to variance one."""
    return mnist.draw(seeds, n_train, n_test, side).standardised()


def network(inputs: int, width: int, *, normalized: bool) -> nn.Sequential:
    """Return one hidden layer of rectifiers, before which each batch is normalised where `normalized` says so.

    Nothing is kept of earlier batches: the statistics are the batch's own, always.
    """
    between = [nn.BatchNorm1d(width, track_running_stats=False)] if normalized else []
    return nn.Sequential(nn.Linear(inputs, width), *between, nn.ReLU(), nn.Linear(width, 10))


def fit(seeds: Seeds, split: Split, recipe: Recipe, *, width: int, normalized: bool) -> Ensemble:
    """Return one trained network per seed, at the rate of least training loss."""
    inputs = split.train[0].shape[2]
    networks, _ = search(lambda: network(inputs, width, normalized=normalized), *split.train, seeds, recipe=recipe)
    return networks


def score(networks: Ensemble, split: Split) -> dict[str, np.ndarray]:
    """Return the error on digits that were not trained on."""
    return {"test_error": error_rate(networks, *split.test)}


def untrained(seeds: Seeds, digits: Examples, recipe: Recipe, width: int, *, normalized: bool) -> Ensemble:
    """Return the networks that descent begins with, in float64."""
    start = replace(recipe, batch_size=2, steps=0, epochs=None, rates=(), precision="float64")
    inputs = digits[0].shape[2]
    return train(lambda: network(inputs, width, normalized=normalized), *digits, seeds, recipe=start)


def of_batch(networks: Ensemble, digits: Examples, rows: Tensor) -> Tensor:
    """Return the gradient of the mean cross-entropy over some examples, by their numbers (n_seeds, k), in one row per seed."""
    inputs, labels = digits
    batch = torch.stack([own[mine] for own, mine in zip(inputs, rows, strict=True)])
    slopes = gradient(networks, batch, labels.gather(1, rows), "cross_entropy")
    return torch.cat([own.flatten(1) for own in slopes.values()], 1)


def of_all(networks: Ensemble, digits: Examples) -> Tensor:
    """Return the gradient of the mean cross-entropy over all examples, in one row per seed."""
    return of_batch(networks, digits, torch.arange(digits[1].shape[1]).repeat(len(networks), 1))


def mean_over_an_epoch(networks: Ensemble, digits: Examples, seeds: Seeds, size: int) -> Tensor:
    """Return the mean gradient of the batches that the first epoch of a training takes: each example is in one of them."""
    number = digits[1].shape[1]
    batches = islice(orders(seeds, "batches", number, size, torch.device("cpu")), number // size)
    return torch.stack([of_batch(networks, digits, rows) for rows in batches]).mean(0)


def drawn(labels: Tensor, size: int, samples: int, seed: Seed, members: str) -> Tensor:
    """Return batches of one seed, (samples, size): numbers of examples, with replacement.

    Args:
        labels: of its examples, (n,).
        size: of a batch.
        samples: how many batches.
        seed: its role "random batches" is drawn from.
        members: each drawn from "all" examples, or from those "of one class", which is that of an example drawn for the batch.
    """
    draws = seed.torch("random batches")
    if members == "all":
        return torch.randint(len(labels), (samples, size), generator=draws)
    first = torch.randint(len(labels), (samples,), generator=draws).tolist()
    classes = [torch.nonzero(labels == labels[own])[:, 0] for own in first]
    return torch.stack([own[torch.randint(len(own), (size,), generator=draws)] for own in classes])


def variance(networks: Ensemble, digits: Examples, batches: Tensor) -> Tensor:
    """Return how far gradients of batches (n_seeds, samples, size) are from that of all, squared, by its square; the mean."""
    full = of_all(networks, digits)
    far = [(of_batch(networks, digits, rows) - full).square().sum(1) for rows in batches.unbind(1)]
    return torch.stack(far).mean(0) / full.square().sum(1)


def gradients(
    seeds: Seeds, recipe: Recipe, *, n_train: int, n_test: int, side: int, width: int, normalized: bool, samples: int, members: str
) -> dict[str, np.ndarray]:  # fmt: skip
    """Return what minibatches say of the gradient at the initial weights; with no samples nothing of its variance."""
    digits = examples(seeds, n_train=n_train, n_test=n_test, side=side).train
    networks = untrained(seeds, digits, recipe, width, normalized=normalized)
    full = of_all(networks, digits)
    mean = mean_over_an_epoch(networks, digits, seeds, recipe.batch_size)
    found = {"bias": (mean - full).norm(dim=1) / full.norm(dim=1)}
    if samples:
        batches = [
            drawn(own, recipe.batch_size, samples, seed, members) for own, seed in zip(digits[1], seeds, strict=True)
        ]
        found["variance"] = variance(networks, digits, torch.stack(batches))
    return {name: own.cpu().numpy() for name, own in found.items()}


descent, prepare_training, prepare_inference = supervised(examples, fit, score)


def measure(arm: str, seeds: Seeds, **settings: Any) -> dict[str, np.ndarray]:
    """Return the metrics of an arm: of gradients where it takes no step, else of the trained networks."""
    recipe, others = Recipe.split(settings)
    return gradients(seeds, recipe, **others) if recipe.steps == 0 else descent(arm, seeds, **settings)
