"""What one pixel of shift does to the maps of an untrained convolutional network, with and without a pool on top."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from fixtures import mnist
from harness.training import LocallyConnected2d, Optimiser, Recipe, train

if TYPE_CHECKING:
    from torch import Tensor

    from harness.seeds import Seeds
    from harness.training import Ensemble

SIDE = 28

PADDINGS = {"circular": nn.CircularPad2d, "zeros": nn.ZeroPad2d}


def anywhere(seeds: Seeds, images: int) -> Tensor:
    """Return digits of every seed, each moved to a random place around the torus, (n_seeds, images, 1, 28, 28)."""
    digits = mnist.draw(seeds, images, 0).images().train[0]
    places = [seed.numpy("places").integers(SIDE, size=(images, 2)).tolist() for seed in seeds]
    moves = [
        torch.stack([digit.roll(to, (-2, -1)) for digit, to in zip(own, tos, strict=True)])
        for own, tos in zip(digits, places, strict=True)
    ]
    return torch.stack(moves)


def moved(maps: Tensor, pixels: int) -> Tensor:
    """Return the maps moved to the right around the torus."""
    return maps.roll(pixels, -1)


def pool_layer(pooling: str, pool: int) -> nn.MaxPool2d:
    """Return a layer that leaves one number of each pool of pool x pool places.

    "max": the largest; "subsampling": the one in its corner; "overlapping": the largest, with a pool at every place.
    """
    window, stride = {"max": (pool, pool), "subsampling": (1, pool), "overlapping": (pool, 1)}[pooling]
    return nn.MaxPool2d(window, stride)


def network(channels: int, kernel: int, weights: str, padding: str, pooling: str, pool: int) -> nn.Sequential:
    """Return two layers of filters and rectifiers that keep the size of the map, and a pool."""
    layers: list[nn.Module] = []
    for before, after in pairwise((1, channels, channels)):
        framed = SIDE + 2 * (kernel // 2)
        filters = {
            "shared": nn.Conv2d(before, after, kernel),
            "own": LocallyConnected2d(before, after, (framed, framed), kernel),
        }[weights]
        layers += [PADDINGS[padding](kernel // 2), filters, nn.ReLU()]
    return nn.Sequential(*layers, pool_layer(pooling, pool))


def untrained(seeds: Seeds, images: Tensor, **design: Any) -> Ensemble:
    """Return one network per seed whose weights are drawn (He et al. 2015) and stay so; the same for every pool.

    In float64, where what is equal in theory is equal to some 1e-16.
    """
    recipe = Recipe(Optimiser("sgd", 1.0), len(images[0]), steps=0, initialiser="he", precision="float64")
    # `train` asks for classes: each number of the maps is one, and none is ever learned.
    classes = torch.zeros(images.shape[:2], dtype=torch.int64)
    return train(lambda: nn.Sequential(*network(**design), nn.Flatten()), images, classes, seeds, recipe=recipe)


def maps_of(networks: Ensemble, images: Tensor) -> Tensor:
    """Return the maps after the pool, (n_seeds, n, channels, height, width)."""
    return networks.features(images, len(networks.module) - 1)


def relative(difference: Tensor, maps: Tensor) -> np.ndarray:
    """Return the size of a difference over that of the maps, all images together, (n_seeds,)."""
    return (difference.flatten(1).norm(dim=1) / maps.flatten(1).norm(dim=1)).numpy()


def measure(arm: str, seeds: Seeds, *, images: int, **design: Any) -> dict[str, np.ndarray]:
    """Return what a move of the images by one pixel does to the maps, and what the pool saves, each (n_seeds,).

    A convolution costs the same at each of its places, so that it is saved as often as places are.
    """
    given = anywhere(seeds, images)
    networks = untrained(seeds, given, **design)
    before, after = maps_of(networks, given), maps_of(networks, moved(given, 1))
    places = before[0, 0, 0].numel()
    return {
        "equivariance_error": relative(after - moved(before, 1), before),
        "change": relative(after - before, before),
        "saved_factor": np.full(len(seeds), SIDE**2 / places),
    }
