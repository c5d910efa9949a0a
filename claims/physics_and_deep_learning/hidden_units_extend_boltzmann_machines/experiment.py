"""What Boltzmann machines of three visible bits can have, by counting states; and what a Hopfield network at a temperature has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, rel_entr, softmax

from fixtures.cube import vertices
from fixtures.hopfield import energy, glauber, hebbian

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.seeds import Seed, Seeds

STATES = vertices(3).astype(np.float64)

TARGETS = {
    "even_parity": (1 - STATES.sum(axis=1) % 2) / 4,
    "ising_ring": softmax((2 * STATES - 1).sum(axis=1) ** 2 / 2),  # exp(s1 s2 + s1 s3 + s2 s3), but for a factor
}


def visible_terms(*, pairs: bool) -> NDArray[np.float64]:
    """Return what visible parameters are multiplied by in each state: units, and products of two, (8, 3 or 6)."""
    products = [STATES[:, i] * STATES[:, j] for i, j in ((0, 1), (0, 2), (1, 2))]
    return np.column_stack([STATES, *products]) if pairs else STATES


def log_weights(
    parameters: NDArray[np.float64], terms: NDArray[np.float64], hidden: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ln sum_h exp(-energy(v, h)) of each visible state v, (8,), and its slopes, (8, n_parameters).

    Parameters are those of `terms`, then couplings of the three visible to the hidden units and these ones' biases, (4, hidden).
    """
    visible, weights = np.split(parameters, [terms.shape[1]])
    inputs = np.column_stack([STATES, np.ones(len(STATES))])
    fields = inputs @ weights.reshape(4, hidden)
    slopes = (inputs[:, :, None] * expit(fields)[:, None, :]).reshape(len(STATES), 4 * hidden)
    return terms @ visible + np.logaddexp(0, fields).sum(axis=1), np.column_stack([terms, slopes])


def divergence(
    parameters: NDArray[np.float64], target: NDArray[np.float64], terms: NDArray[np.float64], hidden: int
) -> tuple[float, NDArray[np.float64]]:
    """Return the Kullback-Leibler divergence of the target from the machine, in nats, and its gradient.

    The gradient is the machine's mean of the slopes less the target's (Ackley, Hinton & Sejnowski 1985).
    """
    logs, slopes = log_weights(parameters, terms, hidden)
    return float(rel_entr(target, 1).sum() - target @ log_softmax(logs)), (softmax(logs) - target) @ slopes


def fit(seed: Seed, *, target: str, pairs: bool, hidden: int, starts: int, spread: float, **_: Any) -> Any:
    """Return the best end, of several random starts, of scipy's quasi-Newton descent: `fun` its divergence, `x` where."""
    given = TARGETS[target], visible_terms(pairs=pairs), hidden
    begins = spread * seed.numpy("starts").standard_normal((starts, given[1].shape[1] + 4 * hidden))
    options = {"maxiter": 1000, "ftol": 1e-12, "gtol": 1e-8}
    ends = [minimize(divergence, begin, given, jac=True, method="L-BFGS-B", options=options) for begin in begins]
    return min(ends, key=lambda end: end.fun)


def constructed(target: str, hidden: int, depth: float) -> NDArray[np.float64]:
    """Return parameters whose k-th hidden unit has the field depth (1 - 2 distance) at distance from the target's k-th state."""
    chosen = STATES[TARGETS[target] > 0][:hidden]
    signs = 2 * chosen - 1
    biases = depth - 2 * depth * chosen.sum(axis=1)
    return np.concatenate([np.zeros(3), np.vstack([2 * depth * signs.T, biases]).ravel()])


def network(seed: Seed, neurons: int, stored: int, couplings: str) -> NDArray[np.float64]:
    """Return Hebb's couplings of random patterns, over the number of neurons, (neurons, neurons).

    One way, each neuron heeds those after it alone, and twice as much: -1/2 s^T W s is the same.
    """
    weights = hebbian(seed.numpy("patterns").choice([-1.0, 1.0], (stored, neurons))) / neurons
    return {"symmetric": weights, "one_way": 2 * np.triu(weights)}[couplings]


def boltzmann(couplings: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Return exp(-energy / T) / Z of all states, in the order of `vertices`, (2^neurons,)."""
    return softmax(-energy(couplings, 2.0 * vertices(len(couplings)) - 1) / temperature)


def frequencies(
    seed: Seed, weights: NDArray[np.float64], temperature: float, *, chains: int, burn_in: int, sweeps: int, **_: Any
) -> NDArray[np.float64]:
    """Return how often states are met after each sweep, in the order of `vertices`, (2^neurons,)."""
    draw, neurons = seed.numpy("chains"), len(weights)
    states = glauber(weights, temperature, draw.choice([-1.0, 1.0], (chains, neurons)), burn_in, draw)
    counts, places = np.zeros(2**neurons), 2 ** np.arange(neurons)[::-1]
    for _sweep in range(sweeps):
        states = glauber(weights, temperature, states, 1, draw)
        counts += np.bincount((states > 0) @ places, minlength=len(counts))
    return counts / counts.sum()


def sampled(
    seed: Seed, *, neurons: int, stored: int, couplings: str, temperature: float, **lengths: Any
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the frequencies of states that updates of a Hopfield network leave, and what its energy says of them."""
    weights = network(seed, neurons, stored, couplings)
    return frequencies(seed, weights, temperature, **lengths), boltzmann(weights, temperature)


def built(_seed: Seed, *, target: str, pairs: bool, hidden: int, depth: float, **_: Any) -> float:
    """Return the divergence of the construction, which is the same for every seed."""
    parameters = constructed(target, hidden, depth)
    return divergence(parameters, TARGETS[target], visible_terms(pairs=pairs), hidden)[0]


TASKS = {
    "fit": lambda seed, **settings: fit(seed, **settings).fun,
    "construct": built,
    "sample": lambda seed, **settings: rel_entr(*sampled(seed, **settings)).sum(),
}


def measure(arm: str, seeds: Seeds, *, task: str, **settings: Any) -> dict[str, NDArray[np.float64]]:
    """Return the divergence of each seed, (n_seeds,), by the arm's task."""
    return {"divergence": np.array([TASKS[task](seed, **settings) for seed in seeds])}
