"""Which labelings of points a hyperplane makes: every one of them is tried, and a linear program decides each."""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog

from fixtures.cube import parity, vertices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.seeds import Seeds

SOLVED, INFEASIBLE = 0, 2  # what scipy's linprog says in `status`

ACTIVATIONS = {"rectifier": lambda fields: np.maximum(fields, 0.0), "identity": lambda fields: fields}

THRESHOLDS = np.array([0.0, 1.0])  # of two hidden units, which both add the inputs


def features(points: NDArray[np.float64], feature: str, activation: str) -> NDArray[np.float64]:
    """Return what the linear classifier is given of points in the plane, shape (n, n_features).

    Args:
        points: shape (n, 2).
        feature: `raw` for the points, `product` for the points and x1 x2, `hidden` for the two hidden units.
        activation: of the hidden units, `rectifier` or `identity`.

    Raises:
        ValueError: `feature` is none of these.
    """
    if feature == "raw":
        return points
    if feature == "product":
        return np.column_stack([points, points.prod(axis=1)])
    if feature == "hidden":
        return ACTIVATIONS[activation](points.sum(axis=1, keepdims=True) - THRESHOLDS)
    raise ValueError(f"feature is {feature!r}; give 'raw', 'product' or 'hidden'")


def hyperplane(columns: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Return weights and threshold, (n_features + 1,), with labels * (columns @ w + b) >= 1; None if there are none.

    The solver's tolerance (1e-7) decides nothing: where no hyperplane separates, some mixture of the n values
    labels * (columns @ w + b) is zero whatever w and b are, so that one of them misses the 1 by 1 at least.

    Args:
        columns: shape (n, n_features).
        labels: +1 or -1, shape (n,).

    Raises:
        ArithmeticError: the solver says neither.
    """
    signed = labels[:, None] * np.column_stack([columns, np.ones(len(labels))])
    cost = np.zeros(signed.shape[1])
    found = linprog(cost, A_ub=-signed, b_ub=-np.ones(len(labels)), bounds=(None, None), method="highs")
    if found.status not in (SOLVED, INFEASIBLE):
        raise ArithmeticError(f"linear program undecided: {found.message}")
    return found.x if found.status == SOLVED else None


def half_of_labelings(n: int) -> NDArray[np.int64]:
    """Return all labelings of n points by +1 and -1 whose first label is -1, (2^(n-1), n); the others are their opposites."""
    return 2 * vertices(n)[: 2 ** (n - 1)] - 1


def count_separable(columns: NDArray[np.float64]) -> int:
    """Return how many of all 2^n labelings a hyperplane makes; turned round, it makes the opposite one."""
    return 2 * sum(hyperplane(columns, labels) is not None for labels in half_of_labelings(len(columns)))


def best_hyperplane(columns: NDArray[np.float64], wanted: NDArray[np.int64]) -> tuple[float, NDArray[np.float64]]:
    """Return the largest accuracy that a hyperplane has, and one that has it, of all labelings that hyperplanes make."""
    best = (0.0, np.zeros(columns.shape[1] + 1))
    for labels in half_of_labelings(len(columns)):
        agreement = float((labels * wanted).mean())
        found = hyperplane(columns, labels)
        if found is not None:
            best = max(best, ((1 + abs(agreement)) / 2, np.sign(agreement) * found), key=lambda pair: pair[0])
    return best


def cover_count(n: int, dimension: int) -> int:
    """Return 2 sum_{k=0}^{d} C(n - 1, k) (Cover 1965, theorem 1)."""
    return 2 * sum(comb(n - 1, k) for k in range(dimension + 1))


def measure(arm: str, seeds: Seeds, *, points: int, feature: str, activation: str) -> dict[str, NDArray[np.float64]]:
    """Return accuracy on exclusive or, and of raw inputs how many labelings of drawn points there are, each (n_seeds,)."""
    corners = vertices(2)
    accuracy, _ = best_hyperplane(features(corners, feature, activation), parity(corners))
    found = {"best_accuracy": np.full(len(seeds), accuracy)}
    if arm == "raw_inputs":
        drawn = [seed.numpy("points").standard_normal((points, 2)) for seed in seeds]
        counts = np.array([count_separable(features(own, feature, activation)) for own in drawn])
        found |= {
            "labelings_over_cover": counts / cover_count(points, corners.shape[1]),
            "share_of_labelings": counts / 2**points,
        }
    return found
