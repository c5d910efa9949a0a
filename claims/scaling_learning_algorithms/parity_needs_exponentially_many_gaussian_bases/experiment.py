"""How few Gaussians on a cube compute a Boolean function: search, sparse machines, a construction; and what half a cube teaches."""

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

    from harness.seeds import Seed, Seeds

SOLVER_TOLERANCE = 1e-6  # a margin below this, with coefficients up to 1, is zero: ten times the solver's tolerance

CLEAR_MARGIN = 1e-4  # a margin above this is positive beyond doubt; between the two nothing is decided

SMALLEST_MARGIN = 0.5  # a machine must clear this on every vertex, where its program asks for 1: far above rounding

HARD_MARGIN = 1e6  # box constraint of the support vector machine, never active

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
    """Return the smallest number of Gaussians on corners that compute the target, by trying every set of them.

    A set that computes it still does with another corner, of coefficient zero: so the search begins at half of the corners
    and tries fewer as long as some set does, or else more.
    """
    corners = vertices(dimension)
    kernel, wanted = gaussian(corners, corners, width), labels(target, corners)

    def suffice(size: int) -> bool:
        return any(computes(kernel[:, chosen], wanted) for chosen in subsets(target, dimension, size))

    half = len(corners) // 2
    if suffice(half):
        return next(size for size in range(half, -1, -1) if size == 0 or not suffice(size - 1))
    for size in range(half + 1, len(corners) + 1):
        if suffice(size):
            return size
    raise ArithmeticError("not even all corners together compute the target")


def sparse_machine(target: str, dimension: int, width: float) -> tuple[NDArray[np.float64], float]:
    """Return coefficients, (2^d,), and bias of the machine of smallest sum |a_i| with y (b + K a) >= 1 on all corners.

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
    return positive - negative, float(found.x[-1])


def pruned_centres(target: str, dimension: int, width: float, generator: np.random.Generator) -> NDArray[np.intp]:
    """Return corners that compute the target, by number, none of which can be spared.

    From all corners one after another is taken away, if those that are left still compute the target: first those of
    label -1, then those of label +1, of either first those with fewer ones, and else as `generator` draws.
    """
    corners = vertices(dimension)
    kernel, wanted = gaussian(corners, corners, width), labels(target, corners)
    left = np.lexsort((generator.random(len(corners)), corners.sum(axis=1), wanted))
    for corner in left.copy():
        others = left[left != corner]
        if computes(kernel[:, others], wanted):
            left = others
    return left


def halves(dimension: int, generator: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the corners, by number, of a random half of the cube and those of the other half, each (2^(d-1),)."""
    seen, unseen = np.split(generator.permutation(2**dimension), 2)
    return seen, unseen


def heldout_accuracy(target: str, dimensions: Sequence[int], width: float, splits: int, seed: Seed) -> float:
    """Return the accuracy, mean over dimensions and splits, of a machine trained on half of the corners on the others."""
    generator = seed.numpy("halves")
    shares = []
    for dimension in np.repeat(dimensions, splits):
        corners = vertices(dimension)
        wanted = labels(target, corners)
        seen, unseen = halves(dimension, generator)
        machine = SVC(C=HARD_MARGIN, gamma=1 / (2 * width**2)).fit(corners[seen], wanted[seen])
        shares.append(np.mean(machine.predict(corners[unseen]) == wanted[unseen]))
    return float(np.mean(shares))


def diagonal_centres(dimension: int, width: float, reach: float) -> NDArray[np.float64]:
    """Return d+1 centres (t, ..., t), shape (d+1, d).

    t = 1/2 + width^2 u for u spread evenly over [-reach, reach], so that a vertex with h ones is weighed c exp(u h)
    whatever the width.
    """
    steps = 0.5 + width**2 * np.linspace(-reach, reach, dimension + 1)
    return np.repeat(steps[:, None], dimension, axis=1)


def diagonal_machine(
    target: str, dimension: int, width: float, reach: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return 2^d centres, (2^d, d), and coefficients, (2^d,), that compute the target without a bias.

    The sum has as many terms as the cube has corners. Of its centres d+1 lie on the diagonal, and are all that is used:
    one corner for each number of ones gives a square system, and its solution is checked on all corners. The other
    centres are corners, of coefficient zero.

    Raises:
        ArithmeticError: the machine errs on a corner.
    """
    corners = vertices(dimension)
    wanted = labels(target, corners)
    centres = np.concatenate([diagonal_centres(dimension, width, reach), corners])[: 2**dimension]
    columns = gaussian(corners, centres, width)
    used, staircase = np.arange(dimension + 1), [2**ones - 1 for ones in range(dimension + 1)]
    coefficients = np.zeros(len(centres))
    coefficients[used] = np.linalg.solve(columns[np.ix_(staircase, used)], wanted[staircase])
    if (wanted * (columns @ coefficients)).min() < SMALLEST_MARGIN:
        raise ArithmeticError("the machine on the diagonal errs on a corner")
    return centres, coefficients


def width_of(seed: Seed, narrowest: float, widest: float) -> float:
    """Return a seed's width of all Gaussians, log-uniform between two."""
    return float(np.exp(seed.numpy("width").uniform(np.log(narrowest), np.log(widest))))


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
    splits: int,
) -> dict[str, NDArray[np.float64]]:
    """Return the smallest ratio of bases to 2^(d-1) over `dimensions`, or the mean accuracy on unseen corners, (n_seeds,)."""
    drawn = [(seed, width_of(seed, narrowest, widest)) for seed in seeds]
    if method == "half":
        shares = [heldout_accuracy(target, dimensions, width, splits, seed) for seed, width in drawn]
        return {"heldout_accuracy": np.array(shares)}
    sizes: dict[str, Callable[[int, float, Seed], int]] = {
        "search": lambda dimension, width, _: fewest_by_search(target, dimension, width),
        "sparse": lambda dimension, width, _: np.count_nonzero(sparse_machine(target, dimension, width)[0]),
        "pruned": lambda dimension, width, seed: len(pruned_centres(target, dimension, width, seed.numpy("order"))),
        "diagonal": lambda dimension, width, _: np.count_nonzero(
            diagonal_machine(target, dimension, width, diagonal_reach)[1]
        ),
    }
    ratios = [[sizes[method](bits, width, seed) / 2 ** (bits - 1) for bits in dimensions] for seed, width in drawn]
    return {"bases_over_bound": np.min(ratios, axis=1)}
