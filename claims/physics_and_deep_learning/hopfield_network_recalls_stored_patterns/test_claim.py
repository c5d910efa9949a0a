"""Checks of the instrument: energies, damage, couplings and the dynamics."""

from __future__ import annotations

import math

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


def test_instrument_a_turn_that_keeps_the_energy_is_no_rise():
    """Couplings that are opposite to and fro add up to nothing: no state has any energy."""
    couplings, states = np.array([[0.0, 1.0], [-1.0, 0.0]]), np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]])

    assert not energy(couplings, states).any()
    assert count_rises(couplings, couplings.T, states, np.zeros(3, int)) == 0


def test_instrument_a_sweep_visits_each_neuron_once_in_random_order():
    """In a chain that is on at its head, and where each follows the one before: of n! orders one turns the next n."""
    starts = np.tile([1.0, -1.0, -1.0, -1.0], (2000, 1))

    end, _ = settle(np.eye(4, k=-1), starts, 1, SEED.numpy("orders"))
    turned = (end == 1).sum(axis=1) - 1

    assert turned.min() == 1
    assert [(turned >= n).mean() for n in (2, 3)] == pytest.approx([1 / 2, 1 / 6], abs=5 * 0.5 / 2000**0.5)


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


def test_instrument_random_patterns_and_states_are_those_of_fair_coins(claim):
    """As many +1 as -1, and no overlap of states with patterns but by chance; within five standard errors."""
    patterns, meant, begin = claim.experiment.cues("random_state", "round", 1000, 0.02, 0.0, 50, SEED.numpy("cues"))

    assert patterns.shape == (20, 1000)
    for drawn in (patterns, meant):
        assert set(np.unique(drawn)) == {-1.0, 1.0}
        assert abs(drawn.mean()) < 5 / drawn.size**0.5
    assert np.abs(meant @ patterns.T / 1000).max() < 5 / 1000**0.5
    np.testing.assert_array_equal(begin, meant)


@pytest.mark.parametrize(("font", "ink"), [("round", [18, 20, 13, 18]), ("pointed", [16, 20, 13, 18])])
def test_instrument_letters_are_drawn_on_seven_rows_of_five_pixels(claim, font, ink):
    """So many are ink, which is +1; an A is like its mirror image, the others are alike upside down."""
    a, *others = letters = claim.experiment.letters("ABCD", font).reshape(4, 7, 5)

    assert (letters == 1).sum((1, 2)).tolist() == ink
    assert (letters == -1).sum((1, 2)).tolist() == [35 - dark for dark in ink]
    np.testing.assert_array_equal(a, a[:, ::-1])
    assert all((own == own[::-1]).all() for own in others)


def test_instrument_hebbian_rule_cannot_store_the_letters(claim):
    """Perfect letters A, B, C and D all leave for one state that is none of them."""
    letters = claim.experiment.letters("ABCD", "round")

    end, _ = settle(hebbian(letters[:3]), letters, 50, SEED.numpy("orders"))

    assert len(np.unique(end, axis=0)) == 1
    assert not (end[0] == letters).all(axis=1).any()


def test_instrument_pseudo_inverse_rule_keeps_letters_at_rest(claim):
    """With the diagonal put back the couplings project: stored letters are eigenvectors, also under correlation."""
    letters = claim.experiment.letters("ABC", "round")
    couplings = pseudo_inverse(letters)

    end, _ = settle(couplings, letters, 50, SEED.numpy("orders"))

    np.testing.assert_array_equal(end, letters)
    np.testing.assert_allclose(
        letters @ (couplings + np.diag(np.diag(np.linalg.pinv(letters) @ letters))), letters, atol=1e-12
    )


@pytest.mark.parametrize(
    ("font", "overlaps", "least"), [("round", [36, 44, 34], [-4, -12, -2]), ("pointed", [2, 22, 22], [30, 10, 10])]
)
def test_instrument_letters_rest_where_their_overlaps_leave_room(claim, font, overlaps, least):
    """Fields are P and N and what others share: where all others disagree a letter is held by N - P less its overlaps."""
    letters = claim.experiment.letters("ABC", font)
    shared = np.abs(letters @ letters.T).sum(axis=1) - 35
    fields = letters * (letters @ hebbian(letters))

    assert shared.tolist() == overlaps
    assert fields.min(axis=1).tolist() == least == (32 - shared).tolist()
    assert claim.experiment.at_rest(hebbian(letters), letters) == (min(least) >= 0)


def test_instrument_capacity_and_least_overlap_are_those_of_the_theory():
    """Without noise, overlap erf(x) at load a where sqrt(2 a) = erf(x) / x - 2 exp(-x^2) / sqrt(pi) (Amit et al. 1985)."""
    x = np.linspace(0.5, 4, 3_501)
    overlap = np.array([math.erf(value) for value in x])
    load = (overlap / x - 2 / math.sqrt(math.pi) * np.exp(-(x**2))) ** 2 / 2

    assert load.max() == pytest.approx(0.138, abs=0.0005)
    assert overlap[load.argmax()] == pytest.approx(0.967, abs=0.0005)


def test_instrument_each_seed_has_patterns_and_cues_of_its_own(claim, monkeypatch):
    """What is handed to the dynamics differs from seed to seed."""
    seen, arm = [], {"task": "recall", "font": "round", "rule": "hebbian", "load": 0.1, "flipped": 0.1}

    def settle_and_tell(couplings, begin, *others):
        seen.append((couplings, begin))
        return settle(couplings, begin, *others)

    monkeypatch.setattr(claim.experiment, "settle", settle_and_tell)
    rest = {"neurons": 50, "starts": 4, "kept_couplings": 1.0, "most_sweeps": 5}
    claim.experiment.measure("any", seeds_of("instrument", 0, range(2)), **arm, **rest)

    assert all((one != other).any() for one, other in zip(*seen, strict=True))


@pytest.mark.parametrize(("task", "meant", "given"), [("damaged_letter", "A", 4), ("unlearned_letter", "D", 4)])
def test_instrument_letters_are_given_damaged_among_a_b_and_c(claim, task, meant, given):
    """Stored are A, B and C; each start is the letter meant with a tenth of its pixels flipped."""
    letters = claim.experiment.letters
    patterns, originals, begin = claim.experiment.cues(task, "pointed", 400, 0.0, 0.1, 7, SEED.numpy("cues"))

    np.testing.assert_array_equal(patterns, letters("ABC", "pointed"))
    np.testing.assert_array_equal(originals, letters(meant * 7, "pointed"))
    assert ((begin != originals).sum(axis=1) == given).all()
