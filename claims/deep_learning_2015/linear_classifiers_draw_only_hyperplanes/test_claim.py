"""Checks of the instrument: which labelings there are, by geometry and by an integer program; classifiers set by hand."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from fixtures.cube import parity, vertices
from harness.claim_tests import test_control, test_reading
from harness.seeds import seeds_of

SEED = seeds_of("instrument", 0, range(1))[0]


def labelings_by_geometry(points):
    """A line that separates can be moved until it goes through two points; turned a little, it gives these any labels."""
    found = set()
    for i, j in combinations(range(len(points)), 2):
        (dx, dy), away = points[j] - points[i], points - points[i]
        sides = np.sign(dx * away[:, 1] - dy * away[:, 0])
        for sides[i], sides[j] in product((-1, 1), repeat=2):
            found |= {tuple(sides), tuple(-sides)}
    return found


@pytest.mark.parametrize("n", [3, 4, 5, 6])
def test_instrument_linear_programs_and_geometry_find_the_same_labelings(claim, n):
    """Each is sought twice: by a linear program, and among the lines through two of the points."""
    points = SEED.numpy("points").standard_normal((n, 2))
    halves = claim.experiment.half_of_labelings(n)
    separable = [labels for labels in halves if claim.experiment.hyperplane(points, labels) is not None]

    assert {tuple(sign * labels) for labels in separable for sign in (-1, 1)} == labelings_by_geometry(points)
    assert claim.experiment.count_separable(points) == 2 * len(separable) == claim.experiment.cover_count(n, 2)


def test_instrument_every_labeling_is_tried_once(claim):
    halves = claim.experiment.half_of_labelings(5)

    assert len(np.unique(np.concatenate([halves, -halves]), axis=0)) == 2**5
    assert set(np.unique(halves)) == {-1, 1}


def test_instrument_threshold_functions_of_three_bits_are_104(claim):
    """As is long known of the 256 Boolean functions of three bits (OEIS A000609); no four corners need be in general position."""
    assert claim.experiment.count_separable(vertices(3)) == 104


def test_instrument_cover_counts_keep_his_recursion(claim):
    """C(n + 1, d) = C(n, d) + C(n, d - 1), from 2 for one point; up to d + 1 points it is every labeling."""
    count = claim.experiment.cover_count
    for n, d in product(range(1, 10), range(1, 6)):
        assert count(n + 1, d) == count(n, d) + count(n, d - 1)
        assert count(1, d) == 2
        assert count(d + 1, d) == 2 ** (d + 1)
    assert [count(n, 2) for n in (4, 5, 6, 7)] == [14, 22, 32, 44]
    assert [count(n, 3) for n in (4, 5, 6, 7)] == [16, 30, 52, 84]


def fewest_errors(columns, wanted):
    """By an integer program: y (w x + b) >= 1 - 100 e for every point, with e 0 or 1 and weights of at most 10."""
    n, k = columns.shape
    system = np.column_stack([wanted[:, None] * np.column_stack([columns, np.ones(n)]), 100 * np.eye(n)])
    cost, whole = np.repeat([0, 1], [k + 1, n]), np.repeat([0, 1], [k + 1, n])
    bounds = Bounds(np.repeat([-10, 0], [k + 1, n]), np.repeat([10, 1], [k + 1, n]))
    return round(milp(cost, integrality=whole, bounds=bounds, constraints=LinearConstraint(system, lb=1)).fun)


@pytest.mark.parametrize(
    ("feature", "activation", "errors"),
    [("raw", "rectifier", 1), ("product", "rectifier", 0), ("hidden", "rectifier", 0), ("hidden", "identity", 1)],
)
def test_instrument_best_accuracy_is_that_of_an_integer_program(claim, feature, activation, errors):
    """And the hyperplane that is returned has it."""
    corners = vertices(2)
    columns, wanted = claim.experiment.features(corners, feature, activation), parity(corners)
    accuracy, plane = claim.experiment.best_hyperplane(columns, wanted)

    assert fewest_errors(columns, wanted) == errors == 4 * (1 - accuracy)
    assert (wanted * (columns @ plane[:-1] + plane[-1]) > 0).sum() == 4 - errors


def test_instrument_features_are_those_that_the_formulas_use(claim):
    """x1 + x2 - 2 x1 x2 and h1 - 2 h2 are exclusive or, on the corners."""
    corners, wanted = vertices(2), (parity(vertices(2)) + 1) / 2

    np.testing.assert_array_equal(claim.experiment.features(corners, "product", "rectifier") @ [1, 1, -2], wanted)
    np.testing.assert_array_equal(claim.experiment.features(corners, "hidden", "rectifier") @ [1, -2], wanted)


def test_instrument_refuses_features_that_it_does_not_know(claim):
    with pytest.raises(ValueError, match="feature is 'square'"):
        claim.experiment.features(vertices(2), "square", "rectifier")
