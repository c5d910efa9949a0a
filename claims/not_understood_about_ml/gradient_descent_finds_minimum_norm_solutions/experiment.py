"""Which solution of least squares descent ends in, where there are more weights than examples: by start and by rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from harness.seeds import Seed, Seeds

RULES = {
    "gradient": lambda slope, smoothness: slope / smoothness,
    "sign": lambda slope, smoothness: np.sign(slope) * np.abs(slope).sum() / (smoothness * len(slope)),
}
"""Steps of steepest descent in the Euclidean and in the maximum norm (Boyd & Vandenberghe 2004, section 9.4).

Either is as long as the smoothness in its norm allows, which is at most the number of weights times as large in the maximum
norm: so the loss falls with each step.
"""


def problem(
    seed: Seed, examples: int, weights: int, start: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return standard normal inputs, (examples, weights), targets of a linear teacher, (examples,), and the start, (weights,).

    The teacher's weights are normal with variance 1 / weights, so that targets have variance 1; the start is uniform between
    -`start` and `start` over sqrt(weights).
    """
    inputs = seed.numpy("inputs").standard_normal((examples, weights))
    teacher = seed.numpy("teacher").standard_normal(weights) / np.sqrt(weights)
    return inputs, inputs @ teacher, start * seed.numpy("start").uniform(-1, 1, weights) / np.sqrt(weights)


def descent(
    inputs: NDArray[np.float64], targets: NDArray[np.float64], start: NDArray[np.float64], rule: str
) -> Iterator[NDArray[np.float64]]:
    """Yield the weights of 1/2 ||X w - y||^2 after 0, 1, 2, ... steps of a rule, without end."""
    step, smoothness = RULES[rule], np.linalg.norm(inputs, 2) ** 2  # the largest eigenvalue of X^T X
    weights = start
    while True:
        yield weights
        weights = weights - step(inputs.T @ (inputs @ weights - targets), smoothness)


def after(path: Iterator[NDArray[np.float64]], steps: int) -> NDArray[np.float64]:
    """Return the weights after so many steps."""
    return next(weights for done, weights in enumerate(path) if done == steps)


def nearest_solution(
    inputs: NDArray[np.float64], targets: NDArray[np.float64], start: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the solution of X w = y nearest to a start, w0 + X^+ (y - X w0); nearest to zero is that of smallest norm."""
    return start + np.linalg.pinv(inputs) @ (targets - inputs @ start)


def measure(
    arm: str, seeds: Seeds, *, examples: int, weights: int, start: float, rule: str, steps: int
) -> dict[str, NDArray[np.float64]]:
    """Return how far the end of descent is from two solutions and from being one, each of shape (n_seeds,)."""
    rows = []
    for seed in seeds:
        inputs, targets, begin = problem(seed, examples, weights, start)
        end = after(descent(inputs, targets, begin, rule), steps)
        smallest = nearest_solution(inputs, targets, np.zeros(weights))
        parts = end - smallest, end - nearest_solution(inputs, targets, begin), inputs @ end - targets
        scales = np.linalg.norm(smallest), np.linalg.norm(smallest), np.linalg.norm(targets)
        rows.append([np.linalg.norm(part) / scale for part, scale in zip(parts, scales, strict=True)])
    return dict(zip(("distance", "distance_from_nearest", "residual"), np.array(rows).T, strict=True))
