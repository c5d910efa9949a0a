"""Hopfield networks: descent of the energy, recall of damaged patterns, and what becomes of a pattern never stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.seeds import Seeds

LETTERS = {
    "A": ".###. #...# #...# ##### #...# #...# #...#",
    "B": "####. #...# #...# ####. #...# #...# ####.",
    "C": ".###. #...# #.... #.... #.... #...# .###.",
    "D": "####. #...# #...# #...# #...# #...# ####.",
}  # 7 rows of 5 pixels, the usual dot matrix

ENERGY_ROUNDING = 1e-9  # a rise below this is rounding; energies are of the order of the number of neurons or above


def letters(names: str) -> NDArray[np.float64]:
    """Return the named letters as +1 (ink) and -1, shape (n_letters, 35)."""
    return np.array([[1.0 if pixel == "#" else -1.0 for pixel in LETTERS[name].replace(" ", "")] for name in names])


def hebbian(patterns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the couplings sum_p xi_i xi_j with zero diagonal, shape (N, N) (Hopfield 1982, eq. 2).

    They are whole numbers, so fields and energies are exact and a tie is a tie on every machine.
    """
    couplings = patterns.T @ patterns
    np.fill_diagonal(couplings, 0)
    return couplings


def pseudo_inverse(patterns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the projection on the span of the patterns with zero diagonal, shape (N, N) (Personnaz et al. 1985)."""
    couplings = np.linalg.pinv(patterns) @ patterns
    couplings = (couplings + couplings.T) / 2  # symmetric to the last bit
    np.fill_diagonal(couplings, 0)
    return couplings


RULES = {"hebbian": hebbian, "pseudo_inverse": pseudo_inverse}


def cut(couplings: NDArray[np.float64], kept: float, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return the couplings with each direction of each pair kept with probability `kept`, independently.

    Below 1 the matrix is no longer symmetric (the diluted network of Derrida, Gardner & Zippelius 1987).
    """
    return couplings * (generator.random(couplings.shape) < kept)


def damaged(patterns: NDArray[np.float64], share: float, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return the patterns with a random `share` of each one's pixels flipped (rounded to a whole number)."""
    flipped = generator.permuted(np.arange(patterns.shape[1]) + np.zeros_like(patterns), axis=1)
    return np.where(flipped < round(share * patterns.shape[1]), -patterns, patterns)


def energy(couplings: NDArray[np.float64], states: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return -1/2 s^T W s for each state s, shape (n_states,) (Hopfield 1982, eq. 7)."""
    return -0.5 * np.einsum("si,ij,sj->s", states, couplings, states, optimize=True)


def settle(
    couplings: NDArray[np.float64], starts: NDArray[np.float64], most_sweeps: int, generator: np.random.Generator
) -> tuple[NDArray[np.float64], int]:
    """Return the states after asynchronous updates, shape (n_starts, N), and how many updates raised the energy.

    One neuron at a time takes the sign of its field; a field of zero leaves it alone. In each sweep every start visits
    its neurons in a random order of its own; the sweeps end when one changes nothing.

    Args:
        couplings: shape (N, N), zero diagonal.
        starts: +1 or -1, shape (n_starts, N).
        most_sweeps: after which to stop in any case (an asymmetric network may never rest).
        generator: of the orders.
    """
    states, towards = starts.copy(), np.ascontiguousarray(couplings.T)
    rows, rises = np.arange(len(states)), 0
    for _ in range(most_sweeps):
        before = states.copy()
        orders = generator.permuted(np.tile(np.arange(states.shape[1]), (len(states), 1)), axis=1)
        for neurons in orders.T:
            field = np.einsum("si,si->s", couplings[neurons], states)
            turning = rows[field * states[rows, neurons] < 0]
            if turning.size:
                rises += count_rises(couplings, towards, states[turning], neurons[turning])
                states[turning, neurons[turning]] *= -1
        if (states == before).all():
            break
    return states, rises


def count_rises(
    couplings: NDArray[np.float64],
    towards: NDArray[np.float64],
    states: NDArray[np.float64],
    neurons: NDArray[np.int64],
) -> int:
    """Return in how many states flipping the named neuron raises the energy.

    With zero diagonal a flip of s_i changes -1/2 s^T W s by s_i ((W s)_i + (W^T s)_i), symmetric or not.

    Args:
        couplings: W, shape (N, N).
        towards: its transpose.
        states: before the flip, shape (n_states, N).
        neurons: the one to flip in each state, shape (n_states,).
    """
    both = couplings[neurons] + towards[neurons]
    change = states[np.arange(len(states)), neurons] * np.einsum("si,si->s", both, states)
    return int((change > ENERGY_ROUNDING).sum())


def cues(
    task: str, neurons: int, load: float, flipped: float, starts: int, generator: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the stored patterns, and for every start the pattern meant and the state it starts from.

    `recall`: `load` * `neurons` random patterns are stored, starts are copies of random ones with a share `flipped`.
    `random_state`: the same are stored, starts are random states.
    `letter`: A, B and C are stored, starts are perfect Ds.

    Raises:
        ValueError: `task` is none of these.
    """
    if task == "letter":
        originals = np.repeat(letters("D"), starts, axis=0)
        return letters("ABC"), originals, originals
    patterns = generator.choice([-1.0, 1.0], (round(load * neurons), neurons))
    if task == "random_state":
        originals = generator.choice([-1.0, 1.0], (starts, neurons))
        return patterns, originals, originals
    if task == "recall":
        originals = patterns[generator.integers(len(patterns), size=starts)]
        return patterns, originals, damaged(originals, flipped, generator)
    raise ValueError(f"task is {task!r}; give 'recall', 'random_state' or 'letter'")


def measure(
    arm: str,
    seeds: Seeds,
    *,
    task: str,
    rule: str,
    load: float,
    neurons: int,
    flipped: float,
    starts: int,
    kept_couplings: float,
    most_sweeps: int,
) -> dict[str, NDArray[np.float64]]:
    """Return per seed the energy rises, the overlap with the pattern meant, and the share that ends in a stored one.

    A seed draws patterns, damage and update orders; each metric has shape (n_seeds,).
    """
    rows = []
    for seed in seeds:
        patterns, originals, begin = cues(task, neurons, load, flipped, starts, seed.numpy("patterns"))
        couplings = cut(RULES[rule](patterns), kept_couplings, seed.numpy("couplings"))
        end, rises = settle(couplings, begin, most_sweeps, seed.numpy("orders"))
        overlap = (end * originals).mean()
        stored = (end[:, None] == patterns[None]).all(axis=2).any(axis=1).mean()
        rows.append((rises, overlap, stored))
    table = np.array(rows, dtype=np.float64)
    return dict(zip(("energy_rises", "overlap_with_original", "ends_in_stored_pattern"), table.T, strict=True))
