"""What one layer of a Boltzmann machine is given the other: its probabilities by counting states, and how long a chain takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, softmax

from fixtures.cube import vertices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.seeds import Seed, Seeds


def machine(
    seed: Seed, visible: int, hidden: int, spread: float, lateral: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return normal couplings, symmetric without diagonal, and biases, visible units first; within layers times `lateral`."""
    units = visible + hidden
    couplings = np.triu(spread * seed.numpy("couplings").standard_normal((units, units)), 1)
    couplings[:visible, :visible] *= lateral
    couplings[visible:, visible:] *= lateral
    return couplings + couplings.T, spread * seed.numpy("biases").standard_normal(units)


def probabilities(fields: NDArray[np.float64], lateral: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of each state of a layer, (n, 2^units), states in the order of `vertices`.

    The energy of a state s of zeros and ones is -f s - 1/2 s L s.

    Args:
        fields: what the other layer and the biases make, a row for each state of the other layer, (n, units).
        lateral: couplings within the layer, (units, units).
    """
    states = vertices(len(lateral))
    return softmax(fields @ states.T + 0.5 * ((states @ lateral) * states).sum(axis=1), axis=1)


def dependence(fields: NDArray[np.float64], lateral: NDArray[np.float64]) -> tuple[float, float]:
    """Return the largest covariance of two units, and the largest error of the product of sigmoids, over all rows."""
    states, chances = vertices(len(lateral)), probabilities(fields, lateral)
    means, pairs = chances @ states, np.triu_indices(len(lateral), 1)
    together = chances @ (states[:, pairs[0]] * states[:, pairs[1]])
    products = np.where(states == 1, expit(fields)[:, None], expit(-fields)[:, None]).prod(axis=2)
    covariances = together - means[:, pairs[0]] * means[:, pairs[1]]
    return float(np.abs(covariances).max()), float(np.abs(chances - products).max())


def running_means(
    fields: NDArray[np.float64], lateral: NDArray[np.float64], sweeps: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return the mean of each unit's probability given the others, after each sweep of Gibbs sampling, (sweeps, units).

    One chain from a random state; of a unit's turn its probability is averaged, not the state that is drawn with it.

    Args:
        fields: of each unit, (units,).
        lateral: couplings within the layer, (units, units).
        sweeps: how often each unit has its turn.
        generator: of the start and the draws.
    """
    units = len(fields)
    conditionals = expit(fields + vertices(units) @ lateral).tolist()  # by state and unit
    places = [1 << place for place in reversed(range(units))]
    state, seen = int(generator.integers(2**units)), []
    for draws in generator.random((sweeps, units)).tolist():
        for unit, (place, draw) in enumerate(zip(places, draws, strict=True)):
            chance = conditionals[state][unit]
            seen.append(chance)
            state = state | place if draw < chance else state & ~place
    return np.cumsum(np.reshape(seen, (sweeps, units)), axis=0) / np.arange(1, sweeps + 1)[:, None]


def settled(means: NDArray[np.float64], exact: NDArray[np.float64], tolerance: float) -> int:
    """Return the first sweep from which all means stay within the tolerance; the number of sweeps where none does."""
    far = np.flatnonzero((np.abs(means - exact) > tolerance).any(axis=1))
    return min(int(far[-1]) + 2, len(means)) if far.size else 1


def measure(
    arm: str,
    seeds: Seeds,
    *,
    visible: int,
    hidden: int,
    spread: float,
    lateral: float,
    tolerance: float,
    most_sweeps: int,
) -> dict[str, NDArray[np.float64]]:
    """Return dependence within layers, and the sweeps that one visible state's hidden means take, each (n_seeds,)."""
    rows = []
    for seed in seeds:
        couplings, biases = machine(seed, visible, hidden, spread, lateral)
        between, inside = couplings[:visible, visible:], couplings[visible:, visible:]
        fields = biases[visible:] + vertices(visible) @ between
        back = biases[:visible] + vertices(hidden) @ between.T
        parts = dependence(fields, inside), dependence(back, couplings[:visible, :visible])
        given = fields[seed.numpy("pattern").integers(len(fields))]
        exact = probabilities(given[None], inside)[0] @ vertices(hidden)
        means = running_means(given, inside, most_sweeps, seed.numpy("chain"))
        rows.append([*np.max(parts, axis=0), settled(means, exact, tolerance)])
    names = ("largest_covariance", "factorization_error", "sweeps_needed")
    return dict(zip(names, np.array(rows).T, strict=True))
