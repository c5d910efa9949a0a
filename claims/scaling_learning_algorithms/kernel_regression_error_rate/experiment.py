"""Nadaraya-Watson regression at its best bandwidth, for nested samples of growing size."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from harness.seeds import Seeds

LARGEST_BANDWIDTH = 0.8  # a third of the target's period; the best bandwidth is checked to lie inside the ladder

UNDERFLOW = 1e-290  # kernel sums below this have lost digits: the nearest example is some 26 bandwidths away

HALVINGS = 10  # of the squared bandwidth, from the largest bandwidth down to 0.8 / 2^5 = 0.025


def target(positions: NDArray[np.float64], frequency: float) -> NDArray[np.float64]:
    """Return sum_j sin(frequency * z_j) / sqrt(k), shape (n,), for positions z of shape (n, k)."""
    return np.sin(frequency * positions).sum(axis=1) / np.sqrt(positions.shape[1])


def embedding(support: str, dimension: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return the isometry that places positions in space, shape (intrinsic dimension, dimension).

    `cube`: the identity; `line`: one random unit vector, so that positions are numbers along a line.

    Raises:
        ValueError: `support` is neither.
    """
    if support == "cube":
        return np.eye(dimension)
    if support == "line":
        direction = generator.standard_normal((1, dimension))
        return direction / np.linalg.norm(direction)
    raise ValueError(f"support is {support!r}; give 'cube' or 'line'")


def squared_distances(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return |a - b|^2 for all rows a of `first` and b of `second`, shape (len(first), len(second))."""
    squares = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1)
    return np.maximum(squares - 2 * first @ second.T, 0)


def prefix_sums(weights: NDArray[np.float64], sizes: Sequence[int]) -> NDArray[np.float64]:
    """Return the sums over the first n columns for n in `sizes`, shape (n_rows, n_sizes)."""
    return np.cumsum(np.add.reduceat(weights, [0, *sizes[:-1]], axis=1), axis=1)


def kernel_sums(
    distances: NDArray[np.float64], values: NDArray[np.float64], sizes: Sequence[int], bandwidth: float
) -> Iterator[tuple[float, NDArray[np.float64], NDArray[np.float64]]]:
    """Yield (h, sum_i K_h, sum_i K_h f_i) for h = `bandwidth` / 2^(j/2), j = 0, 1, ...

    Halving h^2 squares the Gaussian kernel, so one exponential serves the whole ladder.

    Args:
        distances: squared, shape (n_points, n_examples).
        values: of the target at the examples, shape (n_examples,).
        sizes: of the nested samples; sums have shape (n_points, n_sizes).
        bandwidth: the largest h, the kernel's standard deviation.
    """
    kernel = np.exp(-distances / (2 * bandwidth**2))
    for halving in range(HALVINGS + 1):
        yield bandwidth * 2 ** (-halving / 2), prefix_sums(kernel, sizes), prefix_sums(kernel * values, sizes)
        kernel *= kernel


def expected_errors(
    distances: NDArray[np.float64],
    values: NDArray[np.float64],
    truth: NDArray[np.float64],
    sizes: Sequence[int],
    noise_variance: float,
    bandwidth: float,
) -> Iterator[tuple[float, NDArray[np.float64]]]:
    """Yield (h, mean excess error per sample size) down the ladder of bandwidths.

    Given the inputs, the expectation over the label noise is known: with weights w_i = K_i / sum K,
    E[(sum w_i y_i - f)^2] = (sum w_i f_i - f)^2 + noise_variance * sum w_i^2, and sum K_h^2 = sum K_(h / sqrt 2) is the
    next rung. Taking that expectation instead of drawing labels leaves the mean as it is and removes most of the spread
    (Rao-Blackwell). A bandwidth at which some test point has no neighbour within sight has an infinite error.
    """
    rungs = kernel_sums(distances, values, sizes, bandwidth)
    for (width, total, weighted), (_, total_of_squares, _) in pairwise(rungs):
        with np.errstate(divide="ignore", invalid="ignore"):
            error = (weighted / total - truth[:, None]) ** 2 + noise_variance * (total_of_squares / total / total)
        yield width, np.where(total_of_squares > UNDERFLOW, error, np.inf).mean(axis=0)


def error_table(
    generator: np.random.Generator,
    places: NDArray[np.float64],
    sizes: Sequence[int],
    *,
    half_width: float,
    interior: float,
    frequency: float,
    noise_variance: float,
    test_points: int,
) -> NDArray[np.float64]:
    """Return the mean excess errors of one drawn sample, shape (n_bandwidths, n_sizes).

    Bandwidths fall by 2^(1/4) from row to row.
    """
    intrinsic = places.shape[0]
    train = generator.uniform(-half_width, half_width, (sizes[-1], intrinsic))
    test = generator.uniform(-interior, interior, (test_points, intrinsic))
    distances = squared_distances(test @ places, train @ places)
    known, truth = target(train, frequency), target(test, frequency)
    ladders = [
        [error for _, error in expected_errors(distances, known, truth, sizes, noise_variance, start)]
        for start in (LARGEST_BANDWIDTH, LARGEST_BANDWIDTH * 2**-0.25)
    ]
    return np.stack([error for rung in zip(*ladders, strict=True) for error in rung])


def smallest_error(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the minimum over bandwidths of a parabola in log h through the three lowest log errors, shape (n_sizes,).

    Args:
        errors: shape (n_bandwidths, n_sizes), bandwidths equally spaced in the logarithm.

    Raises:
        ValueError: the lowest error is that of the largest or smallest bandwidth.
    """
    lowest = errors.argmin(axis=0)
    if not ((lowest > 0) & (lowest < len(errors) - 1)).all():
        raise ValueError("the best bandwidth lies at the end of the ladder; widen it")
    before, here, after = (np.log(np.take_along_axis(errors, lowest[None] + k, axis=0)[0]) for k in (-1, 0, 1))
    return np.exp(here - (before - after) ** 2 / (8 * (before - 2 * here + after)))


def measure(
    arm: str,
    seeds: Seeds,
    *,
    dimension: int,
    sample_size: Sequence[int],
    support: str,
    repetitions: int,
    **design: float,
) -> dict[str, NDArray[np.float64]]:
    """Return the excess error at the best bandwidth, shape (n_seeds, n_sample_sizes), in squared units of the target.

    Errors are averaged over `repetitions` drawn samples before the bandwidth is chosen, so the bandwidth is best for
    the expected error, as in the theory, and not for one sample. Samples are nested: a smaller one starts a larger one.
    The rest of the `design` is as `error_table` has it.
    """
    smallest = []
    for seed in seeds:
        generator = seed.numpy("data")
        places = embedding(support, dimension, generator)
        tables = [error_table(generator, places, sample_size, **design) for _ in range(repetitions)]
        smallest.append(smallest_error(np.mean(tables, axis=0)))
    return {"excess_error": np.stack(smallest)}
