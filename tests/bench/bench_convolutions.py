"""Convolutional networks: our engine against the plain loop in float32, as anybody writes it first."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from harness.seeds import seeds_of
from harness.training.optimisers import Optimiser
from harness.training.recipe import Recipe
from harness.training.training_run import train
from tests.bench import rivals

STEPS, RATE, NUMBER = 10, 0.05, 16


def build() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 49, 100), nn.ReLU(), nn.Linear(100, 10),
    )  # fmt: skip


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
@pytest.mark.parametrize("batch", [64, 256])
def bench_convolutions(contest, batch, precision):
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(STEPS * batch, 1, 28, 28, generator=generator)
    targets = torch.randint(10, (STEPS * batch,), generator=generator)
    seeds = seeds_of("bench", 0, range(NUMBER))

    def ours():
        train(
            build, inputs.expand(NUMBER, -1, -1, -1, -1), targets.expand(NUMBER, -1), seeds,
            recipe=Recipe(Optimiser("sgd", RATE), batch_size=batch, steps=STEPS, precision=precision),
        )  # fmt: skip

    contest(
        "convolutions",
        f"two convolutions of 5 x 5 on 28 x 28, batch {batch}, {NUMBER} seeds, {precision}",
        ours,
        {"plain loop": lambda: rivals.plain_loop(build, inputs, targets, NUMBER, batch, STEPS, RATE)},
        must={"plain loop": 2.5 if precision == "bfloat16" else 1.0},
        rounds=5,
    )
