"""How long a chain takes to a hidden unit's probability; and covariances of hidden units given a visible state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fixtures.cube import vertices
from harness.pictures import Curves, Images, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

HIDDEN = 12
SHOWN = 4  # pixels a side for each covariance
LARGEST = 0.05  # shown white; black is minus that, grey is none


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves | Images]:
    """Draw the error of the running mean by sweep, and covariances, of both machines given the same visible state."""
    lines, images = [], []
    for arm, settings in arms.items():
        fields, inside = _given(experiment, seed, settings)
        states, chances = vertices(HIDDEN), experiment.probabilities(fields[None], inside)[0]
        exact = chances @ states
        means = experiment.running_means(fields, inside, settings["most_sweeps"], seed.numpy("chain"))
        sweeps = np.unique(np.geomspace(1, len(means), 150).astype(int))
        # What is exact but for rounding is shown at a hundred-thousandth: zero has no place on a logarithmic axis.
        errors = np.maximum(np.abs(means - exact).max(axis=1), 1e-5)[sweeps - 1]
        lines.append(Line(arm.replace("_", " "), sweeps, errors))
        covariances = (states * chances[:, None]).T @ states - np.outer(exact, exact)
        np.fill_diagonal(covariances, 0)
        images.append(np.kron(covariances, np.ones((SHOWN, SHOWN))))
    lines.append(Line("near enough", [1, lines[0].x[-1]], [settings["tolerance"]] * 2))
    title = "Largest error of twelve hidden probabilities by one chain's mean"
    captions = [
        f"{arm.replace('_', ' ')}: up to {np.abs(image).max():.2g}" for arm, image in zip(arms, images, strict=True)
    ]
    shown = "Covariances of hidden units given a visible state: grey is none"
    return [Curves(title, "sweep", "probability", lines, "xy"), Images(shown, captions, images, -LARGEST, LARGEST)]


def _given(experiment: ModuleType, seed: Seed, settings: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return the fields of the hidden units given a random visible state, and the couplings among them."""
    visible = settings["visible"]
    couplings, biases = experiment.machine(seed, visible, HIDDEN, settings["spread"], settings["lateral"])
    pattern = vertices(visible)[seed.numpy("pattern").integers(2**visible)]
    return biases[visible:] + pattern @ couplings[:visible, visible:], couplings[visible:, visible:]
