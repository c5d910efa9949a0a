"""The images of one letter in many poses: in how many directions they move, and how many it takes to hold them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from fixtures.poses import affine, pose, warped

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from harness.seeds import Seed, Seeds

SIDE = 32
RADIUS = 7.0  # pixels from the middle, where a unit of each linear direction moves ink by one pixel
SPACING = 0.01  # pixels, between the points of a difference and the pose
NOTHING = 0.02  # of the largest singular value: a direction below it moves no ink


def letter(seed: Seed, pen: float) -> Tensor:
    """Return an E of random proportions, (32, 32): a spine and three arms by a soft pen of so many pixels."""
    height, width, at, length = seed.numpy("letter").uniform([11, 7, 0.4, 0.6], [14, 9, 0.6, 0.9])
    left, top = -width / 2, -height / 2
    arms = [(top, width), (top + at * height, length * width), (top + height, width)]
    strokes = [((left, top), (0, height)), *(((left, row), (reach, 0)) for row, reach in arms)]
    rows, columns = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    ink = np.zeros((SIDE, SIDE))
    for (x, y), (dx, dy) in strokes:
        along = np.clip(((columns - x) * dx + (rows - y) * dy) / (dx**2 + dy**2), 0, 1)
        squared = (columns - x - along * dx) ** 2 + (rows - y - along * dy) ** 2
        ink = np.maximum(ink, np.exp(-squared / (2 * pen**2)))
    return torch.from_numpy(ink)


def blob(seed: Seed, pen: float) -> Tensor:
    """Return a round spot of random size, some three times the pen's, (32, 32)."""
    rows, columns = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    return torch.from_numpy(np.exp(-(rows**2 + columns**2) / (2 * (seed.numpy("blob").uniform(2.5, 3.5) * pen) ** 2)))


def tangents(image: Tensor, maps: Tensor) -> Tensor:
    """Return by how much the pixels of an image in a pose, (1, 2, 3), change along six directions, (1024, 6).

    The first four move every pixel by an entry of a matrix times its place in radii, the last two all by one pixel.
    """
    directions = torch.eye(6, dtype=torch.float64).view(6, 2, 3) * torch.tensor([1 / RADIUS, 1 / RADIUS, 1.0])
    onward = [warped(image.expand(6, -1, -1), _after(maps, by * directions)) for by in (SPACING, -SPACING)]
    return ((onward[0] - onward[1]) / (2 * SPACING)).flatten(1).T


def _after(maps: Tensor, move: Tensor) -> Tensor:
    """Return the maps followed by a small one, p to p + move (p, 1)."""
    linear = torch.eye(2, dtype=torch.float64) + move[:, :, :2]
    return linear @ maps + torch.nn.functional.pad(move[:, :, 2:], (2, 0))


def rank(jacobian: Tensor) -> int:
    """Return how many singular values of a Jacobian are more than nothing."""
    values = torch.linalg.svdvals(jacobian)
    return int((values > NOTHING * values[0]).sum())


def orbit(image: Tensor, seed: Seed, moves: str, n: int, reach: float, ranges: dict[str, float]) -> Tensor:
    """Return n images, (n, 32, 32): in poses drawn within `reach` times the ranges, or of another "intensity" each."""
    generator = seed.torch("poses")
    if moves == "intensity":
        return image * (1 + reach * (torch.rand(n, 1, 1, generator=generator, dtype=torch.float64) - 0.5))
    scaled = {name: reach * own for name, own in ranges.items()} | {"scale": ranges["scale"] ** reach}
    return affine(image.expand(n, -1, -1), generator, **scaled)


def dimensions(images: Tensor, share: float) -> int:
    """Return how many principal components have `share` of the images' variance."""
    rows = images.flatten(1)
    variances = torch.linalg.svdvals(rows - rows.mean(0)) ** 2
    return int((variances.cumsum(0) < share * variances.sum()).sum()) + 1


def measure(
    arm: str, seeds: Seeds, *, shape: str, moves: str, reach: float, poses: int, pen: float, share: float, **ranges: float
) -> dict[str, NDArray[np.float64]]:  # fmt: skip
    """Return how many directions an image moves in at a random pose, and how many its poses take, each (n_seeds,)."""
    found = []
    for seed in seeds:
        image = {"letter": letter, "blob": blob}[shape](seed, pen)
        drawn = 0.2 * reach * torch.from_numpy(seed.numpy("pose").uniform(-1, 1, (6, 1)))
        found.append(
            (rank(tangents(image, pose(*drawn))), dimensions(orbit(image, seed, moves, poses, reach, ranges), share))
        )
    ranks, counts = np.array(found, dtype=float).T
    return {"tangent_rank": ranks, "dimensions": counts}
