"""What a seed more costs: the same training for 1, 2, 4, ... 64 seeds, against as many plain loops."""

from __future__ import annotations

import time

import pytest
import torch

from harness.seeds import seeds_of
from harness.training.optimisers import Optimiser
from harness.training.recipe import Recipe
from harness.training.training_run import train
from tests.bench import rivals
from tests.bench.bench_perceptrons import RATE, STEPS, build, examples

HIDDEN, BATCH = 32, 32


@pytest.mark.parametrize("number", [1, 2, 4, 8, 16, 32, 64])
def bench_seeds(contest, number):
    inputs, targets = examples(BATCH)
    seeds = seeds_of("bench", 0, range(number))

    def ours():
        train(
            lambda: build(HIDDEN), inputs.expand(number, -1, -1), targets.expand(number, -1), seeds,
            recipe=Recipe(Optimiser("sgd", RATE), batch_size=BATCH, steps=STEPS),
        )  # fmt: skip

    row = contest(
        "seeds",
        f"{number} seeds",
        ours,
        {"plain loop": lambda: rivals.plain_loop(lambda: build(HIDDEN), inputs, targets, number, BATCH, STEPS, RATE)},
        must={"plain loop": 1.0} if number == 16 else {},
    )
    row.notes["ms per seed"] = row.ours / number


def peak(dtype: torch.dtype, size: int = 1536) -> float:
    """Return operations per second of one square product that fits the cache, the fastest of many."""
    left, right = (torch.randn(size, size).to(dtype) for _ in range(2))
    least = float("inf")
    for _ in range(20):
        start = time.perf_counter()
        left @ right
        least = min(least, time.perf_counter() - start)
    return 2 * size**3 / least


def bandwidth(megabytes: int = 256) -> float:
    """Return bytes per second, read and written, of copies far larger than the caches, the fastest of several."""
    source = torch.ones(megabytes * 2**18)
    target = torch.empty_like(source)
    least = float("inf")
    for _ in range(10):
        start = time.perf_counter()
        target.copy_(source)
        least = min(least, time.perf_counter() - start)
    return 2 * source.numel() * source.element_size() / least


TRAFFIC = 5
"""Times that a step of plain descent moves a float32 parameter or its gradient from or to memory, if nothing stays in a
cache: the weight is read forward, the gradient written and read, the weight read and written by the update."""


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(("hidden", "batch", "number"), [(32, 32, 16), (100, 64, 16), (800, 100, 16), (2000, 100, 8)])
def bench_share_of_the_peak(contest, hidden, batch, number, precision):
    """Of the nearer limit (Williams, Waterman & Patterson 2009, roofline): of arithmetic, or of memory if no weight stays in a cache.

    Six operations per weight and example, less the gradient of the inputs, which nobody needs.
    """
    inputs, targets = examples(batch)
    seeds = seeds_of("bench", 0, range(number))
    operations = STEPS * number * batch * (4 * 784 * hidden + 6 * hidden * 10)

    def ours():
        train(
            lambda: build(hidden), inputs.expand(number, -1, -1), targets.expand(number, -1), seeds,
            recipe=Recipe(Optimiser("sgd", RATE), batch_size=batch, steps=STEPS, precision=precision),
        )  # fmt: skip

    most = peak({"float32": torch.float32, "bfloat16": torch.bfloat16}[precision])
    row = contest("share of the peak", f"784-{hidden}-10, batch {batch}, {number} seeds, {precision}", ours, rounds=5)
    achieved = operations / (row.ours / 1e3)
    moved = STEPS * number * TRAFFIC * 4 * (795 * hidden + 10)
    by_memory = bandwidth() * operations / moved
    row.notes |= {
        "GFLOP/s": achieved / 1e9,
        "peak, GFLOP/s": most / 1e9,
        "from memory, GFLOP/s": by_memory / 1e9,
        "share of the nearer": achieved / min(most, by_memory),
    }
