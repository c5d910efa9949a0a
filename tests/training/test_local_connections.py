"""Local connections: a field and filters of its own per place, summed by hand, and a convolution where all are alike."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import nn

from harness.seeds import seeds_of
from harness.training.layers import stackable
from harness.training.local_connections import LocallyConnected2d
from harness.training.optimisers import Optimiser
from tests.keywords import train

SEEDS = seeds_of("local", 0, range(3))


def drawn(layer, *shape):
    """Return a layer with random weights and random inputs, in float64."""
    generator = torch.Generator().manual_seed(4)
    for own in layer.parameters():
        own.data = torch.randn(own.shape, generator=generator, dtype=torch.float64)
    return layer, torch.randn(shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("stride", [1, 2])
def test_every_place_has_filters_and_a_bias_of_its_own(stride):
    layer, inputs = drawn(LocallyConnected2d(2, 3, (6, 8), 3, stride=stride), 4, 2, 6, 8)
    outputs = layer(inputs)

    rows, columns = (6 - 3) // stride + 1, (8 - 3) // stride + 1
    assert outputs.shape == (4, 3, rows, columns)
    for example, out, row, column in product(range(4), range(3), range(rows), range(columns)):
        total = layer.bias[out, row, column].item()
        for channel, down, right in product(range(2), range(3), range(3)):
            weight = layer.weight[row, column, out, channel, down, right]
            total += (weight * inputs[example, channel, row * stride + down, column * stride + right]).item()
        assert outputs[example, out, row, column].item() == pytest.approx(total, abs=1e-10)


def test_with_the_same_filters_everywhere_it_is_a_convolution():
    layer, inputs = drawn(LocallyConnected2d(2, 3, (7, 7), 3, stride=2), 4, 2, 7, 7)
    convolution, _ = drawn(nn.Conv2d(2, 3, 3, stride=2), 1)
    layer.weight.data = convolution.weight.data.expand_as(layer.weight)
    layer.bias.data = convolution.bias.data[:, None, None].expand_as(layer.bias)

    torch.testing.assert_close(layer(inputs), convolution(inputs), rtol=1e-10, atol=1e-10)


def test_seeds_trained_together_by_vmap_are_those_trained_alone():
    def build():
        local = [
            nn.CircularPad2d(1),
            LocallyConnected2d(1, 2, (6, 6), 3),
            nn.ReLU(),
            LocallyConnected2d(2, 2, (4, 4), 3),
        ]
        return nn.Sequential(*local, nn.Flatten(), nn.Linear(8, 3))

    assert not stackable(build())
    generator = torch.Generator().manual_seed(2)
    inputs = torch.randn(3, 20, 1, 4, 4, generator=generator, dtype=torch.float64)
    targets = torch.randint(3, (3, 20), generator=generator)
    settings = {"optimiser": Optimiser("sgd", 0.1, 0.9), "steps": 5, "batch_size": 10, "precision": "float64"}

    together, alone = (train(build, inputs, targets, SEEDS, strategy=one, **settings) for one in ("vmap", "loop"))
    untrained = train(build, inputs.float(), targets, SEEDS, optimiser=Optimiser("sgd", 0.1), steps=0, batch_size=10)
    assert untrained.strategy == "vmap"
    for name, values in alone.weights.items():
        torch.testing.assert_close(together.weights[name], values, rtol=1e-10, atol=1e-12)
        assert not torch.allclose(untrained.weights[name].double(), values)
