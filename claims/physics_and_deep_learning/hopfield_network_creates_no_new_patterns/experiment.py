"""Where Hopfield networks come to rest that start from mixtures of stored patterns, from inverses, or from damage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fixtures.hopfield import damaged, energy, hebbian, settle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.seeds import Seeds

OFF = {"spins": -1.0, "hopfields_products": 0.0, "plain_products": 0.0}
"""What a silent neuron is. Couplings are sums of products: of +1 and -1, of 2 V - 1 with V 0 or 1, or of V itself."""


def mixtures(patterns: NDArray[np.float64], starts: int, mixed: int, draw: np.random.Generator) -> NDArray[np.float64]:
    """Return for each start what the majority of so many different patterns says, ties by lot, (starts, neurons)."""
    chosen = draw.permuted(np.tile(np.arange(len(patterns)), (starts, 1)), axis=1)[:, :mixed]
    sums = patterns[chosen].sum(axis=1)
    return np.sign(np.where(sums == 0, draw.choice([-1.0, 1.0], sums.shape), sums))


def network(patterns: NDArray[np.float64], couplings: str) -> NDArray[np.float64]:
    """Return the couplings that store patterns of +1 and -1, shape (N, N)."""
    return hebbian(valued(patterns, OFF[couplings]) if couplings == "plain_products" else patterns)


def valued(spins: NDArray[np.float64], off: float) -> NDArray[np.float64]:
    """Return the same states with silent neurons at `off`."""
    return np.where(spins > 0, 1.0, off)


def nearest(patterns: NDArray[np.float64], spins: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the number of the stored pattern that overlaps most with each state, (n_states,)."""
    return (spins @ patterns.T).argmax(axis=1)


def metrics(
    patterns: NDArray[np.float64],
    depths: NDArray[np.float64],
    meant: NDArray[np.float64],
    begin: NDArray[np.float64],
    end: NDArray[np.float64],
) -> dict[str, float]:
    """Return what the starts of one network come to, all states of +1 and -1.

    Args:
        patterns: stored, (stored, N).
        depths: their energies, (stored,).
        meant: the undamaged starts, (starts, N).
        begin: the starts, (starts, N).
        end: where they rest, (starts, N).
    """
    closest = nearest(patterns, begin)
    return {
        "stays": (end * begin).mean(),
        "ends_in_stored_pattern": (end[:, None] == patterns).all(axis=2).any(axis=1).mean(),
        "ends_in_nearest": (end == patterns[closest]).all(axis=1).mean(),
        "nearest_is_lowest": (depths[closest] == depths.min()).mean(),
        "bits_right": (end == meant).mean(),
    }


def measure(
    arm: str,
    seeds: Seeds,
    *,
    neurons: int,
    stored: int,
    mixed: int,
    turned: float,
    couplings: str,
    starts: int,
    most_sweeps: int,
) -> dict[str, NDArray[np.float64]]:
    """Return where the starts of each seed's network end; each metric has shape (n_seeds,).

    A start is the mixture of `mixed` of the stored patterns (one: the pattern) with a share `turned` of its neurons
    reversed, at random; 1 makes it its inverse.
    """
    rows, off = [], OFF[couplings]
    for seed in seeds:
        draw = seed.numpy("patterns")
        patterns = draw.choice([-1.0, 1.0], (stored, neurons))
        meant = mixtures(patterns, starts, mixed, draw)
        begin, weights = damaged(meant, turned, draw), network(patterns, couplings)
        states, _ = settle(weights, valued(begin, off), most_sweeps, seed.numpy("orders"), off=off)
        depths = energy(weights, valued(patterns, off))
        rows.append(metrics(patterns, depths, meant, begin, valued(states, -1.0)))
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}
