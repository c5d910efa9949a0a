"""How starts between stored patterns move: a mixture of three is restored, one of two falls to one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fixtures.hopfield import damaged, settle
from harness.pictures import Curves, Line

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    from harness.seeds import Seed

SWEEPS = 5
DAMAGE = 0.1


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves]:
    """Draw overlaps with the mixture and with what it is made of, sweep by sweep."""
    neurons, draw = arms["mixture_of_three"]["neurons"], seed.numpy("pictures")
    pictures = []
    for mixed, name in ((3, "three"), (2, "two")):
        patterns = draw.choice([-1.0, 1.0], (mixed, neurons))
        mixture = experiment.mixtures(patterns, 1, mixed, draw)
        paths = _overlaps(experiment, patterns, mixture, draw)
        names = ["the mixture", *(f"stored pattern {number}" for number in range(1, mixed + 1))]
        lines = [Line(line, np.arange(SWEEPS + 1), path) for line, path in zip(names, paths, strict=True)]
        title = f"A mixture of the {name} stored patterns, given with a tenth of its neurons reversed"
        pictures.append(Curves(title, "sweep over all neurons", "overlap", lines))
    return pictures


def _overlaps(
    experiment: ModuleType, patterns: NDArray[np.float64], mixture: NDArray[np.float64], draw: np.random.Generator
) -> NDArray[np.float64]:
    """Return overlaps with the mixture and each pattern along the way, (1 + n_patterns, sweeps + 1)."""
    states, weights = damaged(mixture, DAMAGE, draw), experiment.network(patterns, "spins")
    path = [states]
    for _ in range(SWEEPS):
        states, _ = settle(weights, states, 1, draw)
        path.append(states)
    return np.concatenate([mixture, patterns]) @ np.concatenate(path).T / patterns.shape[1]
