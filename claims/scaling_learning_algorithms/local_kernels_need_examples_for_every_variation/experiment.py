"""How many examples learners take for targets of more and more variations: stripes on a line, squares of a checkerboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import KDTree
from sklearn.svm import SVC

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from harness.seeds import Seeds

    Predict = Callable[[NDArray[np.float64]], NDArray[np.bool_]]

SIZES = [2**doublings for doublings in range(1, 13)]  # numbers of examples that are tried

SIDES = {"stripes": (512,), "checkerboard": (36, 36)}
"""Test points along each axis: an even grid, so that accuracy is an area and not a sample."""


def colours(points: NDArray[np.float64], fields: int) -> NDArray[np.bool_]:
    """Return the colour of the field that each point of the unit cube lies in, with so many fields along each axis, (n,)."""
    return np.floor(points * fields).sum(axis=1) % 2 == 1


def inputs(points: NDArray[np.float64], fields: int, *, period_known: bool) -> NDArray[np.float64]:
    """Return what a learner sees of the points; the unit of length is the side of a field.

    Places; or, where it knows the period, which is two fields, the place in it, on a circle of that circumference for
    each axis. A Gaussian kernel of these is periodic.
    """
    if not period_known:
        return points * fields
    phases = np.pi * fields * points
    return np.hstack([np.cos(phases), np.sin(phases)]) / np.pi


def gaussian_machine(seen: NDArray[np.float64], known: NDArray[np.bool_], width: float, cost: float) -> Predict:
    """Return the predictions of a support vector machine, or the only colour that there was."""
    if known.all() or not known.any():
        return lambda new: np.full(len(new), known[0])
    return SVC(C=cost, gamma=1 / (2 * width**2)).fit(seen, known).predict


def nearest_neighbour(seen: NDArray[np.float64], known: NDArray[np.bool_], *_: float) -> Predict:
    """Return the colour of the nearest example."""
    tree = KDTree(seen)
    return lambda new: known[tree.query(new)[1]]


LEARNERS = {"gaussian_machine": gaussian_machine, "nearest_neighbour": nearest_neighbour}


def passing_size(accuracy: Callable[[int], float], wanted: float) -> float:
    """Return the number of examples at which the accuracy first passes what is wanted, on a line over the logarithm.

    Raises:
        ArithmeticError: it does so with the fewest examples already, or not even with the most.
    """
    before, below = 0, 0.0
    for size in SIZES:
        reached = accuracy(size)
        if reached >= wanted and before:
            share = (wanted - below) / (reached - below)
            return float(before * (size / before) ** share)
        if reached >= wanted:
            break
        before, below = size, reached
    raise ArithmeticError(f"an accuracy of {wanted} is not passed between {SIZES[0]} and {SIZES[-1]} examples")


def measure(
    arm: str,
    seeds: Seeds,
    *,
    variations: int,
    target: str,
    learner: str,
    period_known: bool,
    accuracy: float,
    redraws: int,
    width: float,
    cost: float,
) -> dict[str, NDArray[np.float64]]:
    """Return how many examples take the mean accuracy over redraws to what is asked, shape (n_seeds,).

    Examples are uniform; a redraw's fewer examples begin its more.
    """
    axes = [(np.arange(side) + 0.5) / side for side in SIDES[target]]
    test = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, len(axes))
    truth, shown = colours(test, variations), inputs(test, variations, period_known=period_known)

    def mean_accuracy(draws: list[NDArray[np.float64]], size: int) -> float:
        right = []
        for points in draws:
            seen = inputs(points[:size], variations, period_known=period_known)
            predict = LEARNERS[learner](seen, colours(points[:size], variations), width, cost)
            right.append(np.mean(predict(shown) == truth))
        return float(np.mean(right))

    needed = []
    for seed in seeds:
        generator = seed.numpy("examples")
        draws = [generator.random((SIZES[-1], len(axes))) for _ in range(redraws)]
        needed.append(passing_size(lambda size, draws=draws: mean_accuracy(draws, size), accuracy))
    return {"examples_needed": np.array(needed)}
