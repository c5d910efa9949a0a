"""Nadaraya-Watson regression at its best bandwidth, for nested samples of growing size."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from harness.seeds import Seeds

LARGEST_BANDWIDTH = 0.8  # a third of the target's period; the best bandwidth is checked to lie inside the ladder

UNDERFLOW = 1e-290  # kernel sums below this have lost digits: the nearest example is some 26 bandwidths away

OCTAVE = 4  # rungs from a bandwidth to its double

HALVINGS = 10  # of the squared bandwidth, from the largest bandwidth down to 0.8 / 2^5 = 0.025


def target(positions: NDArray[np.float64], shape: str, frequency: float) -> NDArray[np.float64]:
    """Return sum_j g(frequency * z_j) / sqrt(k), shape (n,), for positions z of shape (n, k).

    g is the sine, or, for the shape `square`, its sign.

    Raises:
        ValueError: `shape` is neither `sine` nor `square`.
    """
    if shape not in ("sine", "square"):
        raise ValueError(f"shape is {shape!r}; give 'sine' or 'square'")
    waves = np.sin(frequency * positions)
    return (waves if shape == "sine" else np.sign(waves)).sum(axis=1) / np.sqrt(positions.shape[1])


def embedding(support: str, dimension: int, further_inputs: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return the isometry that places positions in space, shape (intrinsic dimension, dimension of the space).

    `cube`: the identity; each dimension after the first brings `further_inputs`, one unless it is said otherwise.
    `line`: one random unit vector, so that positions are numbers along a line.

    Raises:
        ValueError: `support` is neither.
    """
    if support == "cube":
        return np.eye(1 + (dimension - 1) * further_inputs)
    if support == "line":
        direction = generator.standard_normal((1, dimension))
        return direction / np.linalg.norm(direction)
    raise ValueError(f"support is {support!r}; give 'cube' or 'line'")


def squared_distances(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return |a - b|^2 for all rows a of `first` and b of `second`, shape (len(first), len(second))."""
    squares = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1)
    squares -= 2 * first @ second.T  # in place, as below: fresh memory for 6 MB costs as much as the sum
    return np.maximum(squares, 0, out=squares)


def prefix_sums(weights: NDArray[np.float64], values: NDArray[np.float64], sizes: Sequence[int]) -> NDArray[np.float64]:
    """Return the sums of weights and of weights times values over the first n columns for n in `sizes`.

    Returns:
        Shape (2, n_rows, n_sizes).
    """
    counted = np.stack([np.ones_like(values), values], axis=1)
    parts = [weights[:, a:b] @ counted[a:b] for a, b in pairwise([0, *sizes])]
    return np.cumsum(parts, axis=0).transpose(2, 1, 0)


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
    kernel = distances * (-0.5 / bandwidth**2)
    np.exp(kernel, out=kernel)
    for halving in range(HALVINGS + 1):
        yield (bandwidth * 2 ** (-halving / 2), *prefix_sums(kernel, values, sizes))
        kernel *= kernel


def expected_errors(
    distances: NDArray[np.float64],
    values: NDArray[np.float64],
    truth: NDArray[np.float64],
    sizes: Sequence[int],
    noise_variance: float,
    bandwidth: float,
) -> Iterator[tuple[float, NDArray[np.float64], NDArray[np.float64]]]:
    """Yield (h, mean excess error, mean squared bias), both per sample size, down the ladder of bandwidths.

    Given the inputs, the expectation over the label noise is known: with weights w_i = K_i / sum K,
    E[(sum w_i y_i - f)^2] = (sum w_i f_i - f)^2 + noise_variance * sum w_i^2, and sum K_h^2 = sum K_(h / sqrt 2) is the
    next rung. Taking that expectation instead of drawing labels leaves the mean as it is and removes most of the spread
    (Rao-Blackwell). Of the two terms the first is the squared bias and the second the variance. A bandwidth at which some test point has no neighbour within sight has an infinite error.
    """
    rungs = kernel_sums(distances, values, sizes, bandwidth)
    for (width, total, weighted), (_, total_of_squares, _) in pairwise(rungs):
        with np.errstate(divide="ignore", invalid="ignore"):
            bias = (weighted / total - truth[:, None]) ** 2
            error = bias + noise_variance * (total_of_squares / total / total)
        seen = total_of_squares > UNDERFLOW
        yield width, np.where(seen, error, np.inf).mean(axis=0), np.where(seen, bias, np.inf).mean(axis=0)


def error_table(
    generator: np.random.Generator,
    places: NDArray[np.float64],
    sizes: Sequence[int],
    *,
    half_width: float,
    interior: float,
    shape: str,
    frequency: float,
    noise_variance: float,
    test_points: int,
) -> NDArray[np.float64]:
    """Return the mean excess errors and squared biases of one drawn sample, shape (2, n_bandwidths, n_sizes).

    Bandwidths fall by 2^(1/4) from row to row.
    """
    intrinsic = places.shape[0]
    train = generator.uniform(-half_width, half_width, (sizes[-1], intrinsic))
    test = generator.uniform(-interior, interior, (test_points, intrinsic))
    distances = squared_distances(test @ places, train @ places)
    known, truth = (target(positions, shape, frequency) for positions in (train, test))
    ladders = [
        [parts for _, *parts in expected_errors(distances, known, truth, sizes, noise_variance, start)]
        for start in (LARGEST_BANDWIDTH, LARGEST_BANDWIDTH * 2**-0.25)
    ]
    return np.stack([parts for rung in zip(*ladders, strict=True) for parts in rung], axis=1)


def best_rung(errors: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the row of the lowest error, shape (n_sizes,).

    Args:
        errors: shape (n_bandwidths, n_sizes), bandwidths equally spaced in the logarithm.

    Raises:
        ValueError: the lowest error is that of the largest or smallest bandwidth.
    """
    lowest = errors.argmin(axis=0)
    if not ((lowest > 0) & (lowest < len(errors) - 1)).all():
        raise ValueError("the best bandwidth lies at the end of the ladder; widen it")
    return lowest


def smallest_error(errors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the minimum over bandwidths, and its bandwidth, of a parabola in log h through the three lowest log errors.

    Args:
        errors: as `best_rung` has them; both results have shape (n_sizes,).
    """
    lowest = best_rung(errors)
    before, here, after = (np.log(np.take_along_axis(errors, lowest[None] + k, axis=0)[0]) for k in (-1, 0, 1))
    curvature = before - 2 * here + after
    rung = lowest + (before - after) / (2 * curvature)
    return np.exp(here - (before - after) ** 2 / (8 * curvature)), LARGEST_BANDWIDTH * 2 ** (-rung / 4)


def orders(errors: NDArray[np.float64], biases: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the powers of h with which squared bias rises and variance falls, from the best bandwidth to its double.

    Below the best bandwidth few examples weigh in, and their irregular places look like a bias.

    Args:
        errors: as `best_rung` has them; both results have shape (n_sizes,).
        biases: squared, of the same shape.
    """
    narrow = np.maximum(best_rung(errors), OCTAVE)
    ends = [np.take_along_axis(part, narrow[None] - k, axis=0)[0] for part in (biases, errors) for k in (0, OCTAVE)]
    bias, wide_bias, error, wide_error = ends
    return np.log2(wide_bias / bias), np.log2((error - bias) / (wide_error - wide_bias))


def log_samples(errors: NDArray[np.float64], sizes: Sequence[int], reached: float) -> float:
    """Return the logarithm of the sample size at which the line through log errors over log sizes comes to an error."""
    slope, start = np.polyfit(np.log(sizes), np.log(errors), 1)
    return float((np.log(reached) - start) / slope)


def measure(
    arm: str,
    seeds: Seeds,
    *,
    dimension: int,
    sample_size: Sequence[int],
    support: str,
    further_inputs: int,
    error_to_reach: float,
    repetitions: int,
    **design: Any,
) -> dict[str, NDArray[np.float64]]:
    """Return, at the best bandwidth, error, bandwidth and orders in it, and the examples that an error takes.

    Each metric has shape (n_seeds, n_sample_sizes); `log_samples` is one number of a seed, the same for all sizes.

    Errors are averaged over `repetitions` drawn samples before the bandwidth is chosen, so the bandwidth is best for
    the expected error, as in the theory, and not for one sample. Samples are nested: a smaller one starts a larger one.
    The rest of the `design` is as `error_table` has it.
    """
    rows = []
    for seed in seeds:
        generator = seed.numpy("data")
        places = embedding(support, dimension, further_inputs, generator)
        tables = [error_table(generator, places, sample_size, **design) for _ in range(repetitions)]
        errors, biases = np.mean(tables, axis=0)
        smallest, bandwidth = smallest_error(errors)
        needed = np.full(len(sample_size), log_samples(smallest, sample_size, error_to_reach))
        rows.append((smallest, bandwidth, *orders(errors, biases), needed))
    names = ("excess_error", "best_bandwidth", "bias_order", "variance_order", "log_samples")
    return {name: np.stack(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}
