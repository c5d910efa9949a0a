"""Checks of the instrument: error, bias and variance, the ladder of bandwidths, what is read off it, and the designs."""

from __future__ import annotations

import numpy as np
import pytest

from harness.claim_tests import test_control, test_reading
from harness.seeds import seeds_of


def test_instrument_expected_error_is_the_mean_over_noisy_labels(claim):
    """Drawing labels 20,000 times gives the expectation that is taken, within five standard errors."""
    experiment = claim.experiment
    (seed,) = seeds_of("instrument", 0, range(1))
    generator = seed.numpy("data")
    train, test = generator.uniform(-2, 2, (50, 2)), generator.uniform(-1, 1, (1, 2))
    known, truth = (experiment.target(positions, "sine", 2.5) for positions in (train, test))
    distances = experiment.squared_distances(test, train)
    width, expected, _ = next(experiment.expected_errors(distances, known, truth, [50], 0.25, 0.5))
    weights = np.exp(-distances[0] / (2 * width**2))
    labels = known + 0.5 * seed.numpy("noise").standard_normal((20_000, 50))

    errors = (labels @ weights / weights.sum() - truth) ** 2

    assert errors.mean() == pytest.approx(expected[0], abs=5 * errors.std() / np.sqrt(len(errors)))


def test_instrument_squared_bias_is_the_error_without_noise(claim):
    experiment = claim.experiment
    (seed,) = seeds_of("instrument", 0, range(1))
    train, test = seed.numpy("train").uniform(-2, 2, (50, 2)), seed.numpy("test").uniform(-1, 1, (3, 2))
    known, truth = (experiment.target(positions, "sine", 2.5) for positions in (train, test))
    distances = experiment.squared_distances(test, train)
    noisy, clean = (
        next(experiment.expected_errors(distances, known, truth, [20, 50], noise, 0.5)) for noise in (0.25, 0)
    )

    np.testing.assert_array_equal(noisy[2], clean[1])
    assert (noisy[1] > clean[1]).all()


def test_instrument_ladder_equals_the_kernel_at_each_bandwidth(claim):
    """Repeated squaring loses no more than 2^10 roundings, and prefixes are sums over the first examples."""
    experiment = claim.experiment
    (seed,) = seeds_of("instrument", 0, range(1))
    distances, known = seed.numpy("distances").uniform(0, 4, (3, 40)), seed.numpy("values").standard_normal(40)
    for width, total, weighted in experiment.kernel_sums(distances, known, [10, 40], 0.8):
        kernel = np.exp(-distances / (2 * width**2))

        np.testing.assert_allclose(total, np.stack([kernel[:, :10].sum(1), kernel.sum(1)], axis=1), rtol=1e-9)
        np.testing.assert_allclose(weighted[:, 1], kernel @ known, rtol=1e-9, atol=1e-9 * kernel.sum())


def test_instrument_parabola_finds_the_minimum_of_the_theoretical_curve(claim):
    """For C1/(n h^d) + C2 h^4 error and bandwidth are within 1 % and 4 % of the true ones, at every n alike."""
    sizes, widths = np.array([400, 12800]), 0.8 * 2 ** (-np.arange(20) / 4)
    for d in (1, 2, 3, 4):
        curve = 0.1 / (sizes * widths[:, None] ** d) + widths[:, None] ** 4
        best = (d * 0.1 / (4 * sizes)) ** (1 / (4 + d))

        errors, bandwidths = claim.experiment.smallest_error(curve)
        np.testing.assert_allclose(errors, 0.1 / (sizes * best**d) + best**4, rtol=0.01)
        np.testing.assert_allclose(bandwidths, best, rtol=0.04)


def test_instrument_orders_are_those_of_the_theoretical_curve(claim):
    """For C1/(n h^d) + C2 h^4 they are 4 and d."""
    sizes, widths = np.array([400, 12800]), 0.8 * 2 ** (-np.arange(20)[:, None] / 4)
    for d in (1, 2, 3, 4):
        bias, variance = 0 * sizes + widths**4, 0.1 / (sizes * widths**d)

        np.testing.assert_allclose(claim.experiment.orders(bias + variance, bias), [[4, 4], [d, d]], rtol=1e-9)


def test_instrument_samples_are_read_off_the_line(claim):
    """Errors 3 n^(-0.8) come to 0.005 at n = 600^1.25."""
    sizes = [400, 800, 1600]

    found = claim.experiment.log_samples(3 * np.array(sizes) ** -0.8, sizes, 0.005)

    assert found == pytest.approx(1.25 * np.log(600))


def test_instrument_square_target_jumps_where_the_sine_changes_its_sign(claim):
    positions = np.array([[0.1, 0.1], [-0.1, 0.1], [1.3, 0.1]])  # sin(2.5 z) changes its sign at 0 and at 1.257

    np.testing.assert_allclose(claim.experiment.target(positions, "square", 2.5), [2**0.5, 0, 0])


def test_instrument_further_inputs_come_with_each_dimension_after_the_first(claim):
    (seed,) = seeds_of("instrument", 0, range(1))

    shapes = [claim.experiment.embedding("cube", d, 7, seed.numpy("data")).shape for d in (1, 2, 3)]

    assert shapes == [(1, 1), (8, 8), (15, 15)]


def test_instrument_refuses_a_minimum_at_the_end_of_the_ladder(claim):
    """An error that falls to the last bandwidth has no minimum."""
    with pytest.raises(ValueError, match="end of the ladder"):
        claim.experiment.smallest_error(np.array([[3.0], [2.0], [1.0]]))


def test_instrument_line_keeps_distances(claim):
    """Points on the line through five dimensions are as far apart as their positions."""
    (seed,) = seeds_of("instrument", 0, range(1))
    places = claim.experiment.embedding("line", 5, 1, seed.numpy("data"))
    positions = np.array([[-1.0], [0.5], [2.0]])

    distances = claim.experiment.squared_distances(positions @ places, positions @ places)

    np.testing.assert_allclose(distances, (positions - positions.T) ** 2, atol=1e-12)
