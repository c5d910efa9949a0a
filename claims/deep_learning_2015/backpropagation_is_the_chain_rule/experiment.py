"""The chain rule written out by hand, held against autograd and against differences; and what steps along a gradient do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from fixtures.curvature import gradient, loss_of, sharpness
from fixtures.perceptrons import ACTIVATIONS, perceptron
from harness.training import Optimiser, Recipe, train

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.seeds import Seeds
    from harness.training import Ensemble

    Examples = tuple[Tensor, Tensor]

LOSS = "squared_error"  # the mean over examples and outputs
GRID = torch.arange(-200, 201, dtype=torch.float64) / 10

# f(z) as the document writes it, and f' by z and f; the last two are wrong.
BY_HAND: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor, Tensor], Tensor]]] = {
    "max(0, z)": (lambda z: z.clamp(min=0), lambda z, _: (z > 0) * 1.0),
    "1 / (1 + exp(-z))": (lambda z: 1 / (1 + torch.exp(-z)), lambda _, f: f * (1 - f)),
    "sinh(z) / cosh(z)": (lambda z: torch.sinh(z) / torch.cosh(z), lambda _, f: 1 - f**2),
    "min(0, z)": (lambda z: z.clamp(max=0), lambda z, _: (z < 0) * 1.0),
    "1 / (1 + exp(-z)), differentiated to f": (lambda z: 1 / (1 + torch.exp(-z)), lambda _, f: f),
}


def drawn(seeds: Seeds, role: str, examples: int, width: int, outputs: int) -> Examples:
    """Return normal inputs (n_seeds, examples, width) and normal targets (n_seeds, examples, outputs)."""
    rows = np.stack([seed.numpy(role).standard_normal((examples, width + outputs)) for seed in seeds])
    return torch.from_numpy(rows[..., :width]), torch.from_numpy(rows[..., width:])


def untrained(seeds: Seeds, examples: Examples, depth: int, activation: str, initialiser: str) -> Ensemble:
    """Return one network per seed as it is drawn, in float64; its hidden layers are as wide as the inputs."""
    recipe = Recipe(Optimiser("sgd", 1.0), 1, steps=0, initialiser=initialiser, loss=LOSS, precision="float64")
    width, outputs = (part.shape[2] for part in examples)
    design = ([width] * depth, outputs)
    return train(lambda: perceptron(width, *design, activation=activation), *examples, seeds, recipe=recipe)


def backward(networks: Ensemble, examples: Examples, by_hand: str) -> dict[str, Tensor]:
    """Return the loss's derivatives by name, (n_seeds, *shape): from the outputs down, a product of local derivatives."""
    (function, derivative), (inputs, targets) = BY_HAND[by_hand], examples
    values = list(networks.weights.values())
    sums, below = [], [inputs]
    for weight, bias in zip(values[::2], values[1::2], strict=True):
        sums.append(below[-1] @ weight.mT + bias[:, None])
        below.append(function(sums[-1]))
    signal, slopes = 2 * (sums[-1] - targets) / targets[0].numel(), []
    for layer in range(len(sums) - 1, -1, -1):
        slopes += [signal.sum(1), signal.mT @ below[layer]]
        if layer:
            signal = (signal @ values[2 * layer]) * derivative(sums[layer - 1], below[layer])
    return dict(zip(networks.weights, slopes[::-1], strict=True))


def flat(values: dict[str, Tensor]) -> Tensor:
    """Return all numbers of each seed in one row, (n_seeds, n_parameters)."""
    return torch.cat([own.flatten(1) for own in values.values()], 1)


def stepped(networks: Ensemble, slopes: dict[str, Tensor], rates: Tensor) -> Ensemble:
    """Return the networks after one step against the slopes, each at its own rate, (n_seeds,)."""
    moves = {name: torch.einsum("s,s...->s...", rates, own) for name, own in slopes.items()}
    return replace(networks, weights={name: own - moves[name] for name, own in networks.weights.items()})


def directions(seeds: Seeds, like: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a random direction of length one among all parameters of each network, by name, (n_seeds, *shape)."""
    draws = [seed.torch("direction") for seed in seeds]
    normal = {
        name: torch.stack([torch.randn(own.shape[1:], generator=draw, dtype=own.dtype) for draw in draws])
        for name, own in like.items()
    }
    length = flat(normal).norm(dim=1)
    return {name: torch.einsum("s,s...->s...", 1 / length, own) for name, own in normal.items()}


def difference(networks: Ensemble, examples: Examples, direction: dict[str, Tensor], spacing: float) -> Tensor:
    """Return the central difference of the loss along a direction, (n_seeds,)."""
    step = torch.full((len(networks),), spacing, dtype=torch.float64)
    ahead, behind = (loss_of(stepped(networks, direction, by), *examples, LOSS) for by in (-step, step))
    return (ahead - behind) / (2 * spacing)


def first_order_ratio(networks: Ensemble, examples: Examples, slopes: dict[str, Tensor], rate: float) -> Tensor:
    """Return what a step takes off the loss, by what its slopes promise, rate times their squares, (n_seeds,)."""
    after = stepped(networks, slopes, torch.full((len(networks),), rate, dtype=torch.float64))
    taken = loss_of(networks, *examples, LOSS) - loss_of(after, *examples, LOSS)
    return taken / (rate * (flat(slopes) ** 2).sum(1))


def largest_rise(networks: Ensemble, examples: Examples, rate_times_sharpness: float, steps: int) -> Tensor:
    """Return the most that the loss changes by in one of so many steps, by its share at the start, (n_seeds,)."""
    rates = rate_times_sharpness / torch.from_numpy(sharpness(networks, *examples, LOSS, iterations=30))
    losses = [loss_of(networks, *examples, LOSS)]
    for _ in range(steps):
        networks = stepped(networks, gradient(networks, *examples, LOSS), rates)
        losses.append(loss_of(networks, *examples, LOSS))
    return torch.stack(losses).diff(dim=0).amax(0) / losses[0]


def measure(
    arm: str, seeds: Seeds, *, depth: int, activation: str, initialiser: str, by_hand: str, slopes_of: str, rate: float,
    spacing: float, below: float, beyond: float, steps: int, **shape: int,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Return the metrics, (n_seeds,); without a hidden layer those of least squares."""
    examples = drawn(seeds, "examples", **shape)
    networks = untrained(seeds, examples, depth, activation, initialiser)
    if depth == 0:
        limits = {"rise_below_the_limit": below, "rise_beyond_the_limit": beyond}
        return {name: largest_rise(networks, examples, own, steps).numpy() for name, own in limits.items()}
    by_chain_rule, by_autograd = backward(networks, examples, by_hand), gradient(networks, *examples, LOSS)
    largest = flat(by_autograd).abs().amax(1)
    direction = directions(seeds, by_autograd)
    promised = (flat(by_chain_rule) * flat(direction)).sum(1)
    others = gradient(networks, *drawn(seeds, slopes_of, **shape), LOSS)
    defined = ACTIVATIONS[activation]()(GRID)
    found = {
        "chain_rule_error": (flat(by_chain_rule) - flat(by_autograd)).abs().amax(1) / largest,
        "difference_error": (promised - difference(networks, examples, direction, spacing)).abs() / largest,
        "definition_error": (BY_HAND[by_hand][0](GRID) - defined).abs().amax().expand(len(seeds)),
        "first_order_ratio": first_order_ratio(networks, examples, others, rate),
    }
    return {name: own.numpy() for name, own in found.items()}
