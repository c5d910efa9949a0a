"""Sixteen perceptrons for 60 steps: our engine against what a user would do instead."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from harness.seeds import seeds_of
from harness.training.optimisers import Optimiser
from harness.training.recipe import Recipe
from harness.training.training_run import train
from tests.bench import rivals

STEPS, RATE = 60, 0.1
ROWS = {
    (32, 32, 16): {"plain loop": 4.0},
    (100, 64, 16): {"plain loop": 3.0},
    (800, 100, 16): {"plain loop": 1.3},
    (2000, 100, 8): {"plain loop": 1.3},
}


def build(hidden: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, 10))


def examples(batch: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    number = STEPS * batch
    return torch.randn(number, 784, generator=generator), torch.randint(10, (number,), generator=generator)


def ours(hidden: int, batch: int, number: int, precision: str, inputs: torch.Tensor, targets: torch.Tensor):
    seeds = seeds_of("bench", 0, range(number))
    return lambda: train(
        lambda: build(hidden), inputs.expand(number, -1, -1), targets.expand(number, -1), seeds,
        recipe=Recipe(Optimiser("sgd", RATE), batch_size=batch, steps=STEPS, precision=precision),
    )  # fmt: skip


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
@pytest.mark.parametrize(("hidden", "batch", "number"), ROWS)
def bench_perceptrons(contest, hidden, batch, number, precision):
    inputs, targets = examples(batch)
    common = (lambda: build(hidden), inputs, targets, number, batch, STEPS, RATE)
    contest(
        "perceptrons",
        f"784-{hidden}-10, batch {batch}, {number} seeds, {precision}",
        ours(hidden, batch, number, precision, inputs, targets),
        {
            "plain loop": lambda: rivals.plain_loop(*common),
            "torch.func vmap": lambda: rivals.functional_vmap(*common),
            "scikit-learn": lambda: rivals.scikit_learn(inputs.numpy(), targets.numpy(), number, hidden, batch, RATE),
        },
        must=ROWS[hidden, batch, number] if precision == "bfloat16" else {"plain loop": 1.0},
        rounds=3 if hidden > 100 else 7,
    )


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
@pytest.mark.parametrize(("hidden", "batch", "number"), ROWS)
def bench_perceptrons_against_jax(contest, hidden, batch, number, precision):
    """By itself: its threads keep spinning for a while, and would take the cores from whoever comes next."""
    inputs, targets = examples(batch)
    network = rivals.Jax((784, hidden, 10), batch, RATE)
    jax, mapped, single = network.jax, network.mapped(), network.single()
    x, y, first = jax.numpy.asarray(inputs.numpy()), jax.numpy.asarray(targets.numpy()), network.first(number)

    def all_mapped(epoch=mapped):
        jax.block_until_ready(epoch(network.first(number), x, y, network.orders(number, len(x))))

    def one_by_one():
        orders = network.orders(number, len(x))
        for seed in range(number):
            own = jax.tree.map(lambda values, seed=seed: values[seed], first)
            jax.block_until_ready(single(own, x, y, orders[seed]))

    contest(
        "perceptrons against JAX",
        f"784-{hidden}-10, batch {batch}, {number} seeds, {precision}",
        ours(hidden, batch, number, precision, inputs, targets),
        {
            "JAX jit+vmap": all_mapped,
            "JAX with compiling": lambda: all_mapped(network.mapped()),
            "JAX jit, loop": one_by_one,
        },
        rounds=3 if hidden > 100 else 7,
    )
