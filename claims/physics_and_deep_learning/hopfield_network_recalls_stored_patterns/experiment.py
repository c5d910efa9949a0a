"""Hopfield networks: descent of the energy, recall of damaged patterns, and what becomes of a pattern never stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fixtures.hopfield import damaged, hebbian, pseudo_inverse, settle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.seeds import Seeds

LETTERS = {
    "A": ".###. #...# #...# ##### #...# #...# #...#",
    "B": "####. #...# #...# ####. #...# #...# ####.",
    "C": ".###. #...# #.... #.... #.... #...# .###.",
    "D": "####. #...# #...# #...# #...# #...# ####.",
}  # 7 rows of 5 pixels, the usual dot matrix

RULES = {"hebbian": hebbian, "pseudo_inverse": pseudo_inverse}


def letters(names: str) -> NDArray[np.float64]:
    """Return the named letters as +1 (ink) and -1, shape (n_letters, 35)."""
    return np.array([[1.0 if pixel == "#" else -1.0 for pixel in LETTERS[name].replace(" ", "")] for name in names])


def cut(couplings: NDArray[np.float64], kept: float, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return the couplings with each direction of each pair kept with probability `kept`, independently.

    Below 1 the matrix is no longer symmetric (the diluted network of Derrida, Gardner & Zippelius 1987).
    """
    return couplings * (generator.random(couplings.shape) < kept)


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
