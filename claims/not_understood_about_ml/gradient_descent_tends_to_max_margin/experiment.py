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


def max_margin_separator(signed: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the shortest w with y_i x_i . w >= 1 for all i, and the multipliers a >= 0 with w = sum_i a_i y_i x_i.

    Shapes (dimension,) and (n_train,). The margin of w is 1 / |w|, and the multipliers sum to |w|^2.

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
    return separator, multipliers


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
    scaled_transpose = step_size(signed, loss, learning_rate)[:, None, None] * signed.transpose(0, 2, 1)
    # From zero the weights stay in the span of the examples, so that one product a step moves margins and coefficients.
    products = signed @ scaled_transpose
    short = np.zeros((*signed.shape[:2], 1))  # of a margin of 0
    coefficients = np.zeros_like(short)
    done = 0
    for step in steps:
        for _ in range(step - done):
            pull = expit(short) if loss == "logistic" else 1 + short
            coefficients += pull
            short -= products @ pull
        done = step
        yield (scaled_transpose @ coefficients)[..., 0]


def step_size(signed: NDArray[np.float64], loss: str, learning_rate: float) -> NDArray[np.float64]:
    """Return the step of every seed, (n_seeds,): `learning_rate` over the smoothness of the summed loss."""
    return learning_rate / (CURVATURE[loss] * np.linalg.norm(signed, ord=2, axis=(1, 2)) ** 2)


def limit_law(multipliers: NDArray[np.float64], rate: float) -> tuple[float, float]:
    """Return two constants of the descent's limit, in nats: the deficit, and the log of the step at which the law begins.

    w(t) = w* ln t + r(t), where r(t) tends to an r with rate exp(-y_i x_i . r) = a_i for the support vectors (Soudry et
    al. 2018, the theorem on the residual). With p_i = a_i / sum a, of Shannon entropy H, the length of w(t) times the
    largest margin tends to sum_i p_i y_i x_i . w(t) = ln t - (ln(sum a / rate) - H), and its distance from the smallest
    margin to H + ln max p.

    Args:
        multipliers: a, shape (n_train,), of the separator that makes the smallest margin 1.
        rate: the step of the descent on the summed loss.
    """
    total = multipliers.sum()
    shares = multipliers[multipliers > 0] / total
    entropy = -float(shares @ np.log(shares))
    return entropy + float(np.log(shares.max())), float(np.log(total / rate)) - entropy


def mean_loss(margins: NDArray[np.float64], loss: str) -> NDArray[np.float64]:
    """Return the loss per example, shape (n_seeds,), from margins of shape (n_seeds, n_train)."""
    values = np.logaddexp(0, -margins) if loss == "logistic" else (1 - margins) ** 2 / 2
    return values.mean(axis=1)


def measure(
    arm: str, seeds: Seeds, *, loss: str, learning_rate: float, step: Sequence[int], **shape: int
) -> dict[str, NDArray[np.float64]]:
    """Return the metrics along one descent, each of shape (n_seeds, n_steps).

    With L = |w| * largest margin the gap is 1 - min_i(y_i x_i . w) / L (Soudry et al. 2018, the theorem on rates). Its law
    is deficit / ln(t/t0), that of L is ln(t/t0), with both constants from `limit_law`; so much do gap * ln(t/t0) and L exceed
    the deficit and ln(t/t0).
    """
    signed = np.stack([signed_examples(seed, **shape) for seed in seeds])
    separators, multipliers = zip(*map(max_margin_separator, signed), strict=True)
    rates = step_size(signed, loss, learning_rate)
    deficits, beginnings = np.transpose([limit_law(own, rate) for own, rate in zip(multipliers, rates, strict=True)])
    largest = 1 / np.linalg.norm(separators, axis=1)
    rows = []
    for done, weights in zip(step, descend(signed, loss, learning_rate, step), strict=True):
        margins = (signed @ weights[..., None])[..., 0]
        length = np.linalg.norm(weights, axis=1) * largest
        gap, since = 1 - margins.min(axis=1) / length, np.log(done) - beginnings
        rows.append([gap, mean_loss(margins, loss), length - since, gap * since - deficits])
    names = ("margin_gap", "training_loss", "excess_length", "excess_deficit")
    return dict(zip(names, np.moveaxis(rows, 0, 2), strict=True))


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
