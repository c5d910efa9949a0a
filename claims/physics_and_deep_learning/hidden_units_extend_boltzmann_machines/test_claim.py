"""Checks of the instrument: gradients, likelihoods counted elsewhere, the best pairwise machine by another way, samples."""

from __future__ import annotations

from math import exp, log, log1p

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.special import rel_entr

from fixtures.cube import vertices
from harness.claim_tests import test_control, test_reading
from harness.seeds import seeds_of

SEED = seeds_of("instrument", 0, range(1))[0]
FIT = {"starts": 10, "spread": 1.0}


def proportional_fitting(target, rounds=200):
    """The pairwise distribution with the target's pair marginals, by scaling each marginal in turn (Deming & Stephan 1940)."""
    found, wanted = np.full((2, 2, 2), 1 / 8), target.reshape(2, 2, 2)
    for _ in range(rounds):
        for left_out in range(3):
            found = found * (wanted.sum(left_out, keepdims=True) / found.sum(left_out, keepdims=True))
    return rel_entr(wanted, found).sum()


@pytest.mark.parametrize("target", ["even_parity", "ising_ring", "drawn"])
def test_instrument_best_pairwise_machine_is_that_of_proportional_fitting(claim, target, monkeypatch):
    """Which needs no gradient and no parameters; two hundred rounds leave less than a millionth."""
    monkeypatch.setitem(claim.experiment.TARGETS, "drawn", SEED.numpy("target").dirichlet(np.ones(8)))
    end = claim.experiment.fit(SEED, target=target, pairs=True, hidden=0, **FIT)
    expected = {"even_parity": log(2), "ising_ring": 0.0}

    assert end.fun == pytest.approx(proportional_fitting(claim.experiment.TARGETS[target]), abs=1e-6)
    assert end.fun == pytest.approx(expected.get(target, end.fun), abs=1e-6)
    assert target != "drawn" or end.fun > 1e-3


def test_instrument_no_pairwise_machine_comes_nearer_to_parity_than_ln_2(claim):
    """Of a thousand with couplings of all sizes none does; without couplings it is exactly that."""
    terms, parity = claim.experiment.visible_terms(pairs=True), claim.experiment.TARGETS["even_parity"]
    machines = np.geomspace(0.01, 10, 1000)[:, None] * SEED.numpy("machines").standard_normal((1000, 6))
    found = [claim.experiment.divergence(parameters, parity, terms, 0)[0] for parameters in machines]

    np.testing.assert_allclose(parity @ terms, np.full(8, 1 / 8) @ terms, atol=1e-15)  # what fixes the best machine
    assert min(found) > log(2) - 1e-12
    assert claim.experiment.divergence(np.zeros(6), parity, terms, 0)[0] == pytest.approx(log(2), abs=1e-15)


@pytest.mark.parametrize(("pairs", "hidden"), [(True, 0), (False, 4), (True, 2)])
def test_instrument_gradient_is_that_of_differences(claim, pairs, hidden):
    terms = claim.experiment.visible_terms(pairs=pairs)
    parameters = SEED.numpy("parameters").standard_normal(terms.shape[1] + 4 * hidden)
    given = claim.experiment.TARGETS["ising_ring"], terms, hidden
    value, gradient = claim.experiment.divergence(parameters, *given)
    slope = approx_fprime(parameters, lambda at: claim.experiment.divergence(at, *given)[0], 1e-7)

    assert value > 0
    np.testing.assert_allclose(gradient, slope, atol=1e-5)


def test_instrument_likelihood_is_that_of_another_count(claim):
    """fixtures.likelihood has it by sums over all visible states in torch; of parity it is less by its entropy, ln 4."""
    import torch

    from fixtures.boltzmann import RestrictedBoltzmannMachine
    from fixtures.likelihood import log_likelihood

    parameters = SEED.numpy("parameters").standard_normal(3 + 4 * 4)
    bias, weights = torch.from_numpy(parameters[None, None, :3]), torch.from_numpy(parameters[3:].reshape(1, 4, 4))
    machine = RestrictedBoltzmannMachine(weights[:, :3], bias, weights[:, 3:])
    parity = claim.experiment.TARGETS["even_parity"]
    patterns = torch.from_numpy(claim.experiment.STATES[parity > 0][None])

    value, _ = claim.experiment.divergence(parameters, parity, claim.experiment.visible_terms(pairs=False), 4)

    assert patterns.shape == (1, 4, 3)
    assert value == pytest.approx(-log(4) - float(log_likelihood(machine, patterns)), abs=1e-12)


@pytest.mark.parametrize("depth", [1.0, 10.0])
def test_instrument_construction_leaves_what_its_formula_says(claim, depth):
    """An odd state is one bit from three states of the target and three bits from the fourth."""
    odd = (1 + exp(-depth)) ** 3 * (1 + exp(-5 * depth))
    even = (1 + exp(depth)) * (1 + exp(-3 * depth)) ** 3
    found = claim.experiment.built(SEED, target="even_parity", pairs=False, hidden=4, depth=depth)

    assert found == pytest.approx(log1p(odd / even), rel=1e-9)


def one_sweep(couplings, temperature):
    """The chances of going from each state of a small network to each other one in a sweep, as a product of its updates."""
    states = 2.0 * vertices(len(couplings)) - 1
    sweep = np.eye(len(states))
    for neuron, row in enumerate(couplings):
        on = 1 / (1 + np.exp(-2 * states @ row / temperature))
        others = np.delete(states, neuron, axis=1)
        same = (others[:, None] == others).all(axis=2)
        sweep = sweep @ (same * np.where(states[:, neuron] > 0, on[:, None], 1 - on[:, None]))
    return sweep


@pytest.mark.parametrize(("couplings", "stays"), [("symmetric", True), ("one_way", False)])
def test_instrument_a_sweep_leaves_what_the_energy_says_as_it_is(claim, couplings, stays):
    """By the matrix of all transitions of four neurons, and by sampling: chance leaves 15 / 200,000 nat."""
    weights = claim.experiment.network(SEED, 4, 2, couplings)
    sweep, exact = one_sweep(weights, 0.7), claim.experiment.boltzmann(weights, 0.7)
    found = claim.experiment.frequencies(SEED, weights, 0.7, chains=500, burn_in=50, sweeps=200)
    stationary = np.linalg.matrix_power(sweep, 1000)[0]

    np.testing.assert_allclose(sweep.sum(axis=1), 1, atol=1e-12)
    assert (abs(exact @ sweep - exact).max() < 1e-12) == stays
    assert rel_entr(found, stationary).sum() < 0.002
    assert (rel_entr(found, exact).sum() < 0.002) == stays


def test_instrument_one_way_couplings_have_the_same_energy(claim):
    ways = [claim.experiment.network(SEED, 6, 2, couplings) for couplings in ("symmetric", "one_way")]

    assert (ways[0] != ways[1]).any()
    np.testing.assert_allclose(*(claim.experiment.boltzmann(weights, 1.0) for weights in ways), atol=1e-15)
