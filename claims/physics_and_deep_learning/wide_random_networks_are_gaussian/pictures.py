"""Outputs of random networks of three widths over those of a Gaussian, and how couplings fade with width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pictures import Curves, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

NETWORKS = 20_000
WIDTHS = (2, 8, 128)


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    """Draw how often outputs of one hidden layer lie beyond so many standard deviations, by its width."""
    settings, beyond = arms["rectifier_network"], np.linspace(0, 5, 41)
    lines = []
    for width in (*WIDTHS, None):
        sizes = np.ones(NETWORKS)
        if width is not None:
            activation = experiment.neurons(settings["weights"], settings["threshold"], seed.numpy("neurons"))
            last = experiment.last_activations(np.ones((1, 1)), width, 1, activation, NETWORKS, seed.numpy("networks"))
            sizes = (last[..., 0] ** 2).mean(1)
        outputs = np.abs(np.sqrt(sizes) * seed.numpy("outputs").standard_normal(NETWORKS))
        share = (outputs / np.sqrt((outputs**2).mean()) > beyond[:, None]).mean(1)
        lines.append(Line("Gaussian" if width is None else f"{width} neurons", beyond, share))
    title = f"Outputs of {NETWORKS:,} random networks with one hidden layer: large ones are rare in wide networks"
    return Curves(title, "standard deviations", "share of networks beyond", lines, log="y")
