"""Checks of the instrument: every set of examples and every target, one by one; learners by hand and by scikit-learn."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest

from harness.claim_tests import test_control, test_reading
from harness.seeds import seeds_of

EVERY_SET = list(combinations(range(8), 5))


def accuracy_by_hand(learn, targets, shown):
    """Return the accuracy on unseen inputs as a fraction, target by target and input by input."""
    unseen = [place for place in range(8) if place not in shown]
    right = 0
    for target in targets:
        said = learn(np.array(shown), np.array([target[place] for place in shown]), 0)
        right += sum(int(said[place]) == target[place] for place in unseen)
    return Fraction(right, len(targets) * len(unseen))


@pytest.mark.parametrize("learner", ["majority", "nearest_neighbour", "anti_nearest_neighbour"])
def test_instrument_the_theorem_holds_for_every_set_of_five_examples(claim, learner):
    """All 56 sets, of which seeds draw some; each of the 256 targets is asked for by itself, in whole numbers."""
    targets = list(product((0, 1), repeat=8))

    for shown in EVERY_SET:
        assert accuracy_by_hand(claim.experiment.LEARNERS[learner], targets, shown) == Fraction(1, 2)


def test_instrument_over_dictators_the_nearest_neighbour_is_right_in_two_of_three_cases(claim):
    """For each set of examples; its opposite in one of three, since exactly one of the two is right."""
    targets = [tuple(corner[bit] ^ flip for corner in product((0, 1), repeat=3)) for bit in range(3) for flip in (0, 1)]
    for name, share in (("nearest_neighbour", Fraction(2, 3)), ("anti_nearest_neighbour", Fraction(1, 3))):
        assert {accuracy_by_hand(claim.experiment.LEARNERS[name], targets, shown) for shown in EVERY_SET} == {share}


def test_instrument_targets_are_all_different_and_all_there(claim):
    assert len({tuple(table) for table in claim.experiment.every_target().tolist()}) == 256
    assert len({tuple(table) for table in claim.experiment.dictators().tolist()}) == 6
    assert claim.experiment.dictators()[0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


def test_instrument_nearest_neighbour_agrees_with_scikit_learn(claim):
    """On the inputs where one example alone is nearest, whatever the labels."""
    from sklearn.neighbors import KNeighborsClassifier

    corners = np.array(list(product((0, 1), repeat=3)))
    for shown in map(np.array, EVERY_SET):
        apart = (corners[:, None] != corners[shown]).sum(axis=2)
        alone = (apart == apart.min(axis=1, keepdims=True)).sum(axis=1) == 1
        labels = shown % 3 == 0
        theirs = KNeighborsClassifier(1, metric="hamming").fit(corners[shown], labels).predict(corners)

        assert (claim.experiment.nearest_neighbour(shown, labels.astype(int), 0)[alone] == theirs[alone]).all()


def test_instrument_learners_by_hand(claim):
    """Five examples, 000 to 100, of labels 1, 0, 0, 1, 1: the first two are nearest to no other input but their own."""
    shown, labels = np.arange(5), np.array([1, 0, 0, 1, 1])

    assert claim.experiment.majority(shown, labels, 0).tolist() == [1] * 8
    # 101 is one bit from 001 and 100, shown before; 110 from 010 and 100; 111 from 011 alone.
    assert claim.experiment.nearest_neighbour(shown, labels, 0).tolist() == [1, 0, 0, 1, 1, 0, 0, 1]
    assert claim.experiment.opposite_of_nearest(shown, labels, 0).tolist() == [0, 1, 1, 0, 0, 1, 1, 0]
    assert claim.experiment.decision_tree(shown, labels, 0)[:5].tolist() == labels.tolist()


def test_instrument_seeds_draw_examples_and_ties_and_the_same_examples_give_the_same_answer(claim):
    seeds, targets = seeds_of("instrument", 0, range(12)), claim.experiment.every_target()
    sets = [tuple(sorted(claim.experiment.right_answers("majority", targets, seed, 5)[1])) for seed in seeds]
    right, shown = claim.experiment.right_answers("decision_tree", targets, seeds[0], 5)
    said = np.where(right, targets, 1 - targets)

    assert len(set(sets)) > 6
    assert right[:, shown].all()
    for labels in np.unique(targets[:, shown], axis=0):
        assert len(np.unique(said[(targets[:, shown] == labels).all(axis=1)], axis=0)) == 1


def test_instrument_what_fits_its_examples_has_thirteen_sixteenths_of_all_inputs(claim):
    """(5 + 3/2) / 8, if inputs that were shown count, too."""
    found = claim.experiment.measure(
        "decision_tree", seeds_of("instrument", 0, range(2)), targets="all", learner="decision_tree", examples=5, scored="everywhere"
    )  # fmt: skip

    assert found["accuracy"].tolist() == [13 / 16] * 2
