"""Checks of the instrument: the filters, the pools, what moves, and what a convolution costs."""

from __future__ import annotations

import numpy as np
import pytest

from harness.claim_tests import test_control, test_reading
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))

DESIGN = {"channels": 3, "kernel": 3, "weights": "shared", "padding": "circular", "pooling": "max", "pool": 1}


def untrained(claim, images, **changes):
    return claim.experiment.untrained(SEEDS, images, **(DESIGN | changes))


def test_instrument_maps_are_those_of_filters_written_out(claim):
    """Two layers by loops over the torus, with the same weights, to 1e-10."""
    experiment = claim.experiment
    images = experiment.anywhere(SEEDS, 1)
    networks = untrained(claim, images)
    maps = images[1, 0].double().numpy()
    for layer in ("1", "4"):
        filters = networks.weights[f"{layer}.weight"][1].numpy()
        summed = np.zeros((3, 28, 28))
        for row, column in np.ndindex(3, 3):
            seen = np.roll(maps, (1 - row, 1 - column), (1, 2))
            summed += np.einsum("oc,cyx->oyx", filters[:, :, row, column], seen)
        maps = np.maximum(summed, 0)

    np.testing.assert_allclose(experiment.maps_of(networks, images)[1, 0], maps, rtol=0, atol=1e-10)


def test_instrument_digits_keep_their_ink_and_lie_everywhere(claim):
    """Forty digits move around the torus: all their ink is there, and some of it at the border of the image."""
    from fixtures import mnist

    still, placed = mnist.draw(SEEDS, 40, 0).images().train[0], claim.experiment.anywhere(SEEDS, 40)

    np.testing.assert_allclose(placed.sum((2, 3, 4)), still.sum((2, 3, 4)), rtol=1e-5)
    assert (placed[..., 0] > 0).any(dim=(2, 3)).sum() > 10


@pytest.mark.parametrize(("pixels", "equal"), [(1, False), (2, True), (3, False), (4, True)])
def test_instrument_after_a_stride_of_two_only_even_shifts_move_the_maps_along(claim, pixels, equal):
    """A shift by 2 k pixels is one by k places; by an odd number of pixels it is none (Zhang 2019)."""
    experiment = claim.experiment
    images = experiment.anywhere(SEEDS, 4)
    networks = untrained(claim, images, pool=2)
    before, after = (experiment.maps_of(networks, experiment.moved(images, by)) for by in (0, pixels))

    error = experiment.relative(after - experiment.moved(before, pixels // 2), before)

    assert (error < 1e-12).all() if equal else (error > 0.1).all()


def test_instrument_pools_leave_what_they_should(claim):
    """Of a map whose values are their own numbers, by slices."""
    import torch

    numbers = torch.arange(28.0 * 28).reshape(1, 1, 28, 28)
    left = {kind: claim.experiment.pool_layer(kind, 4)(numbers)[0, 0] for kind in ("max", "subsampling", "overlapping")}

    assert torch.equal(left["max"], numbers[0, 0, 3::4, 3::4])
    assert torch.equal(left["subsampling"], numbers[0, 0, ::4, ::4])
    assert torch.equal(left["overlapping"], numbers[0, 0, 3:, 3:])


@pytest.mark.parametrize("pooling", ["max", "overlapping"])
def test_instrument_saved_factor_is_that_of_counted_operations(claim, pooling):
    """Torch counts the operations of a convolution on top of the maps, with a pool below it and without."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    settings = DESIGN | {"pooling": pooling, "pool": 2}
    counted = []
    for pool in (1, 2):
        images = claim.experiment.anywhere(SEEDS, 1)
        maps = claim.experiment.maps_of(untrained(claim, images, **(settings | {"pool": pool})), images)
        with FlopCounterMode(display=False) as counter:
            torch.nn.Conv2d(3, 3, 3, padding=1, dtype=torch.float64)(maps[0])
        counted.append(counter.get_total_flops())

    metrics = claim.experiment.measure("pooled", SEEDS, images=1, **settings)

    assert metrics["saved_factor"] == pytest.approx(counted[0] / counted[1], rel=1e-12)


def test_instrument_every_pool_has_the_same_filters(claim):
    """Weights are drawn alike whatever the pool, so that its sides are compared within a network."""
    import torch

    images = claim.experiment.anywhere(SEEDS, 1)
    one, other = (untrained(claim, images, pool=pool).weights["4.weight"] for pool in (1, 28))

    assert torch.equal(one, other)
