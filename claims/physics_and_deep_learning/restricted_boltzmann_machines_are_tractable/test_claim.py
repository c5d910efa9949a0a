"""Checks of the instrument: conditionals by the joint energy, covariances in closed form, the chain done slowly."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from fixtures.cube import vertices
from harness.claim_tests import test_control, test_reading
from harness.seeds import seeds_of

SEED = seeds_of("instrument", 0, range(1))[0]


def test_instrument_conditionals_are_those_of_the_joint_energy(claim):
    """All states of a machine of two visible and three hidden units, connected throughout, one sum over pairs at a time."""
    couplings, biases = claim.experiment.machine(SEED, 2, 3, 1.0, 1.0)
    joint = np.zeros((4, 8))
    for row, v in enumerate(vertices(2)):
        for column, h in enumerate(vertices(3)):
            units = [*v, *h]
            pairs = sum(couplings[i, j] * units[i] * units[j] for i in range(5) for j in range(i))
            joint[row, column] = np.exp(pairs + biases @ units)
    hidden_fields = biases[2:] + vertices(2) @ couplings[:2, 2:]
    visible_fields = biases[:2] + vertices(3) @ couplings[2:, :2]

    given_visible = claim.experiment.probabilities(hidden_fields, couplings[2:, 2:])
    given_hidden = claim.experiment.probabilities(visible_fields, couplings[:2, :2])

    np.testing.assert_allclose(given_visible, joint / joint.sum(axis=1, keepdims=True), atol=1e-14)
    np.testing.assert_allclose(given_hidden, (joint / joint.sum(axis=0)).T, atol=1e-14)


def test_instrument_hidden_probabilities_are_those_of_the_machine_that_other_claims_train(claim):
    import torch

    from fixtures.boltzmann import RestrictedBoltzmannMachine

    couplings, biases = claim.experiment.machine(SEED, 4, 5, 1.0, 0.0)
    numbers = (torch.from_numpy(part[None]) for part in (couplings[:4, 4:], biases[None, :4], biases[None, 4:]))
    expected = RestrictedBoltzmannMachine(*numbers).hidden(torch.from_numpy(vertices(4)[None]).double())[0]
    fields = biases[4:] + vertices(4) @ couplings[:4, 4:]

    found = claim.experiment.probabilities(fields, couplings[4:, 4:]) @ vertices(5)

    np.testing.assert_allclose(found, expected.numpy(), atol=1e-14)


def test_instrument_machine_is_symmetric_and_restricted_where_it_says(claim):
    couplings, _ = claim.experiment.machine(SEED, 4, 5, 1.0, 0.0)
    connected, _ = claim.experiment.machine(SEED, 4, 5, 1.0, 1.0)

    np.testing.assert_array_equal(couplings, couplings.T)
    assert (np.diag(connected) == 0).all()
    assert (couplings[:4, :4] == 0).all()
    assert (couplings[4:, 4:] == 0).all()
    np.testing.assert_array_equal(couplings[:4, 4:], connected[:4, 4:])
    assert np.count_nonzero(connected) == 9 * 8


@pytest.mark.parametrize("coupling", [0.0, 1.0])
def test_instrument_dependence_of_two_units_has_a_closed_form(claim, coupling):
    """Weights 1, e^a, e^b, e^(a+b+c): covariance p11 p00 - p10 p01, and p11 against the product of sigmoids."""
    a, b = 0.3, -0.7
    weights = np.exp([[0, b], [a, a + b + coupling]])
    (p00, p01), (p10, p11) = weights / weights.sum()
    errors = [
        p00 - expit(-a) * expit(-b),
        p01 - expit(-a) * expit(b),
        p10 - expit(a) * expit(-b),
        p11 - expit(a) * expit(b),
    ]
    lateral = np.array([[0, coupling], [coupling, 0]])

    covariance, error = claim.experiment.dependence(np.array([[a, b], [50.0, 50.0]]), lateral)

    assert covariance == pytest.approx(abs(p11 * p00 - p10 * p01), abs=1e-15)
    assert error == pytest.approx(max(map(abs, errors)), abs=1e-15)
    assert (covariance > 0.01) == (error > 0.01) == (coupling > 0)


def test_instrument_chain_is_that_of_plain_gibbs_sampling(claim):
    """With the same draws, state by state, from fields that are summed at every turn."""
    couplings, fields = claim.experiment.machine(SEED, 0, 4, 1.0, 1.0)
    found = claim.experiment.running_means(fields, couplings, 50, SEED.numpy("chain"))

    generator, total = SEED.numpy("chain"), np.zeros(4)
    state = vertices(4)[generator.integers(16)].copy()
    for sweep, draws in enumerate(generator.random((50, 4)), start=1):
        for unit in range(4):
            chance = expit(fields[unit] + couplings[unit] @ state)
            total[unit] += chance
            state[unit] = draws[unit] < chance
        np.testing.assert_allclose(found[sweep - 1], total / sweep, atol=1e-12)


@pytest.mark.parametrize("lateral", [0.0, 1.0])
def test_instrument_chain_comes_to_the_exact_means(claim, lateral):
    """Without couplings at once; with them after 20,000 sweeps within 0.02, four times what independent sweeps would leave."""
    couplings, fields = claim.experiment.machine(SEED, 0, 4, 1.0, lateral)
    exact = claim.experiment.probabilities(fields[None], couplings)[0] @ vertices(4)
    means = claim.experiment.running_means(fields, couplings, 20_000, SEED.numpy("chain"))

    np.testing.assert_allclose(means[-1], exact, atol=0.02)
    assert (claim.experiment.settled(means, exact, 1e-9) == 1) == (lateral == 0)


@pytest.mark.parametrize(
    ("errors", "sweep"), [([0, 0, 0], 1), ([2, 0, 0], 2), ([0, 2, 0], 3), ([2, 0, 2], 3), ([0.5, 0, 2, 0, 0.5], 4)]
)
def test_instrument_means_have_settled_when_they_stay_near(claim, errors, sweep):
    means = np.array([[0.0, error] for error in errors])

    assert claim.experiment.settled(means, np.zeros(2), 1.0) == sweep
