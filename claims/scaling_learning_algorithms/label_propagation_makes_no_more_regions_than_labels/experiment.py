"""Label propagation on graphs: how many regions of one sign it leaves, and how many blocks of a ring it gets wrong."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.linalg import solve
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.seeds import Seeds

HANDLE = 8  # last node of the broom's handle, where its arms begin

PERIOD = 2  # blocks, one of each label


class Problem(NamedTuple):
    """A connected graph and the labels of its nodes, of which the first so many of `order` are known."""

    weights: NDArray[np.float64]  # of the edges, symmetric, (n, n)
    truth: NDArray[np.int64]  # +1 or -1, (n,)
    order: NDArray[np.int64]  # numbers of nodes


def components(joined: NDArray[np.bool_]) -> int:
    """Return the number of connected sets of nodes, isolated ones included, of a symmetric matrix (n, n)."""
    return int(connected_components(csr_array(joined))[0])


def checkerboard(draw: np.random.Generator, *, nodes: int, neighbours: int, squares: int, **_: Any) -> Problem:
    """Return points drawn uniformly from a checkerboard, each joined with its nearest neighbours; known labels by lot.

    Points are drawn again until the graph is connected.
    """
    while True:
        points = draw.random((nodes, 2))
        distances = cdist(points, points)
        near = distances <= np.sort(distances, axis=1)[:, [neighbours]]
        joined = (near | near.T) & ~np.eye(nodes, dtype=bool)
        if components(joined) == 1:
            truth = 1 - 2 * (np.floor(points * squares).sum(axis=1) % 2).astype(np.int64)
            return Problem(joined.astype(float), truth, draw.permutation(nodes))


def broom(draw: np.random.Generator, *, broom_arms: int, arm_length: int, **_: Any) -> Problem:
    """Return a path 0 to HANDLE with equal paths at its end, and random labels.

    Known first are -1 at its beginning, +1 at node 3 and +1 at its end; the others by lot.
    """
    n = HANDLE + 1 + broom_arms * arm_length
    before = np.arange(-1, n - 1)
    before[HANDLE + 1 :: arm_length] = HANDLE
    weights = np.zeros((n, n))
    weights[np.arange(1, n), before[1:]] = 1
    first, truth = np.array([0, 3, HANDLE]), draw.choice([-1, 1], n)
    truth[first] = [-1, 1, 1]
    return Problem(weights + weights.T, truth, np.append(first, draw.permutation(np.setdiff1d(np.arange(n), first))))


def ring(
    draw: np.random.Generator, *, labels: int, blocks: int, block: int, placement: str, phases: bool, **_: Any
) -> Problem:
    """Return a ring of an even number of blocks of `block` nodes, labelled +1 and -1 in turn.

    With `phases` nodes at the same place of a period, which is two blocks, are joined, too, all with all. Known are
    labels of random nodes, or, if the placement is `alternating`, of the middles of evenly spread blocks of either
    label in turn.
    """
    n = blocks * block
    places = np.arange(n)
    apart = (places[:, None] - places) % n
    joined = (apart == 1) | (apart == n - 1) | (phases & (apart % (PERIOD * block) == 0) & (apart > 0))
    truth = 1 - 2 * (places // block % PERIOD)
    numbers = np.arange(labels)
    chosen = numbers * (blocks // labels) + numbers % PERIOD + draw.integers(blocks)
    middles = chosen % blocks * block + block // 2
    return Problem(joined.astype(float), truth, middles if placement == "alternating" else draw.permutation(n))


GRAPHS = {"neighbours": checkerboard, "broom": broom, "ring": ring}


def propagated(given: Problem, labels: int, strength: float, pull: float, power: int) -> NDArray[np.float64]:
    """Return the minimum over f of sum_known (f - y)^2 + strength (f' L^power f + pull |f|^2), shape (n,).

    Its gradient is zero where (S + strength (L^power + pull I)) f = S y, with S = 1 for known nodes and L = D - W.
    """
    known = np.zeros(len(given.truth))
    known[given.order[:labels]] = 1
    laplacian = np.diag(given.weights.sum(axis=1)) - given.weights
    penalty = np.linalg.matrix_power(laplacian, power) + pull * np.eye(len(known))
    return solve(np.diag(known) + strength * penalty, known * given.truth, assume_a="pos")


def regions(weights: NDArray[np.float64], positive: NDArray[np.bool_]) -> int:
    """Return the number of connected sets of nodes of one sign, each as large as it can be."""
    return components((weights > 0) & (positive[:, None] == positive))


def on_blocks(given: Problem, labels: int, positive: NDArray[np.bool_], blocks: int) -> dict[str, float]:
    """Return blocks wrong as a whole, per (blocks - labels) / 2, and the error on nodes of unknown label."""
    wrong = positive != (given.truth > 0)
    lost = wrong.reshape(blocks, -1).all(axis=1).sum()
    unknown = np.delete(wrong, given.order[:labels])
    return {"wrong_blocks_over_bound": 2 * lost / (blocks - labels), "error": unknown.mean()}


WORST = {"regions_over_labels": np.max, "wrong_blocks_over_bound": np.min, "error": np.max}
"""Over graphs and strengths: what is farthest from the sentence in question."""


def measure(
    arm: str,
    seeds: Seeds,
    *,
    labels: int,
    graph: str,
    graphs: int,
    strengths: Sequence[float],
    pulls: Sequence[float],
    power: int,
    **shape: Any,
) -> dict[str, NDArray[np.float64]]:
    """Return the worst that label propagation makes of a seed's graphs, shape (n_seeds,); `shape` is as GRAPHS have it."""
    rows = []
    for seed in seeds:
        draw, found = seed.numpy("graphs"), []
        for _ in range(graphs):
            given = GRAPHS[graph](draw, labels=labels, **shape)
            for strength, pull in product(strengths, pulls):
                positive = propagated(given, labels, strength, pull, power) >= 0  # see claim.yaml for the sign of 0
                row = {"regions_over_labels": regions(given.weights, positive) / labels}
                found.append(row | (on_blocks(given, labels, positive, shape["blocks"]) if graph == "ring" else {}))
        rows.append({name: WORST[name]([row[name] for row in found]) for name in found[0]})
    return {name: np.array([row[name] for row in rows], float) for name in rows[0]}
