"""Checks of the instrument: symmetries, linear programs and the construction on the diagonal."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import prod

import numpy as np
import pytest

from harness.claim_tests import test_control, test_reading


def test_instrument_all_symmetries_of_the_cube_keep_parity(claim):
    """The cube of d bits has 2^d d! symmetries; each keeps parity up to its sign, and half or fewer keep majority."""
    assert len(claim.experiment.symmetries("parity", 4)) == 2**4 * 24
    assert len(claim.experiment.symmetries("majority", 3)) == 2 * 6


def test_instrument_subsets_of_the_four_cube_fall_into_known_classes(claim):
    """Sets of k corners of the 4-cube fall into 1, 1, 4, 6, 19, 27, 50, 56, 74 classes (Polya 1940)."""
    classes = [len(claim.experiment.subsets("parity", 4, size)) for size in range(9)]

    assert classes == [1, 1, 4, 6, 19, 27, 50, 56, 74]


def test_instrument_subsets_up_to_symmetry_stand_for_all(claim):
    """In three bits every set of three and of four corners is tried, and the answer is the same."""
    experiment = claim.experiment
    corners = experiment.vertices(3)
    kernel, wanted = experiment.gaussian(corners, corners, 0.7), experiment.labels("parity", corners)

    def feasible(size):
        return [chosen for chosen in combinations(range(8), size) if experiment.computes(kernel[:, chosen], wanted)]

    assert feasible(3) == []
    assert feasible(4) == [(0, 3, 5, 6), (1, 2, 4, 7)]  # the even and the odd corners


@pytest.mark.parametrize("width", [0.4, 1.0])
def test_instrument_infeasible_programs_have_a_certificate(claim, width):
    """Where no machine computes parity, and only there, weights >= 0 cancel all its columns (Gordan's theorem)."""
    from scipy.optimize import linprog

    experiment = claim.experiment
    corners = experiment.vertices(4)
    kernel, wanted = experiment.gaussian(corners, corners, width), experiment.labels("parity", corners)
    for size in (7, 8):
        for chosen in experiment.subsets("parity", 4, size):
            system = wanted[:, None] * np.column_stack([kernel[:, chosen], np.ones(16)])
            equations, right = np.vstack([system.T, np.ones(16)]), np.append(np.zeros(size + 1), 1)
            certificate = linprog(np.zeros(16), A_eq=equations, b_eq=right, method="highs")

            assert (certificate.status == 0) != experiment.computes(kernel[:, chosen], wanted), chosen


def test_instrument_machine_on_the_diagonal_is_exact_in_rational_numbers():
    """Lagrange weights w_j of the nodes q_j = 2^j give sum_j w_j q_j^h = (-1)^h for h = 0, ..., d without rounding."""
    d = 10
    nodes = [Fraction(2) ** (j - d // 2) for j in range(d + 1)]
    weights = [prod((-1 - other) / (node - other) for other in nodes if other != node) for node in nodes]

    values = [sum(weight * node**h for weight, node in zip(weights, nodes, strict=True)) for h in range(d + 1)]

    assert values == [(-1) ** h for h in range(d + 1)]
