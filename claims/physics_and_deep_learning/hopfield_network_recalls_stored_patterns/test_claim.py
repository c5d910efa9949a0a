"""Checks of the instrument: energies, damage, couplings and the dynamics."""

from __future__ import annotations

import numpy as np
import pytest

from fixtures.hopfield import count_rises, damaged, energy, hebbian, pseudo_inverse, settle
from harness.claim_tests import test_control, test_reading
from harness.seeds import seeds_of

SEED = seeds_of("instrument", 0, range(1))[0]


@pytest.mark.parametrize("symmetric", [True, False])
def test_instrument_rises_are_those_of_the_energy(symmetric):
    """Flips counted as rises are the flips after which -1/2 s^T W s, computed in full, is larger."""
    couplings = SEED.numpy("couplings").standard_normal((12, 12))
    couplings = couplings + couplings.T if symmetric else couplings
    np.fill_diagonal(couplings, 0)
    states = SEED.numpy("states").choice([-1.0, 1.0], (200, 12))
    neurons = SEED.numpy("neurons").integers(12, size=200)
    flipped = states.copy()
    flipped[np.arange(200), neurons] *= -1

    expected = (energy(couplings, flipped) > energy(couplings, states)).sum()

    assert 0 < expected < 200
    assert count_rises(couplings, couplings.T, states, neurons) == expected


def test_instrument_settled_states_agree_with_their_fields():
    """Where the network rests no neuron disagrees with its field, and the energy is not above that of the start."""
    patterns = SEED.numpy("patterns").choice([-1.0, 1.0], (10, 50))
    couplings, starts = hebbian(patterns), SEED.numpy("starts").choice([-1.0, 1.0], (20, 50))

    end, rises = settle(couplings, starts, 50, SEED.numpy("orders"))

    assert rises == 0
    assert (end * (end @ couplings) >= 0).all()
    assert (energy(couplings, end) <= energy(couplings, starts)).all()


def test_instrument_damage_flips_exactly_the_share_asked_for():
    """A fifth of 400 pixels is 80 flips, elsewhere in each pattern."""
    patterns = np.ones((30, 400))

    cues = damaged(patterns, 0.2, SEED.numpy("damage"))

    assert ((cues == -1).sum(axis=1) == 80).all()
    assert len(np.unique(cues, axis=0)) == 30


def test_instrument_hebbian_rule_cannot_store_the_letters(claim):
    """Perfect letters A, B, C and D all leave for one state that is none of them."""
    letters = claim.experiment.letters("ABCD")

    end, _ = settle(hebbian(letters[:3]), letters, 50, SEED.numpy("orders"))

    assert len(np.unique(end, axis=0)) == 1
    assert not (end[0] == letters).all(axis=1).any()


def test_instrument_pseudo_inverse_rule_keeps_letters_at_rest(claim):
    """With the diagonal put back the couplings project: stored letters are eigenvectors, also under correlation."""
    letters = claim.experiment.letters("ABC")
    couplings = pseudo_inverse(letters)

    end, _ = settle(couplings, letters, 50, SEED.numpy("orders"))

    np.testing.assert_array_equal(end, letters)
    np.testing.assert_allclose(
        letters @ (couplings + np.diag(np.diag(np.linalg.pinv(letters) @ letters))), letters, atol=1e-12
    )
