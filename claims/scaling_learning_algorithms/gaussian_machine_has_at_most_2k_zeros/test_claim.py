"""Checks of the instrument: kernels by hand, sign changes by exact roots, and machines that are what they say."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from harness.claim_tests import test_control, test_reading
from harness.seeds import seeds_of

LAYOUT = {"dimension": 10, "spacing": 1.75, "scatter": 0.3}


def zeros_of_polynomial(centres, coefficients, bias):
    """Return how many real zeros b + sum_i a_i exp(-(x - c_i)^2 / 2) has for b = 0 and whole c_i, by roots of a polynomial.

    exp(x^2 / 2) f is sum_i a_i exp(-c_i^2 / 2) z^(c_i) with z = exp(x): its positive roots z are the zeros of f.
    """
    assert bias == 0
    powers = np.zeros(max(centres) + 1)
    powers[centres] = coefficients * np.exp(-np.square(centres) / 2)
    roots = np.roots(powers[::-1])
    return int(((abs(roots.imag) < 1e-9 * abs(roots)) & (roots.real > 0)).sum())


def test_instrument_counts_zeros_as_the_roots_of_a_polynomial_do(claim):
    """Without a bias a machine with centres on whole numbers is a polynomial in exp(x), whose roots numpy finds."""
    draw, experiment = seeds_of("instrument", 0, range(1))[0].numpy("draw"), claim.experiment
    counts = []
    for _ in range(200):
        centres, coefficients = np.arange(5), draw.normal(size=5) * [1, -3, 5, -3, 1]
        machine = experiment.Machine(centres[:, None].astype(float), coefficients, 0.0, "gaussian")
        counts.append((round(10 * experiment.read(machine, 0)[0]), zeros_of_polynomial(centres, coefficients, 0)))
    same = np.mean([seen == true for seen, true in counts])

    # Zeros within a twentieth of a width of each other, or beyond ten widths, are missed; never one too many is seen.
    assert all(seen <= true for seen, true in counts)
    assert same > 0.8
    assert max(true for _, true in counts) == 4


def test_instrument_kernels_and_sums_by_hand(claim):
    """Two bases in the plane, at one point, with all bases and with far ones alone."""
    centres, coefficients = np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([2.0, -1.0])
    point = np.array([[1.0, 0.0]])
    gaussian = claim.experiment.Machine(centres, coefficients, 0.25, "gaussian")
    cosine = gaussian._replace(kernel="cosine")

    assert gaussian.sums(point) == pytest.approx(2 * np.exp(-0.5) - np.exp(-10))
    assert gaussian.sums(point, beyond=2) == pytest.approx(-np.exp(-10))
    assert gaussian.sums(point, beyond=5) == 0
    assert cosine.sums(point) == pytest.approx(2 * np.cos(1) - np.cos(6))


@pytest.mark.parametrize("bases", [1, 2, 5])
def test_instrument_bumps_cross_zero_where_the_equation_says(claim, bases):
    """By bisection (scipy) of the formula written out, between each peak and each valley: 2k zeros, no more, no fewer."""
    from scipy.optimize import brentq

    def f(x):
        return sum(np.exp(-((x - 4 * base) ** 2) / 2) for base in range(bases)) - 0.5

    extremes = [-6, *(place for base in range(bases) for place in (4 * base, 4 * base + 2)), 4 * bases + 4]
    zeros = {round(brentq(f, a, b), 9) for a, b in pairwise(extremes) if f(a) * f(b) < 0}
    machine = claim.experiment.row_of_bumps(bases, 1, 4.0, "gaussian")

    assert len(zeros) == 2 * bases
    assert claim.experiment.read(machine, 0)[0] == 1
    assert claim.experiment.read(claim.experiment.row_of_bumps(bases, 1, 1.0, "gaussian"), 0)[0] == 1 / bases


def test_instrument_sign_changes_pass_over_zeros(claim):
    values = np.array([0.0, 1, 0, 0, 2, -1, 0, -1, 3, 0])

    assert claim.experiment.sign_changes(values) == 2


def test_instrument_rays_meet_the_circle_once_each(claim):
    """One bump: 60 rays, 60 zeros, at the radius sqrt(2 ln 2); from a point of a line two."""
    bump = claim.experiment.row_of_bumps(1, 2, 4.0, "gaussian")
    path = next(iter(claim.experiment.paths(bump, 60)))
    radius = np.linalg.norm(path[bump.bias + bump.sums(path) > 0], axis=1).max()

    assert claim.experiment.read(bump, 60)[0] == 30
    assert radius == pytest.approx(np.sqrt(2 * np.log(2)), abs=claim.experiment.STEP)
    assert claim.experiment.read(claim.experiment.row_of_bumps(3, 1, 4.0, "gaussian"), 60)[0] == 1


@pytest.mark.parametrize("bases", [2, 8])
def test_instrument_trained_machines_tell_all_their_examples_apart(claim, bases):
    """Every example is a support vector with output +1 or -1, in turn: what the hard margin asks, by another formula."""
    draw = seeds_of("instrument", 0, range(1))[0].numpy("draw")
    machine = claim.experiment.drawn("trained", bases, draw, "gaussian", **LAYOUT)
    order = machine.centres[:, 0].argsort()
    distances = np.array([[((a - b) ** 2).sum() for b in machine.centres] for a in machine.centres])
    outputs = machine.bias + np.exp(-distances / 2) @ machine.coefficients

    assert len(machine.centres) == bases
    np.testing.assert_allclose(outputs[order], (-1.0) ** (1 + np.arange(bases)), atol=0.01)  # the solver stops at 1e-3
    assert abs(machine.coefficients).max() < claim.experiment.HARD_MARGIN / 100


def test_instrument_on_a_line_a_machine_is_one_of_feet_and_smaller_coefficients(claim):
    """exp(-|x - c|^2 / 2) = exp(-(t - c_1)^2 / 2) exp(-rest^2 / 2), which makes corollary 2 of theorem 1."""
    draw = seeds_of("instrument", 0, range(1))[0].numpy("draw")
    machine = claim.experiment.drawn("random", 5, draw, "gaussian", **LAYOUT)
    (points,) = claim.experiment.paths(machine, 0)
    shrunk = machine.coefficients * np.exp(-(machine.centres[:, 1:] ** 2).sum(axis=1) / 2)
    on_line = claim.experiment.Machine(machine.centres[:, :1], shrunk, machine.bias, "gaussian")

    assert (points[:, 1:] == 0).all()
    assert (machine.centres[:, 1:] != 0).all()
    np.testing.assert_allclose(
        machine.sums(points), on_line.sums(points[:, :1]), atol=1e-12
    )  # rounding of coefficients of 1


def test_instrument_unknown_kinds_are_refused(claim):
    with pytest.raises(ValueError, match="give 'bumps'"):
        claim.experiment.drawn("tuned", 2, np.random.default_rng(0), "gaussian", **LAYOUT)
