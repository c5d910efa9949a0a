"""On a GPU: all seeds at once against what a user would do there instead, and against one core of the processor."""

from __future__ import annotations

import pytest
import torch

from harness.seeds import seeds_of
from harness.timing import synchronised
from harness.training.optimisers import Optimiser
from harness.training.recipe import Recipe
from harness.training.training_run import train
from tests.bench import bench_convolutions, rivals
from tests.bench.bench_perceptrons import RATE, STEPS, build, examples

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")]

ROWS = ((32, 32, 16), (100, 64, 16), (800, 100, 16), (2000, 100, 8), (100, 64, 256))

MANY = 16
"""Seeds above which one after the other would take too long to be timed."""


def ours(build, inputs, targets, number, batch, precision, device):
    seeds = seeds_of("bench", 0, range(number))
    recipe = Recipe(Optimiser("sgd", RATE), batch_size=batch, steps=STEPS, precision=precision, device=device)
    return synchronised(
        lambda: train(
            build, inputs.expand(number, *inputs.shape), targets.expand(number, *targets.shape), seeds, recipe=recipe
        ),
        device,
    )


def on_gpu(make):
    return lambda: make().cuda()


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
@pytest.mark.parametrize(("hidden", "batch", "number"), ROWS)
def bench_perceptrons_on_a_gpu(contest, hidden, batch, number, precision):
    import jax

    cpu = examples(batch)
    inputs, targets = (each.cuda() for each in cpu)
    common = (on_gpu(lambda: build(hidden)), inputs, targets, number, batch, STEPS, RATE)
    network = rivals.Jax((784, hidden, 10), batch, RATE)
    mapped, x, y = network.mapped(), *(jax.numpy.asarray(each.numpy()) for each in cpu)
    make = lambda: build(hidden)  # noqa: E731
    others = {
        "plain loop": synchronised(lambda: rivals.plain_loop(*common), "cuda"),
        "torch.func vmap": synchronised(lambda: rivals.functional_vmap(*common), "cuda"),
        "JAX jit+vmap": lambda: jax.block_until_ready(
            mapped(network.first(number), x, y, network.orders(number, len(x)))
        ),
        "ours, one core": ours(make, *cpu, number, batch, precision, "cpu"),
    }
    if number > MANY:
        others = {name: others[name] for name in ("torch.func vmap", "JAX jit+vmap")}
    contest(
        "perceptrons on a GPU",
        f"784-{hidden}-10, batch {batch}, {number} seeds, {precision}",
        ours(make, inputs, targets, number, batch, precision, "cuda"),
        # They compute in float32.
        others if precision == "float32" else {},
        rounds=3,
        settle=0.0,
    )


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
@pytest.mark.parametrize(("batch", "number"), [(64, 16), (256, 16)])
def bench_convolutions_on_a_gpu(contest, batch, number, precision):
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(STEPS * batch, 1, 28, 28, generator=generator).cuda()
    targets = torch.randint(10, (STEPS * batch,), generator=generator).cuda()
    make = bench_convolutions.build
    contest(
        "convolutions on a GPU",
        f"two convolutions of 5 x 5 on 28 x 28, batch {batch}, {number} seeds, {precision}",
        ours(make, inputs, targets, number, batch, precision, "cuda"),
        {
            "plain loop": synchronised(
                lambda: rivals.plain_loop(on_gpu(make), inputs, targets, number, batch, STEPS, RATE), "cuda"
            )
        },
        rounds=3,
        settle=0.0,
    )
