"""Gradient descent on separable data, held against the hard-margin separator from an independent solver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import nnls
from scipy.special import expit

from fixtures.separable import separable_blobs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from harness.seeds import Seed, Seeds

CURVATURE = {"logistic": 0.25, "squared": 1.0}  # largest second derivative of the loss in the margin

KKT_TOLERANCE = 1e-8  # in units of the margin, which the separator is scaled to make 1


def signed_examples(seed: Seed, n_train: int, dimension: int) -> NDArray[np.float64]:
    """Return y_i x_i, shape (n_train, dimension): Gaussian inputs labelled by a random teacher, hence separable."""
    inputs, labels = separable_blobs(seed.numpy("data"), n_train, dimension)
    return labels[:, None] * inputs


def max_margin_separator(signed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the shortest w with y_i x_i . w >= 1 for all i, shape (dimension,); its margin is 1 / |w|.

    The dual is a non-negative least-squares problem (least distance programming: Lawson & Hanson 1974,
    Solving Least Squares Problems, ch. 23), which an active-set method solves to rounding.

    Args:
        signed: the examples times their labels, shape (n_train, dimension).

    Raises:
        ValueError: the Karush-Kuhn-Tucker conditions do not hold; the data may not be separable.
    """
    n_train, dimension = signed.shape
    system = np.vstack([signed.T, np.ones(n_train)])
    target = np.append(np.zeros(dimension), 1.0)
    multipliers, _ = nnls(system, target, maxiter=100 * n_train)
    residual = target - system @ multipliers
    separator, multipliers = -residual[:-1] / residual[-1], multipliers / residual[-1]
    raise_unless_optimal(signed, separator, multipliers)
    return separator


def raise_unless_optimal(
    signed: NDArray[np.float64], separator: NDArray[np.float64], multipliers: NDArray[np.float64]
) -> None:
    """Raise ValueError unless `separator` and `multipliers` satisfy the Karush-Kuhn-Tucker conditions."""
    slack = signed @ separator - 1
    stationary = np.abs(separator - signed.T @ multipliers).max()
    complementary = np.abs(slack * multipliers).max()
    worst = max(-slack.min(), -multipliers.min(), stationary, complementary)
    if not worst <= KKT_TOLERANCE * max(1.0, multipliers.max()):
        raise ValueError(f"max-margin separator: KKT conditions violated by {worst:.1e}; are the data separable?")


def descend(
    signed: NDArray[np.float64], loss: str, learning_rate: float, steps: Sequence[int]
) -> Iterator[NDArray[np.float64]]:
    """Yield the weights, shape (n_seeds, dimension), after each of the increasing numbers of `steps`.

    Full-batch gradient descent on the summed loss from w = 0; `learning_rate` counts in units of 1 / smoothness,
    the smoothness being the curvature of the loss times the largest squared singular value of the data.

    Args:
        signed: the examples times their labels, shape (n_seeds, n_train, dimension).
        loss: `logistic`, ln(1 + exp(-m)) of the margin m, or `squared`, (1 - m)^2 / 2.
        learning_rate: in units of 1 / smoothness.
        steps: after which to yield.
    """
    smoothness = CURVATURE[loss] * np.linalg.norm(signed, ord=2, axis=(1, 2)) ** 2
    scaled_transpose = np.ascontiguousarray(learning_rate / smoothness[:, None, None] * signed.transpose(0, 2, 1))
    weights = np.zeros((*signed.shape[::2], 1))
    done = 0
    for step in steps:
        for _ in range(step - done):
            margins = signed @ weights
            weights += scaled_transpose @ (expit(-margins) if loss == "logistic" else 1 - margins)
        done = step
        yield weights[..., 0].copy()


def mean_loss(margins: NDArray[np.float64], loss: str) -> NDArray[np.float64]:
    """Return the loss per example, shape (n_seeds,), from margins of shape (n_seeds, n_train)."""
    values = np.logaddexp(0, -margins) if loss == "logistic" else (1 - margins) ** 2 / 2
    return values.mean(axis=1)


def measure(
    arm: str, seeds: Seeds, *, loss: str, learning_rate: float, step: Sequence[int], **shape: int
) -> dict[str, NDArray[np.float64]]:
    """Return the margin gap and the training loss along one descent, each of shape (n_seeds, n_steps).

    The gap is 1 - min_i(y_i x_i . w) / (|w| * largest margin) (Soudry et al. 2018, the theorem on rates).
    """
    signed = np.stack([signed_examples(seed, **shape) for seed in seeds])
    largest = 1 / np.linalg.norm([max_margin_separator(one) for one in signed], axis=1)
    gaps, losses = [], []
    for weights in descend(signed, loss, learning_rate, step):
        margins = (signed @ weights[..., None])[..., 0]
        gaps.append(1 - margins.min(axis=1) / np.linalg.norm(weights, axis=1) / largest)
        losses.append(mean_loss(margins, loss))
    return {"margin_gap": np.stack(gaps, axis=1), "training_loss": np.stack(losses, axis=1)}


def prepare_training(
    arm: str, seed: Seed, *, loss: str, learning_rate: float, step: Sequence[int], **shape: int
) -> Callable[[], object]:
    """Return the descent of one seed to the third checkpoint, ready to be timed."""
    signed = signed_examples(seed, **shape)[None]
    return lambda: list(descend(signed, loss, learning_rate, step[:3]))


def prepare_inference(
    arm: str, seed: Seed, *, loss: str, learning_rate: float, step: Sequence[int], **shape: int
) -> Callable[[], object]:
    """Return the classification of 10,000 fresh inputs by the separator of the third checkpoint, ready to be timed."""
    signed = signed_examples(seed, **shape)[None]
    (weights,) = descend(signed, loss, learning_rate, step[2:3])
    inputs = seed.numpy("timing").standard_normal((10_000, shape["dimension"]))
    return lambda: np.sign(inputs @ weights[0])
