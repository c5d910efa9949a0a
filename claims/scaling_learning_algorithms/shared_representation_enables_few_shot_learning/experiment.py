"""Linear regressions whose weights share a few directions, and what ten examples of a new one teach with and without these."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.seeds import Seed, Seeds


def shared_directions(seed: Seed, directions: int, dimension: int) -> NDArray[np.float64]:
    """Return random orthonormal directions, (directions, dimension)."""
    return np.linalg.qr(seed.numpy("directions").standard_normal((dimension, directions)))[0].T


def draw_tasks(
    seed: Seed, role: str, number: int, examples: int, noise: float, directions: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return weights, (number, d), inputs, (number, examples, d), and targets, (number, examples), of random tasks.

    Weights are combinations of the directions, normal with an expected square of 1. The first tasks of more are those of fewer.
    """
    k, d = directions.shape
    weights = seed.numpy(f"{role} weights").standard_normal((number, k)) / np.sqrt(k) @ directions
    inputs = seed.numpy(f"{role} inputs").standard_normal((number, examples, d))
    errors = seed.numpy(f"{role} noise").standard_normal((number, examples))
    return weights, inputs, np.einsum("tnd,td->tn", inputs, weights) + noise * errors


def ridge(inputs: NDArray[np.float64], targets: NDArray[np.float64], penalty: float) -> NDArray[np.float64]:
    """Return w of least ||X w - y||^2 + penalty ||w||^2 for each task, (number, d).

    Args:
        inputs: X, shape (number, n, d).
        targets: y, shape (number, n).
        penalty: at noise^2 d, w is the mean of what the examples leave possible where weights are normal with variance 1 / d
            (Bishop 2006, Pattern Recognition and Machine Learning, eq. 3.55).
    """
    gram = np.einsum("tni,tnj->tij", inputs, inputs, optimize=True) + penalty * np.eye(inputs.shape[2])
    return np.linalg.solve(gram, np.einsum("tni,tn->ti", inputs, targets)[..., None])[..., 0]


def learn(
    inputs: NDArray[np.float64], targets: NDArray[np.float64], representation: NDArray[np.float64], noise: float
) -> NDArray[np.float64]:
    """Return the weights of each task as combinations of the rows of a representation, (number, d)."""
    return ridge(inputs @ representation.T, targets, noise**2 * len(representation)) @ representation


def main_directions(weights: NDArray[np.float64], kept: int) -> NDArray[np.float64]:
    """Return the first right singular vectors of tasks' weights, (kept or the number of tasks, d)."""
    return np.linalg.svd(weights, full_matrices=False)[2][:kept]


def measure(
    arm: str,
    seeds: Seeds,
    *,
    representation: str,
    tasks: int,
    dimension: int,
    directions: int,
    kept: int,
    examples: int,
    shots: int,
    new_tasks: int,
    noise: float,
) -> dict[str, NDArray[np.float64]]:
    """Return the relative error of new tasks' weights, (n_seeds,), with a representation that is `learned`, or `none`."""
    found = []
    for seed in seeds:
        shared, rows = shared_directions(seed, directions, dimension), np.eye(dimension)
        if representation == "learned":
            _, inputs, targets = draw_tasks(seed, "earlier", tasks, examples, noise, shared)
            rows = main_directions(learn(inputs, targets, rows, noise), kept)
        weights, inputs, targets = draw_tasks(seed, "new", new_tasks, shots, noise, shared)
        errors = learn(inputs, targets, rows, noise) - weights
        found.append((errors**2).sum() / (weights**2).sum())
    return {"relative_error": np.array(found)}
