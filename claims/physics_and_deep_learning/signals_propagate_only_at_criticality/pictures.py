"""A small difference on its way through the layers, and how signals of networks of two shapes come to differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pictures import Curves, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

NETWORKS = 20


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves]:
    """Draw typical differences layer by layer, and the spread of signals over networks."""
    layers, typical, spread = np.arange(1, 51), [], []
    for name, settings in arms.items():
        for variance in (0.57, 1.0, 1.7):
            generator = seed.numpy("networks")
            _, changes = experiment.squares(settings["activation"], variance, 100, 50, NETWORKS, generator)
            line = np.exp(np.log(changes / changes[0]).mean(axis=1))
            typical.append(Line(f"{name}, {variance} of the critical variance", layers, line))
    for width in (10, 100, 400):
        values, _ = experiment.squares("rectifier", 1.0, width, 50, NETWORKS, seed.numpy("networks"))
        spread.append(Line(f"{width} neurons", layers, np.log(values).var(axis=1, ddof=1)))
    return [
        Curves(
            f"A small difference of two inputs through random networks of 100 neurons a layer ({NETWORKS} networks)",
            "layer",
            "squared difference over that at layer 1",
            typical,
            log="y",
        ),
        Curves(
            "How much rectifier networks at the critical point differ from each other",
            "layer",
            "variance of the log of the squared signal",
            spread,
        ),
    ]
