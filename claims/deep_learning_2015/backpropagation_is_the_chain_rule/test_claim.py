"""Verdicts, controls; checks of the instrument: a network by hand, every single derivative, least squares by eigenvectors."""

from __future__ import annotations

import numpy as np
import pytest

from harness.claim_tests import test_control, test_reading
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))
SHAPE = {"examples": 6, "width": 3, "outputs": 2}
FORMULAS = {"relu": "max(0, z)", "sigmoid": "1 / (1 + exp(-z))", "tanh": "sinh(z) / cosh(z)"}


def drawn(claim, depth, activation="tanh"):
    examples = claim.experiment.drawn(SEEDS, "examples", **SHAPE)
    return examples, claim.experiment.untrained(SEEDS, examples, depth, activation, "uniform")


def test_instrument_chain_rule_of_one_unit_is_that_worked_out_on_paper(claim):
    """Input 2, weight 0.5, bias -1 (sum 0, sigmoid 1/2), weight 3, bias 1, target 1: output 2.5, slope 3, and so on down."""
    from dataclasses import replace

    import torch

    one = torch.ones(1, 1, 1, dtype=torch.float64)
    network = claim.experiment.untrained(SEEDS[:1], (2 * one, one), 1, "sigmoid", "uniform")
    values = zip(network.weights, (0.5, -1.0, 3.0, 1.0), strict=True)
    network = replace(network, weights={name: torch.full_like(network.weights[name], own) for name, own in values})

    slopes = claim.experiment.backward(network, (2 * one, one), "1 / (1 + exp(-z))")

    by_sum = 3.0 * 3.0 * 0.25
    assert [own.item() for own in slopes.values()] == pytest.approx([2 * by_sum, by_sum, 1.5, 3.0], abs=1e-12)


@pytest.mark.parametrize("activation", FORMULAS)
def test_instrument_every_single_derivative_is_a_difference(claim, activation):
    """All 32 numbers of a small network, one at a time, of its own forward pass in numpy; good to 1e-8."""
    examples, networks = drawn(claim, 2, activation)
    relu, sigmoid = (lambda z: z * (z > 0), lambda z: 0.5 + 0.5 * np.tanh(z / 2))
    formula = {"relu": relu, "sigmoid": sigmoid, "tanh": np.tanh}[activation]
    inputs, targets = (part[1].numpy() for part in examples)
    parts = [own[1].numpy().copy() for own in networks.weights.values()]

    def error():
        values = inputs
        for weight, bias in zip(parts[::2], parts[1::2], strict=True):
            sums = values @ weight.T + bias
            values = formula(sums)
        return ((sums - targets) ** 2).mean()

    slopes = claim.experiment.backward(networks, examples, FORMULAS[activation])
    assert sum(part.size for part in parts) == 32
    for part, slope in zip(parts, slopes.values(), strict=True):
        for place in np.ndindex(part.shape):
            found = []
            for step in (1e-6, -2e-6, 1e-6):
                part[place] += step
                found.append(error())
            assert slope[1][place].item() == pytest.approx((found[0] - found[1]) / 2e-6, abs=1e-8)


def test_instrument_directions_have_length_one_and_a_neighbour_changes_none(claim):
    import torch

    _, networks = drawn(claim, 1)
    alone = {name: own[1:] for name, own in networks.weights.items()}
    both, own = claim.experiment.directions(SEEDS, networks.weights), claim.experiment.directions(SEEDS[1:], alone)

    torch.testing.assert_close(claim.experiment.flat(both).norm(dim=1), torch.ones(2).double(), rtol=0, atol=1e-12)
    assert torch.equal(claim.experiment.flat(both)[1], claim.experiment.flat(own)[0])


@pytest.mark.parametrize(("factor", "rises"), [(1.9, False), (2.5, True), (3.0, True)])
def test_instrument_losses_of_least_squares_are_those_of_its_eigenvectors(claim, factor, rises):
    """Three steps in closed form: of what each output misses along an eigenvector, 1 - rate l is left after each."""
    experiment = claim.experiment
    examples, networks = drawn(claim, 0)
    found = experiment.largest_rise(networks, examples, factor, 3).numpy()

    for number in range(2):
        framed = np.concatenate([examples[0][number].numpy(), np.ones((6, 1))], 1)
        targets, outputs = examples[1][number].numpy(), 2
        start = np.concatenate([own[number].numpy().reshape(outputs, -1) for own in networks.weights.values()], 1).T
        eigenvalues, vectors = np.linalg.eigh(2 * framed.T @ framed / targets.size)
        best = np.linalg.lstsq(framed, targets, rcond=None)[0]
        left = [
            (1 - factor * eigenvalues / eigenvalues[-1])[:, None] ** step * (vectors.T @ (start - best))
            for step in range(4)
        ]
        losses = [((framed @ (best + vectors @ own) - targets) ** 2).mean() for own in left]
        assert found[number] == pytest.approx(np.diff(losses).max() / losses[0], rel=1e-9)
        assert (np.diff(losses).max() > 0) == rises
