"""Checks of the instrument: symmetries, linear programs and the construction on the diagonal."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import prod

import numpy as np
import pytest

from harness.claim_tests import test_control, test_reading
from harness.seeds import seeds_of


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


def test_instrument_targets_are_what_their_names_say(claim):
    """All eight corners of three bits; half of two bits is no majority."""
    labels, vertices = claim.experiment.labels, claim.experiment.vertices

    assert labels("parity", vertices(3)).tolist() == [-1, 1, 1, -1, 1, -1, -1, 1]
    assert labels("majority", vertices(3)).tolist() == [-1, -1, -1, 1, -1, 1, 1, 1]
    assert labels("majority", vertices(2)).tolist() == [-1, -1, -1, 1]
    with pytest.raises(ValueError, match="give one of parity, majority"):
        labels("party", vertices(2))


@pytest.mark.parametrize(("target", "dimension", "fewest"), [("parity", 2, 2), ("parity", 3, 4), ("majority", 3, 1)])
def test_instrument_search_finds_the_known_minimum(claim, target, dimension, fewest):
    """Half of the corners for parity, one for majority."""
    assert claim.experiment.fewest_by_search(target, dimension, 0.7) == fewest


def test_instrument_search_goes_on_above_the_half(claim, monkeypatch):
    """Where five of eight corners are needed it says so, where none is it says none, and where none do it refuses."""
    for needed in (0, 1, 4, 5, 8):
        monkeypatch.setattr(claim.experiment, "computes", lambda columns, _, needed=needed: columns.shape[1] >= needed)
        assert claim.experiment.fewest_by_search("parity", 3, 0.7) == needed
    monkeypatch.setattr(claim.experiment, "computes", lambda *_: False)
    with pytest.raises(ArithmeticError, match="all corners"):
        claim.experiment.fewest_by_search("parity", 3, 0.7)


@pytest.mark.parametrize("width", [0.4, 1.0])
def test_instrument_sparse_machine_of_parity_costs_what_duality_says(claim, width):
    """The sum |a_i| is 2^d / (1 - q)^d with q the weight of a neighbour.

    Equal weights 1 / (1 - q)^d on all corners are a solution of the dual program, since parity is an eigenvector of the
    kernel with eigenvalue (1 - q)^d.
    """
    coefficients, bias = claim.experiment.sparse_machine("parity", 4, width)
    corners = claim.experiment.vertices(4)
    outputs = claim.experiment.gaussian(corners, corners, width) @ coefficients + bias
    neighbour = np.exp(-1 / (2 * width**2))

    assert np.abs(coefficients).sum() == pytest.approx((2 / (1 - neighbour)) ** 4)
    assert (outputs * claim.experiment.labels("parity", corners)).min() == pytest.approx(1)


def test_instrument_sparse_machine_of_two_bits_majority_is_one_gaussian(claim):
    """On (1, 1), with coefficient 2 / (1 - q) and bias -(1 + q) / (1 - q)."""
    neighbour = np.exp(-1 / (2 * 0.7**2))
    coefficients, bias = claim.experiment.sparse_machine("majority", 2, 0.7)

    np.testing.assert_allclose(coefficients, [0, 0, 0, 2 / (1 - neighbour)], atol=1e-12)
    assert bias == pytest.approx(-(1 + neighbour) / (1 - neighbour))


def test_instrument_programs_that_stop_or_are_undecided_are_refused(claim, monkeypatch):
    """A margin between zero for certain and positive for certain, and a solver that gives up."""
    computes, wanted = claim.experiment.computes, np.array([1, -1])
    assert computes(np.array([[1.0], [0.0]]), wanted)
    assert not computes(np.array([[1.0], [1.0]]), wanted)
    for slope, verdict in ((1.9e-4, None), (2.1e-4, True), (2.1e-6, None), (1.9e-6, False)):  # its margin is half of it
        if verdict is None:
            with pytest.raises(ArithmeticError, match="undecided"):
                computes(np.array([[slope], [0.0]]), wanted)
        else:
            assert computes(np.array([[slope], [0.0]]), wanted) == verdict

    class Stopped:
        status, x, message = 1, np.ones(9), "stopped"

    monkeypatch.setattr(claim.experiment, "linprog", lambda *_, **__: Stopped())
    with pytest.raises(ArithmeticError, match="stopped"):
        computes(np.array([[1.0], [0.0]]), wanted)
    with pytest.raises(ArithmeticError, match="stopped"):
        claim.experiment.sparse_machine("parity", 2, 0.7)


def test_instrument_sparse_machine_stands_a_check_of_its_margins(claim, monkeypatch):
    """A solver that calls a machine of margin zero a solution is not believed."""

    class Wrong:
        status, x, message = 0, np.zeros(9), "optimal"

    monkeypatch.setattr(claim.experiment, "linprog", lambda *_, **__: Wrong())
    with pytest.raises(ArithmeticError, match="no sparse machine"):
        claim.experiment.sparse_machine("parity", 2, 0.7)


def test_instrument_pruned_machines_can_spare_no_centre(claim):
    """What is left computes the target, each centre is needed, and which are taken away first is known."""
    experiment = claim.experiment
    (seed,) = seeds_of("instrument", 0, range(1))
    corners = experiment.vertices(4)
    kernel, wanted = experiment.gaussian(corners, corners, 0.6), experiment.labels("parity", corners)
    left = experiment.pruned_centres("parity", 4, 0.6, seed.numpy("order"))

    assert sorted(left) == np.flatnonzero(wanted == 1).tolist()
    assert experiment.computes(kernel[:, left], wanted)
    assert not any(experiment.computes(kernel[:, np.delete(left, place)], wanted) for place in range(8))
    assert experiment.pruned_centres("majority", 4, 0.8, seed.numpy("order")).tolist() == [15]


def test_instrument_the_diagonal_machine_has_the_documents_form(claim):
    """A sum of 2^d terms over different centres, of which d+1 have a coefficient; it gives parity on every corner."""
    experiment = claim.experiment
    for dimension, width in ((2, 0.4), (4, 1.0), (7, 0.6)):
        centres, coefficients = experiment.diagonal_machine("parity", dimension, width, 2.0)
        corners = experiment.vertices(dimension)
        outputs = [sum(a * np.exp(-((x - c) ** 2).sum() / (2 * width**2)) for a, c in zip(coefficients, centres, strict=True))
                   for x in corners]  # fmt: skip

        assert centres.shape == (2**dimension, dimension)
        assert len(np.unique(centres, axis=0)) == 2**dimension
        assert np.count_nonzero(coefficients) == dimension + 1
        np.testing.assert_allclose(outputs, experiment.labels("parity", corners), rtol=1e-3)


def test_instrument_halves_share_no_corner_and_leave_none_out(claim):
    seen, unseen = claim.experiment.halves(5, np.random.default_rng(0))

    assert len(seen) == len(unseen) == 16
    assert sorted([*seen, *unseen]) == list(range(32))


def test_instrument_machine_that_sees_half_of_a_plain_function_knows_the_rest(claim):
    """Wide Gaussians tell the majority of ten bits, and each seed splits the corners in its own way."""
    one, other = seeds_of("instrument", 0, range(2))
    accuracy = claim.experiment.heldout_accuracy

    assert accuracy("majority", [10], 1.0, 1, one) > 0.98
    assert accuracy("majority", [5, 6], 0.5, 2, one) != accuracy("majority", [5, 6], 0.5, 2, other)
    assert accuracy("parity", [8], 0.5, 1, one) < 0.2


def test_instrument_widths_are_log_uniform(claim):
    """Between the two limits, and below the geometric mean as often as above."""
    widths = np.array([claim.experiment.width_of(seed, 0.4, 1.0) for seed in seeds_of("instrument", 0, range(400))])

    assert widths.min() >= 0.4
    assert widths.max() <= 1.0
    assert np.mean(widths < np.sqrt(0.4)) == pytest.approx(0.5, abs=0.1)
    assert len(np.unique(widths)) == 400


def test_instrument_the_smallest_ratio_counts(claim):
    """Three Gaussians for two bits over a bound of two, five for four over eight: the second is reported."""
    settings = {"target": "parity", "narrowest": 0.4, "widest": 1.0, "diagonal_reach": 2.0, "splits": 1}
    found = claim.experiment.measure(
        "diagonal_centres", seeds_of("instrument", 0, range(2)), method="diagonal", dimensions=[2, 4], **settings
    )

    assert found["bases_over_bound"].tolist() == [5 / 8, 5 / 8]
