"""The letter along an orbit, the six directions that it moves in, and how many components its poses take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fixtures.poses import pose
from harness.pictures import Curves, Images, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

REACHES = np.geomspace(0.01, 1.0, 9)
DIRECTIONS = (
    "stretched along x",
    "sheared along x",
    "moved along x",
    "sheared along y",
    "stretched along y",
    "moved along y",
)


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves | Images]:
    """Draw eight poses, the six tangents at the upright letter, and components over reach for letter and brightness."""
    settings = arms["letter"]
    ranges = {name: settings[name] for name in ("rotation", "shear", "scale", "shift")}
    image = experiment.letter(seed, settings["pen"])
    poses = experiment.orbit(image, seed, "affine", 7, 1.0, ranges)
    upright = pose(*torch.zeros(6, 1, dtype=torch.float64))
    tangents = experiment.tangents(image, upright).T.reshape(6, experiment.SIDE, experiment.SIDE)
    counts = {
        moves: [
            experiment.dimensions(
                experiment.orbit(image, seed, moves, settings["poses"], reach, ranges), settings["share"]
            )
            for reach in REACHES
        ]
        for moves in ("affine", "intensity")
    }
    lines = [
        Line("poses of the letter", REACHES, counts["affine"]),
        Line("the letter in other brightness", REACHES, counts["intensity"]),
        Line("six", REACHES[[0, -1]], np.full(2, 6)),
    ]
    return [
        Images("The letter, and seven of its poses", ["upright", *["a pose"] * 7], [image, *poses]),
        Images("What a small move along each of the six directions changes", DIRECTIONS, list(tangents), -1.0, 1.0),
        Curves(
            "How many directions the images take", "reach (share of the poses' ranges)",
            f"principal components for {settings['share']:.0%} of the variance", lines, log="x",
        ),
    ]  # fmt: skip
