"""Verdicts, controls; checks of the instrument: mixtures, couplings, and what the ends are counted as."""

from __future__ import annotations

import numpy as np
import pytest

from harness.claim_tests import test_control, test_reading
from harness.seeds import seeds_of

SEED = seeds_of("instrument", 0, range(1))[0]
SPINS = np.array([-1.0, 1.0])


def test_instrument_mixture_of_three_is_their_majority_and_half_like_each(claim):
    """Two of three patterns decide; the overlap with each is a half, within five standard errors."""
    patterns = SEED.numpy("patterns").choice(SPINS, (3, 10_000))
    mixture = claim.experiment.mixtures(patterns, 1, 3, SEED.numpy("draw"))[0]

    assert (mixture == np.where((patterns > 0).sum(axis=0) >= 2, 1, -1)).all()
    assert mixture @ patterns.T / 10_000 == pytest.approx([0.5] * 3, abs=5 * 0.0087)


def test_instrument_mixture_of_two_keeps_what_they_share_and_draws_lots_for_the_rest(claim):
    patterns = SEED.numpy("patterns").choice(SPINS, (2, 1000))
    starts, shared = claim.experiment.mixtures(patterns, 40, 2, SEED.numpy("draw")), patterns[0] == patterns[1]

    assert (starts[:, shared] == patterns[0, shared]).all()
    assert abs(starts[:, ~shared].mean()) < 5 / (40 * (~shared).sum()) ** 0.5
    assert len(np.unique(starts, axis=0)) == 40


def test_instrument_never_mixes_a_pattern_with_itself(claim):
    """A pattern and its inverse share nothing, and lots for 200 neurons are near neither; twice the same would be whole."""
    pattern = np.ones((1, 200))
    starts = claim.experiment.mixtures(np.concatenate([pattern, -pattern]), 30, 2, SEED.numpy("draw"))

    assert (abs(starts.mean(axis=1)) < 0.5).all()


def test_instrument_plain_products_switch_everything_on(claim):
    from fixtures.hopfield import settle

    patterns = SEED.numpy("patterns").choice(SPINS, (5, 100))
    weights = claim.experiment.network(patterns, "plain_products")
    end, _ = settle(weights, claim.experiment.valued(patterns, 0.0), 50, SEED.numpy("orders"), off=0.0)

    assert (weights >= 0).all()
    assert (end[:, weights.any(axis=0)] == 1).all()


def test_instrument_counts_ends_by_hand(claim):
    """Four starts of two stored patterns: restored, ended in the other, at an inverse, and one bit short."""
    patterns = np.array([[1.0, 1, 1, 1, 1], [1, -1, 1, -1, 1]])
    begin = np.array([[1.0, 1, 1, 1, -1], [1, -1, 1, -1, 1], [-1, 1, -1, 1, -1], [1, 1, 1, -1, 1]])
    end = np.array([patterns[0], patterns[0], -patterns[1], [1, 1, 1, 1, -1]])

    found = claim.experiment.metrics(patterns, np.array([-1.0, -2.0]), begin, begin, end)

    assert claim.experiment.nearest(patterns, begin).tolist() == [0, 1, 0, 0]
    assert found == pytest.approx(
        {
            "stays": (3 + 1 + 5 + 1) / 20,
            "ends_in_stored_pattern": 0.5,
            "ends_in_nearest": 0.25,
            "nearest_is_lowest": 0.25,
            "bits_right": (4 + 3 + 5 + 3) / 20,
        }
    )
