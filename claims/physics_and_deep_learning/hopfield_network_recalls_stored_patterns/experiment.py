"""Hopfield networks: descent of the energy, recall of damaged patterns, and what becomes of a pattern never stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fixtures.hopfield import damaged, hebbian, pseudo_inverse, settle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.seeds import Seeds

ROUND = {
    "A": ".###. #...# #...# ##### #...# #...# #...#",
    "B": "####. #...# #...# ####. #...# #...# ####.",
    "C": ".###. #...# #.... #.... #.... #...# .###.",
    "D": "####. #...# #...# #...# #...# #...# ####.",
}  # 7 rows of 5 pixels, the usual dot matrix

FONTS = {"round": ROUND, "pointed": ROUND | {"A": "..#.. .#.#. #...# #...# ##### #...# #...#"}}

RULES = {"hebbian": hebbian, "pseudo_inverse": pseudo_inverse}

GIVEN = {"damaged_letter": "A", "unlearned_letter": "D"}
"""Which letter a network that stores A, B and C is given, by task."""


def letters(names: str, font: str) -> NDArray[np.float64]:
    """Return the named letters as +1 (ink) and -1, shape (n_letters, 35)."""
    shapes = [FONTS[font][name].replace(" ", "") for name in names]
    return np.array([[1.0 if pixel == "#" else -1.0 for pixel in shape] for shape in shapes])


def cut(couplings: NDArray[np.float64], kept: float, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return the couplings with each direction of each pair kept with probability `kept`, independently.

    Below 1 the matrix is no longer symmetric (the diluted network of Derrida, Gardner & Zippelius 1987).
    """
    return couplings * (generator.random(couplings.shape) < kept)


def cues(
    task: str, font: str, neurons: int, load: float, flipped: float, starts: int, generator: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the stored patterns, and for every start the pattern meant and the state it starts from.

    `recall`: `load` * `neurons` random patterns are stored, random ones of them are meant.
    `random_state`: the same are stored, random states are meant.
    `damaged_letter`: A, B and C are stored, A is meant; `unlearned_letter`: the same are stored, D is meant.
    Starts are copies of what is meant with a share `flipped`.

    Raises:
        ValueError: `task` is none of these.
    """
    if task in GIVEN:
        patterns, originals = letters("ABC", font), letters(GIVEN[task] * starts, font)
    else:
        patterns = generator.choice([-1.0, 1.0], (round(load * neurons), neurons))
        if task == "recall":
            originals = patterns[generator.integers(len(patterns), size=starts)]
        elif task == "random_state":
            originals = generator.choice([-1.0, 1.0], (starts, neurons))
        else:
            raise ValueError(f"task is {task!r}; give 'recall', 'random_state' or one of {list(GIVEN)}")
    return patterns, originals, damaged(originals, flipped, generator)


def at_rest(couplings: NDArray[np.float64], patterns: NDArray[np.float64]) -> float:
    """Return the share of the patterns of which no neuron disagrees with its field."""
    return float((patterns * (patterns @ couplings.T) >= 0).all(axis=1).mean())


def measure(
    arm: str,
    seeds: Seeds,
    *,
    task: str,
    font: str,
    rule: str,
    load: float,
    neurons: int,
    flipped: float,
    starts: int,
    kept_couplings: float,
    most_sweeps: int,
) -> dict[str, NDArray[np.float64]]:
    """Return what a network makes of its cues, each metric of shape (n_seeds,): claim.yaml says which.

    A seed draws patterns, damage and update orders.
    """
    rows = []
    for seed in seeds:
        patterns, originals, begin = cues(task, font, neurons, load, flipped, starts, seed.numpy("patterns"))
        couplings = cut(RULES[rule](patterns), kept_couplings, seed.numpy("couplings"))
        end, rises = settle(couplings, begin, most_sweeps, seed.numpy("orders"))
        found = {
            "energy_rises": rises,
            "stored_at_rest": at_rest(couplings, patterns),
            "overlap_at_start": (begin * originals).mean(),
            "overlap_with_original": (end * originals).mean(),
            "restored": (end == originals).all(axis=1).mean(),
            "ends_in_stored_pattern": (end[:, None] == patterns[None]).all(axis=2).any(axis=1).mean(),
        }
        rows.append(found)
    return {name: np.array([row[name] for row in rows], dtype=np.float64) for name in rows[0]}
