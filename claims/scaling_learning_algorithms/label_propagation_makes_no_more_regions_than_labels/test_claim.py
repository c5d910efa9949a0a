"""Checks of the instrument: the minimum by least squares, regions by search, the bound on blocks by all patterns of signs."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from harness.claim_tests import test_control, test_reading
from harness.seeds import seeds_of

SHAPE = {"nodes": 60, "neighbours": 6, "squares": 4, "broom_arms": 3, "arm_length": 40, "blocks": 8, "block": 3}


def draw():
    return seeds_of("instrument", 0, range(1))[0].numpy("draw")


def regions_by_search(weights, positive):
    """Return the maximal connected sets of one sign, by walking from node to node."""
    left, found = set(range(len(positive))), []
    while left:
        waiting, region = [left.pop()], set()
        while waiting:
            node = waiting.pop()
            region.add(node)
            near = {other for other in left if weights[node, other] and positive[other] == positive[node]}
            left -= near
            waiting += near
        found.append(region)
    return found


@pytest.mark.parametrize(("strength", "pull"), [(0.001, 0.0), (10.0, 0.001)])
def test_instrument_propagation_minimises_the_cost_written_edge_by_edge(claim, strength, pull):
    """The cost is a sum of squares: known nodes, edges, nodes. Its least squares (numpy) have no Laplacian in them."""
    given = claim.experiment.checkerboard(draw(), **SHAPE)
    n, known = len(given.truth), given.order[:12]
    edges = np.argwhere(np.triu(given.weights) > 0)
    differences = np.eye(n)[edges[:, 0]] - np.eye(n)[edges[:, 1]]
    rows = [np.eye(n)[known], strength**0.5 * differences, (strength * pull) ** 0.5 * np.eye(n)]
    right = np.concatenate([given.truth[known], np.zeros(len(edges) + n)])
    best = np.linalg.lstsq(np.concatenate(rows), right, rcond=None)[0]

    assert set(given.truth[known]) == {-1, 1}
    # Both are double precision; the system's condition is some 1e5.
    np.testing.assert_allclose(claim.experiment.propagated(given, 12, strength, pull, 1), best, atol=1e-9)


def test_instrument_along_a_path_the_estimate_is_straight(claim):
    """A path of known ends, with an exact fit in the limit: -1, -1/2, 0, ... is what interpolation gives."""
    n = 9
    weights = np.eye(n, k=1) + np.eye(n, k=-1)
    given = claim.experiment.Problem(weights, np.where(np.arange(n) < 5, -1, 1), np.array([0, n - 1]))

    np.testing.assert_allclose(claim.experiment.propagated(given, 2, 1e-9, 0.0, 1), np.linspace(-1, 1, n), atol=1e-7)


def test_instrument_regions_are_those_found_by_walking_and_each_has_a_label(claim):
    """Thirty graphs of either kind; a region without a known node would be against the maximum principle."""
    generator, experiment = draw(), claim.experiment
    for _ in range(15):
        for given in (experiment.checkerboard(generator, **SHAPE), experiment.broom(generator, **SHAPE)):
            positive = experiment.propagated(given, 5, 0.1, 0.001, 1) >= 0
            found = regions_by_search(given.weights, positive)

            assert experiment.regions(given.weights, positive) == len(found) <= 5
            assert all(region & set(given.order[:5].tolist()) for region in found)


@pytest.mark.parametrize("arms", [3, 5])
def test_instrument_l_squared_makes_a_region_of_every_arm(claim, arms):
    """Three labels, two regions with L, and with its square one more for each arm."""
    given = claim.experiment.broom(draw(), broom_arms=arms, arm_length=40)
    found = [claim.experiment.regions(given.weights, claim.experiment.propagated(given, 3, 0.001, 0.0, power) >= 0) for power in (1, 2)]  # fmt: skip

    assert found == [2, arms + 2]


def test_instrument_graphs_are_what_they_say(claim):
    """Degrees, numbers of edges and connection, by hand."""
    experiment = claim.experiment
    broom = experiment.broom(draw(), broom_arms=3, arm_length=4)
    ring = experiment.ring(draw(), labels=2, placement="random", phases=False, blocks=8, block=3)
    joined = experiment.ring(draw(), labels=4, placement="alternating", phases=True, blocks=8, block=3)
    board = experiment.checkerboard(draw(), **SHAPE)

    for given in (broom, ring, joined, board):
        assert (given.weights == given.weights.T).all()
        assert not given.weights.diagonal().any()
        assert len(regions_by_search(given.weights, np.ones(len(given.truth)))) == 1
    assert len(broom.truth) == 9 + 12
    assert broom.weights.sum() == 2 * (9 + 12 - 1)
    assert broom.weights[8].sum() == 1 + 3
    assert broom.truth[broom.order[:3]].tolist() == [-1, 1, 1]
    assert (ring.weights.sum(axis=1) == 2).all()
    assert (joined.weights.sum(axis=1) == 2 + 3).all()
    assert ring.truth.tolist() == ([1] * 3 + [-1] * 3) * 4
    assert (board.weights.sum(axis=1) >= 6).all()


@pytest.mark.parametrize("labels", [2, 4, 8])
def test_instrument_alternating_labels_alternate_in_the_middles_of_blocks(claim, labels):
    given = claim.experiment.ring(draw(), labels=labels, placement="alternating", phases=False, blocks=32, block=5)
    signs, chosen = given.truth[given.order], np.sort(given.order)

    assert (chosen % 5 == 2).all()
    assert len(set(chosen)) == labels
    assert signs.tolist() == [signs[0], -signs[0]] * (labels // 2)


def test_instrument_so_many_blocks_are_lost_whatever_the_signs_around_a_ring(claim):
    """All 4,096 patterns of six blocks of two nodes: l changes of sign leave m - l/2 blocks wrong, and some no more than that."""
    ring = claim.experiment.ring(draw(), labels=2, placement="random", phases=False, blocks=6, block=2)
    fewest = {}
    for pattern in product([False, True], repeat=12):
        positive = np.array(pattern)
        changes = int((positive != np.roll(positive, 1)).sum())
        lost = (positive != (ring.truth > 0)).reshape(6, 2).all(axis=1).sum()
        fewest[changes] = min(lost, fewest.get(changes, 6))

    assert {changes: fewest[changes] for changes in (0, 2, 4, 6)} == {0: 3, 2: 2, 4: 1, 6: 0}


def test_instrument_counts_lost_blocks_and_errors_by_hand(claim):
    """Four blocks of two nodes, one known: the second block is wrong as a whole, the third by one node."""
    ring = claim.experiment.ring(draw(), labels=2, placement="random", phases=False, blocks=4, block=2)
    given = ring._replace(order=np.array([0]))
    positive = np.array([True, True, True, True, True, False, False, False])

    found = claim.experiment.on_blocks(given, 1, positive, 4)

    assert found == pytest.approx({"wrong_blocks_over_bound": 1 / 1.5, "error": 3 / 7})
