"""How few Gaussians on a cube compute a Boolean function: exhaustive search, trained machines, a construction."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, permutations
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog
from sklearn.svm import SVC

from fixtures.cube import majority, parity, vertices

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from harness.seeds import Seeds

SOLVER_TOLERANCE = 1e-6  # a margin below this, with coefficients up to 1, is zero: ten times the solver's tolerance

CLEAR_MARGIN = 1e-4  # a margin above this is positive beyond doubt; between the two nothing is decided

SMALLEST_MARGIN = 0.5  # a machine must clear this on every vertex, where its program asks for 1: far above rounding

HARD_MARGIN = 1e12  # box constraint of the support vector machine, never active


TARGETS = {"parity": parity, "majority": majority}


def labels(target: str, corners: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the target's +1 or -1 per corner, shape (2^d,).

    Raises:
        ValueError: `target` is neither `parity` nor `majority`.
    """
    if target not in TARGETS:
        raise ValueError(f"target is {target!r}; give one of {', '.join(TARGETS)}")
    return TARGETS[target](corners)


def gaussian(points: NDArray[np.float64], centres: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Return exp(-|x - c|^2 / (2 width^2)), shape (n_points, n_centres)."""
    return np.exp(-((points[:, None] - centres[None]) ** 2).sum(axis=2) / (2 * width**2))


@lru_cache(maxsize=32)
def symmetries(target: str, dimension: int) -> NDArray[np.int64]:
    """Return the symmetries of the cube that keep the target up to its sign, as permutations of corners.

    Shape (n_symmetries, 2^d). Gaussians of one width see distances only, and the sign can go into the coefficients: a
    set of centres therefore does what its image does.
    """
    corners = vertices(dimension)
    wanted = labels(target, corners)
    powers = 2 ** np.arange(dimension)[::-1]
    images = [(corners[:, order] ^ flip) @ powers for order in permutations(range(dimension)) for flip in corners]
    return np.array([image for image in images if abs(wanted[image] @ wanted) == len(corners)])


@lru_cache(maxsize=128)
def subsets(target: str, dimension: int, size: int) -> tuple[tuple[int, ...], ...]:
    """Return one set of `size` corners for each class of sets that the symmetries carry into each other."""
    sets = np.array(list(combinations(range(2**dimension), size)), dtype=np.int64)  # (n_sets, size)
    images = symmetries(target, dimension)[:, sets]  # (n_symmetries, n_sets, size)
    smallest_image = (1 << images).sum(axis=2).min(axis=0)
    _, representatives = np.unique(smallest_image, return_index=True)
    return tuple(tuple(int(corner) for corner in sets[row]) for row in representatives)


def computes(columns: NDArray[np.float64], wanted: NDArray[np.int64]) -> bool:
    """Return whether some combination of the columns and a bias has the wanted sign on every corner.

    The linear program: maximise the margin t with y (b + K a) >= t and all coefficients within [-1, 1]. It always has
    a solution; its t is positive if such a combination exists and zero if not.

    Args:
        columns: kernel values, shape (2^d, n_bases).
        wanted: +1 or -1, shape (2^d,).

    Raises:
        ArithmeticError: the program stopped without a solution, or with one too near to zero to be told from it.
    """
    signed = wanted[:, None] * np.column_stack([columns, np.ones(len(wanted))])
    system = np.column_stack([-signed, np.ones(len(wanted))])
    cost = np.append(np.zeros(signed.shape[1]), -1)
    found = linprog(cost, A_ub=system, b_ub=np.zeros(len(wanted)), bounds=(-1, 1), method="highs")
    margin = (signed @ found.x[:-1]).min() if found.status == 0 else np.nan
    if not (margin < SOLVER_TOLERANCE or margin > CLEAR_MARGIN):
        raise ArithmeticError(f"linear program undecided: margin {margin:.1e}, {found.message}")
    return bool(margin > CLEAR_MARGIN)


def fewest_by_search(target: str, dimension: int, width: float) -> int:
    """Return the smallest number of Gaussians on corners that compute the target, by trying every set of them."""
    corners = vertices(dimension)
    kernel, wanted = gaussian(corners, corners, width), labels(target, corners)
    for size in range(len(corners) + 1):
        if any(computes(kernel[:, chosen], wanted) for chosen in subsets(target, dimension, size)):
            return size
    raise ArithmeticError("not even all corners together compute the target")


def sparse_machine_size(target: str, dimension: int, width: float) -> int:
    """Return the number of Gaussians in the machine of smallest sum |a_i| with y (b + K a) >= 1 on all corners.

    A vertex of the linear program's polytope has exact zeros (the 1-norm machine of Bradley & Mangasarian 1998).

    Raises:
        ArithmeticError: the program has no solution, or one that does not stand the check.
    """
    corners = vertices(dimension)
    wanted = labels(target, corners)
    signed = wanted[:, None] * gaussian(corners, corners, width)
    system = np.column_stack([signed, -signed, wanted])
    cost = np.append(np.ones(2 * len(corners)), 0)
    bounds = [(0, None)] * (2 * len(corners)) + [(None, None)]
    found = linprog(cost, A_ub=-system, b_ub=-np.ones(len(corners)), bounds=bounds, method="highs-ds")
    if found.status != 0 or (system @ found.x).min() < SMALLEST_MARGIN:
        raise ArithmeticError(f"no sparse machine: {found.message}")
    positive, negative = np.split(found.x[:-1], 2)
    return int(np.count_nonzero(positive - negative))


def support_vectors(target: str, dimension: int, width: float) -> int:
    """Return the number of support vectors of the hard-margin machine trained on all corners.

    Raises:
        ArithmeticError: the machine errs on a corner.
    """
    corners = vertices(dimension)
    wanted = labels(target, corners)
    machine = SVC(C=HARD_MARGIN, gamma=1 / (2 * width**2)).fit(corners, wanted)
    if (wanted * machine.decision_function(corners)).min() < SMALLEST_MARGIN:
        raise ArithmeticError("the support vector machine errs on a corner")
    return int(machine.n_support_.sum())


def diagonal_centres(dimension: int, width: float, reach: float) -> NDArray[np.float64]:
    """Return d+1 centres (t, ..., t), shape (d+1, d).

    t = 1/2 + width^2 u for u spread evenly over [-reach, reach], so that a vertex with h ones is weighed c exp(u h)
    whatever the width.
    """
    steps = 0.5 + width**2 * np.linspace(-reach, reach, dimension + 1)
    return np.repeat(steps[:, None], dimension, axis=1)


def diagonal_machine_size(target: str, dimension: int, width: float, reach: float) -> int:
    """Return the number of Gaussians on the diagonal, d+1, that compute the target without a bias.

    One corner for each number of ones gives a square system, and its solution is checked on all corners.

    Raises:
        ArithmeticError: the machine errs on a corner.
    """
    corners = vertices(dimension)
    wanted = labels(target, corners)
    columns = gaussian(corners, diagonal_centres(dimension, width, reach), width)
    staircase = [2**ones - 1 for ones in range(dimension + 1)]
    coefficients = np.linalg.solve(columns[staircase], wanted[staircase])
    if (wanted * (columns @ coefficients)).min() < SMALLEST_MARGIN:
        raise ArithmeticError("the machine on the diagonal errs on a corner")
    return int(np.count_nonzero(coefficients))


def measure(
    arm: str,
    seeds: Seeds,
    *,
    method: str,
    dimensions: Sequence[int],
    target: str,
    narrowest: float,
    widest: float,
    diagonal_reach: float,
) -> dict[str, NDArray[np.float64]]:
    """Return the smallest ratio of bases to 2^(d-1) over `dimensions`, shape (n_seeds,); a seed draws the width."""
    sizes: dict[str, Callable[[int, float], int]] = {
        "search": lambda dimension, width: fewest_by_search(target, dimension, width),
        "sparse": lambda dimension, width: sparse_machine_size(target, dimension, width),
        "svm": lambda dimension, width: support_vectors(target, dimension, width),
        "diagonal": lambda dimension, width: diagonal_machine_size(target, dimension, width, diagonal_reach),
    }
    widths = [np.exp(seed.numpy("width").uniform(np.log(narrowest), np.log(widest))) for seed in seeds]
    ratios = [[sizes[method](dimension, width) / 2 ** (dimension - 1) for dimension in dimensions] for width in widths]
    return {"bases_over_bound": np.min(ratios, axis=1)}
