"""Accuracy of learners, averaged over every target of three bits, on the inputs that they were not shown."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from sklearn.tree import DecisionTreeClassifier

from fixtures.cube import vertices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.seeds import Seed, Seeds

BITS = 3

CORNERS = vertices(BITS)  # all eight inputs


def every_target() -> NDArray[np.int64]:
    """Return the 2^8 functions of three bits as tables of zeros and ones, shape (256, 8)."""
    return np.array(list(product((0, 1), repeat=len(CORNERS))))


def dictators() -> NDArray[np.int64]:
    """Return the functions that are one of the bits, or its negation, shape (6, 8)."""
    return np.concatenate([CORNERS.T, 1 - CORNERS.T])


TARGETS = {"all": every_target, "dictators": dictators}


def majority(shown: NDArray[np.int64], labels: NDArray[np.int64], _: int) -> NDArray[np.int64]:
    """Return the label of most of an odd number of examples, for every input, shape (8,)."""
    return np.full(len(CORNERS), 2 * labels.sum() > len(labels), dtype=np.int64)


def nearest_neighbour(shown: NDArray[np.int64], labels: NDArray[np.int64], _: int) -> NDArray[np.int64]:
    """Return the label of the example that differs in the fewest bits; of several, of the one shown first."""
    apart = (CORNERS[:, None] != CORNERS[shown]).sum(axis=2)
    return labels[apart.argmin(axis=1)]


def opposite_of_nearest(shown: NDArray[np.int64], labels: NDArray[np.int64], entropy: int) -> NDArray[np.int64]:
    """Return the opposite of what the nearest neighbour says."""
    return 1 - nearest_neighbour(shown, labels, entropy)


def decision_tree(shown: NDArray[np.int64], labels: NDArray[np.int64], entropy: int) -> NDArray[np.int64]:
    """Return what a tree says that fits all examples; `entropy` decides between equally good bits."""
    return DecisionTreeClassifier(random_state=entropy).fit(CORNERS[shown], labels).predict(CORNERS)


LEARNERS = {
    "majority": majority,
    "nearest_neighbour": nearest_neighbour,
    "anti_nearest_neighbour": opposite_of_nearest,
    "decision_tree": decision_tree,
}


def right_answers(
    learner: str, targets: NDArray[np.int64], seed: Seed, examples: int
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return where a learner is right, (n_targets, 8), and the inputs that it was shown, (examples,), in the order shown.

    What it says depends on the examples alone: lots that it draws between ties are the same for the same examples. So it
    is asked once for each of the labellings that occur.
    """
    shown = seed.numpy("shown").permutation(len(CORNERS))[:examples]
    entropy = seed.entropy("ties") >> 32  # scikit-learn takes 32 bits
    labellings, which = np.unique(targets[:, shown], axis=0, return_inverse=True)
    said = np.array([LEARNERS[learner](shown, labels, entropy) for labels in labellings])
    return said[which.reshape(-1)] == targets, shown


def measure(
    arm: str, seeds: Seeds, *, targets: str, learner: str, examples: int, scored: str
) -> dict[str, NDArray[np.float64]]:
    """Return the accuracy, mean over targets, on inputs that were not shown, or on all of them, shape (n_seeds,)."""
    accuracies = []
    for seed in seeds:
        right, shown = right_answers(learner, TARGETS[targets](), seed, examples)
        accuracies.append((np.delete(right, shown, axis=1) if scored == "unseen" else right).mean())
    return {"accuracy": np.array(accuracies)}
