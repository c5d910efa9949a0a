"""What a user would do instead of `harness.training.training_run.train`: the rivals of the bench, written as their manuals have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.func import functional_call, grad, stack_module_state, vmap

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np


def plain_loop(
    build: Callable[[], nn.Module],
    inputs: torch.Tensor,
    targets: torch.Tensor,
    seeds: int,
    batch: int,
    steps: int,
    rate: float,
) -> list[nn.Module]:
    """Train one network after the other, as the tutorial of PyTorch does."""
    networks = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        network, step = build(), 0
        optimiser = torch.optim.SGD(network.parameters(), rate)
        while step < steps:
            for rows in torch.randperm(len(inputs), device=inputs.device).split(batch)[: steps - step]:
                optimiser.zero_grad()
                nn.functional.cross_entropy(network(inputs[rows]), targets[rows]).backward()
                optimiser.step()
                step += 1
        networks.append(network)
    return networks


def functional_vmap(
    build: Callable[[], nn.Module],
    inputs: torch.Tensor,
    targets: torch.Tensor,
    seeds: int,
    batch: int,
    steps: int,
    rate: float,
) -> dict[str, torch.Tensor]:
    """Train all networks by vmap over torch.func.grad, as the tutorial on model ensembling does."""
    torch.manual_seed(0)
    networks = [build() for _ in range(seeds)]
    parameters, buffers = stack_module_state(networks)
    base = build().to("meta")

    def loss(
        own: dict[str, torch.Tensor], state: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor
    ) -> torch.Tensor:
        return nn.functional.cross_entropy(functional_call(base, (own, state), (x,)), y)

    gradient = vmap(grad(loss))
    step = 0
    while step < steps:
        orders = torch.stack([torch.randperm(len(inputs), device=inputs.device) for _ in range(seeds)])
        for rows in orders.split(batch, 1)[: steps - step]:
            found = gradient(parameters, buffers, inputs[rows], targets[rows])
            with torch.no_grad():
                for name, own in parameters.items():
                    own.sub_(found[name], alpha=rate)
            step += 1
    return parameters


class Jax:
    """Perceptrons of one hidden layer in JAX: compiled once, all seeds mapped, the steps of an epoch in one scan."""

    def __init__(self, sizes: tuple[int, ...], batch: int, rate: float) -> None:
        import jax

        self.jax, self._sizes, self._batch, self._rate = jax, sizes, batch, rate

    def first(self, seeds: int) -> object:
        """Return initial weights, uniform as torch's."""
        jax = self.jax

        def one(key: object) -> list[tuple[object, object]]:
            layers = []
            for before, after in zip(self._sizes[:-1], self._sizes[1:], strict=True):
                key, first, second = jax.random.split(key, 3)
                reach = before**-0.5
                weight = jax.random.uniform(first, (before, after), minval=-reach, maxval=reach)
                layers.append((weight, jax.random.uniform(second, (after,), minval=-reach, maxval=reach)))
            return layers

        return jax.vmap(one)(jax.random.split(jax.random.key(0), seeds))

    def epoch(self) -> Callable[..., object]:
        """Return an epoch of one seed: (weights, inputs, targets, order) to weights."""
        jax = self.jax

        def loss(layers: list[tuple[object, object]], x: object, y: object) -> object:
            for weight, bias in layers[:-1]:
                x = jax.nn.relu(x @ weight + bias)
            scores = jax.nn.log_softmax(x @ layers[-1][0] + layers[-1][1])
            return -jax.numpy.take_along_axis(scores, y[:, None], 1).mean()

        def epoch(layers: object, inputs: object, targets: object, order: object) -> object:
            def step(own: object, rows: object) -> tuple[object, None]:
                found = jax.grad(loss)(own, inputs[rows], targets[rows])
                return jax.tree.map(lambda a, b: a - self._rate * b, own, found), None

            return jax.lax.scan(step, layers, order)[0]

        return epoch

    def mapped(self) -> Callable[..., object]:
        """Return the compiled epoch of all seeds at once."""
        return self.jax.jit(self.jax.vmap(self.epoch(), (0, None, None, 0)))

    def single(self) -> Callable[..., object]:
        """Return the compiled epoch of one seed."""
        return self.jax.jit(self.epoch())

    def orders(self, seeds: int, number: int) -> object:
        """Return a permutation per seed, cut into batches, (seeds, steps, batch)."""
        jax = self.jax
        keys = jax.random.split(jax.random.key(1), seeds)
        orders = jax.vmap(lambda key: jax.random.permutation(key, number))(keys)
        return orders.reshape(seeds, -1, self._batch)


def scikit_learn(inputs: np.ndarray, targets: np.ndarray, seeds: int, hidden: int, batch: int, rate: float) -> None:
    """Train scikit-learn's perceptrons for one epoch each."""
    import warnings

    from sklearn.neural_network import MLPClassifier

    for seed in range(seeds):
        network = MLPClassifier(
            (hidden,),
            solver="sgd",
            alpha=0.0,
            batch_size=batch,
            learning_rate_init=rate,
            momentum=0.0,
            max_iter=1,
            random_state=seed,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one epoch does not converge, and is not meant to
            network.fit(inputs, targets)
