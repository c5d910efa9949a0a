"""Deep networks of tanh units, plain or normalised, steady or disturbed: how their gradients change while they learn."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from fixtures import mnist
from harness.training import Draws, Observer, Recipe, SeededNoise, error_rate, supervised, train

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.splits import Split
    from harness.seeds import Seeds
    from harness.training import Ensemble

Batch = tuple[Tensor, Tensor]
Weights = dict[str, Tensor]

MULTIPLES = (0.5, 1.0, 2.0, 4.0)
"""Of a step of training, how far along it the loss is looked at (Santurkar et al. 2018, sec. 3.1, quoted from memory)."""


LEVELLED = 500
"""Digits by which the level of the loss is told."""


def examples(seeds: Seeds, *, n_train: int, n_test: int, side: int) -> Split:
    """Return digits shrunk to `side` pixels, centred and of variance one."""
    return mnist.draw(seeds, n_train, n_test, side).standardised()


drawn = lru_cache(maxsize=1)(examples)
"""All arms of a seed have the same digits, at all rates and from all weights."""


def network(inputs: int, hidden: Sequence[int], *, normalized: bool, noise: Sequence[float]) -> nn.Sequential:
    """Return layers of tanh units; before these batch normalisation, and noise of what `SeededNoise` takes, none if empty."""
    layers: list[nn.Module] = []
    for below, units in pairwise((inputs, *hidden)):
        between = [*([nn.BatchNorm1d(units)] if normalized else []), *([SeededNoise(*noise)] if noise else [])]
        layers += [nn.Linear(below, units), *between, nn.Tanh()]
    return nn.Sequential(*layers, nn.Linear(hidden[-1], 10))


def fit(
    seeds: Seeds,
    split: Split,
    recipe: Recipe,
    *,
    hidden: Sequence[int],
    normalized: bool,
    noise: Sequence[float],
    observer: Observer | None = None,
) -> Ensemble:
    """Return one trained network per seed."""
    inputs = split.train[0].shape[2]
    return train(
        lambda: network(inputs, hidden, normalized=normalized, noise=noise),
        *split.train, seeds, recipe=recipe, observer=observer,
    )  # fmt: skip


def outputs(module: nn.Module, weights: Weights, inputs: Tensor, noise: Draws | None) -> Tensor:
    """Return what the networks make of a batch in training, (n_seeds, batch, 10); without their noise if there are no draws."""
    hidden = inputs
    for name, layer in module.named_children():
        if isinstance(layer, nn.Linear):
            hidden = torch.baddbmm(weights[f"{name}.bias"][:, None], hidden, weights[f"{name}.weight"].mT)
        elif isinstance(layer, nn.BatchNorm1d):
            spread, centre = torch.var_mean(hidden, 1, correction=0, keepdim=True)
            normal = (hidden - centre) * (spread + layer.eps).rsqrt()
            hidden = normal * weights[f"{name}.weight"][:, None] + weights[f"{name}.bias"][:, None]
        elif isinstance(layer, SeededNoise):
            hidden = layer.of_all(hidden, noise) if noise else hidden
        else:
            hidden = layer(hidden)
    return hidden


def losses(module: nn.Module, weights: Weights, batch: Batch, noise: Draws | None = None) -> Tensor:
    """Return the networks' mean loss on a batch in training, (n_seeds,)."""
    inputs, labels = batch
    made = outputs(module, weights, inputs, noise).transpose(1, 2)
    return nn.functional.cross_entropy(made, labels, reduction="none").mean(1)


def slopes(module: nn.Module, weights: Weights, names: Sequence[str], batch: Batch, noise: Draws | None) -> Weights:
    """Return the gradient of each network's loss by the parameters named, (n_seeds, *shape)."""
    leaves = {name: weights[name].detach().clone().requires_grad_() for name in names}
    total = losses(module, weights | leaves, batch, noise).sum()
    return dict(zip(names, torch.autograd.grad(total, list(leaves.values())), strict=True))


def covariate_shift(networks: Ensemble, batch: Batch, rate: float, noise: Draws) -> Tensor:
    """Return 1 - cosine of a layer's gradient before and after the layers below have taken a step, averaged, (n_seeds,).

    Santurkar et al. 2018, definition 2.1. As in training every step has noise of its own. The lowest layer has none below.
    """
    module, weights = networks.module, networks.weights
    names = [name for name, _ in module.named_parameters()]
    before = slopes(module, weights, names, batch, noise)
    found = []
    for layer in matrices(weights)[1:]:
        lower = names[: names.index(layer)]
        moved = weights | {name: weights[name] - rate * before[name] for name in lower}
        after = slopes(module, moved, [layer], batch, noise)[layer]
        found.append(1 - torch.cosine_similarity(before[layer].flatten(1), after.flatten(1)))
    return torch.stack(found).mean(0)


def landscape(networks: Ensemble, batch: Batch, rate: float) -> Tensor:
    """Return how the loss and its gradient change along a step and its multiples, (2, n_seeds).

    The range of the loss there, and the largest distance of the matrices' gradient from that at the start, as a multiple
    of its length: the rate times the effective smoothness of Santurkar et al. 2018, sec. 3.1. Both without noise.
    """
    module, weights = networks.module, networks.weights
    names = [name for name, _ in module.named_parameters()]
    start = slopes(module, weights, names, batch, None)
    heights, changes = [losses(module, weights, batch)], []
    for multiple in MULTIPLES:
        moved = weights | {name: weights[name] - multiple * rate * start[name] for name in names}
        heights.append(losses(module, moved, batch))
        there = slopes(module, moved, matrices(weights), batch, None)
        changes.append((flat(there) - flat(start)).norm(dim=1) / flat(start).norm(dim=1))
    height = torch.stack(heights)
    return torch.stack([height.amax(0) - height.amin(0), torch.stack(changes).amax(0)])


def matrices(weights: Weights) -> list[str]:
    """Return the names of the linear layers' weights, from the inputs up."""
    return [name for name, own in weights.items() if own.ndim == 3]


def flat(gradient: Weights) -> Tensor:
    """Return the gradient by all matrices in one row, (n_seeds, n_weights)."""
    return torch.cat([gradient[name].flatten(1) for name in matrices(gradient)], 1)


def at_level(looks: Sequence[Ensemble], batch: Batch, level: float) -> tuple[Ensemble, Tensor]:
    """Return each seed's network at the first look at which its loss is at most `level`, and whether there is one, (n_seeds,)."""
    low = torch.stack([losses(look.module, look.weights, batch) <= level for look in looks])
    first = low.int().argmax(0)
    rows = torch.arange(len(first), device=first.device)
    weights = {name: torch.stack([look.weights[name] for look in looks])[first, rows] for name in looks[0].weights}
    return replace(looks[0], weights=weights), low.any(0)


def batch_of(seeds: Seeds, examples: Batch, size: int, role: str) -> Batch:
    """Return some of the examples of every seed, drawn for `role`: inputs (n_seeds, size, pixels), labels (n_seeds, size)."""
    number = examples[0].shape[1]
    orders = [torch.randperm(number, generator=seed.torch(role))[:size] for seed in seeds]
    rows = torch.stack(orders).to(examples[0].device)
    own = torch.arange(len(seeds), device=rows.device)[:, None]
    return examples[0][own, rows], examples[1][own, rows]


def score(networks: Ensemble, split: Split, **_: Any) -> dict[str, np.ndarray]:
    """Return the error on the test digits, (n_seeds,), whatever is looked at besides."""
    return {"test_error": error_rate(networks, *split.test)}


def measure(
    arm: str, seeds: Seeds, *, n_train: int, n_test: int, side: int, normalized: bool, **settings: Any
) -> dict[str, np.ndarray]:
    """Return error and mean shift of the first `early` steps, and without noise the landscape at the level, (n_seeds,) each.

    A network that never comes to the level has no landscape: NaN.
    """
    split = drawn(seeds, n_train=n_train, n_test=n_test, side=side)
    # Plain networks of large weights are chaotic: what neighbours change in the last digit of a product grows to per cents.
    size = len(seeds) if normalized else 1
    found = [
        watched(seeds[k : k + size], of_some(split, k, size), normalized=normalized, **settings)
        for k in range(0, len(seeds), size)
    ]
    return {name: np.concatenate([own[name] for own in found]) for name in found[0]}


def of_some(split: Split, first: int, number: int) -> Split:
    """Return the digits of so many seeds from the `first` on."""
    parts = [tuple(own[first : first + number] for own in part) for part in (split.train, split.test)]
    return replace(split, train=parts[0], test=parts[1])


def watched(
    seeds: Seeds, split: Split, *, hidden: Sequence[int], normalized: bool, noise: Sequence[float], every: int,
    early: int, level: float, probes: int, **training: Any,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Return the metrics of networks that are looked at every so many steps of their training, as `measure` does."""
    recipe, _ = Recipe.split(training)
    looks: dict[int, Ensemble] = {}
    observer = Observer(every, looks.__setitem__)
    networks = fit(seeds, split, recipe, hidden=hidden, normalized=normalized, noise=noise, observer=observer)
    (ink, labels), like = split.train, networks.weights["0.weight"]
    digits, rate = (ink.to(like), labels.to(like.device)), recipe.optimiser.learning_rate

    def batch(role: str) -> Batch:
        return batch_of(seeds, digits, recipe.batch_size, role)

    shifts = [
        covariate_shift(look, batch(f"shift {steps}"), rate, Draws.of(seeds, f"noise {steps}", recipe.device))
        for steps, look in looks.items()
        if steps <= early
    ]
    found = {"covariate_shift": torch.stack(shifts).mean(0).cpu().numpy(), **score(looks[early], split)}
    if noise:
        return found
    equal, reached = at_level(list(looks.values()), batch_of(seeds, digits, LEVELLED, "level"), level)
    seen = torch.stack([landscape(equal, batch(f"landscape {number}"), rate) for number in range(probes)]).mean(0)
    loss_range, gradient_change = torch.where(reached, seen, torch.nan).cpu().numpy()
    return found | {"loss_range": loss_range, "gradient_change": gradient_change}


_, prepare_training, prepare_inference = supervised(examples, fit, score)
