"""Checks of the instrument: exact laws, networks whose weights and outputs are drawn, and shares counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from harness.claim_tests import test_control, test_reading
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(8))

DESIGN = {"networks": 4000, "weights": "gaussian", "threshold": 0.0}

BATCHES = 50


def errors_of(values: np.ndarray) -> float:
    """Return five standard errors of a mean."""
    return 5 * values.std(ddof=1) / np.sqrt(len(values))


@pytest.mark.parametrize(("width", "depth"), [(8, 1), (32, 1), (16, 3)])
def test_instrument_excess_follows_the_exact_law(claim, width, depth):
    """Of a layer of rectifiers E q^2 = (1 + 5 / n) (E q)^2, so that the excess is (1 + 5 / n)^L - 1: five standard errors."""
    found = claim.experiment.measure("rectifier_network", SEEDS, width=width, depth=depth, **DESIGN)["excess_kurtosis"]

    assert abs(found.mean() - ((1 + 5 / width) ** depth - 1)) < errors_of(found)


def test_instrument_triple_coupling_follows_the_exact_law(claim):
    """Twice the square of a rectified Gaussian has the moments 1, 6 and 60, so the third cumulant 44, over n^2 for a mean."""
    found = claim.experiment.measure("rectifier_network", SEEDS, width=16, depth=1, **DESIGN)["triple_coupling"]

    assert abs(found.mean() - 44 / 16**2) < errors_of(found)


def test_instrument_moments_are_those_of_outputs_of_networks_with_weights(claim):
    """Two layers of six neurons and three outputs at four inputs, 200,000 networks drawn in 50 batches: five standard errors."""
    generator, pairings, width = SEEDS[0].numpy("weights"), claim.experiment.PAIRINGS, 6
    found = {"excess_kurtosis": [], "triple_coupling": [], "four_input_coupling": []}
    coordinates = np.linalg.cholesky(claim.experiment.inputs(SEEDS[0])) * 2  # inner products over four coordinates
    for _ in range(BATCHES):
        values = np.broadcast_to(coordinates, (4000, 4, 4))  # (networks, inputs, coordinates)
        for outputs in (width, width, 3):
            weights = generator.standard_normal((4000, values.shape[2], outputs)) * np.sqrt(2 / values.shape[2])
            before = values @ weights
            values = np.maximum(before, 0)
        one, three = before[:, :, 0], before[:, 0] ** 2
        pairs = one.T @ one / 4000
        alone = sum(pairs[a] * pairs[b] for a, b in pairings)
        found["excess_kurtosis"].append((one[:, 0] ** 4).mean() / (3 * pairs[0, 0] ** 2) - 1)
        found["triple_coupling"].append((three - three.mean(0)).prod(1).mean() / three.mean() ** 3)
        found["four_input_coupling"].append(one.prod(1).mean() / alone - 1)
    activation = claim.experiment.neurons("gaussian", 0.0, generator)
    settings = (claim.experiment.inputs(SEEDS[0]), width, 2, activation, 100_000, SEEDS[0].numpy("networks"))

    expected = claim.experiment.moments(claim.experiment.last_activations(*settings), 2)

    for metric, values in found.items():
        drawn = np.array(values)
        assert abs(drawn.mean() - expected[metric]) < errors_of(drawn) + 0.02 * expected[metric], metric


def test_instrument_shares_and_silence_are_counted(claim):
    """Of 3 and 4 the larger has 16 of 25; a network without any activation has no largest share, and is silent."""
    activations = np.zeros((2, 4, 4))
    activations[0, :2] = np.array([[3.0], [4.0]])

    counted = claim.experiment.moments(activations, 1)

    assert counted["largest_share"] == pytest.approx(16 / 25)
    assert counted["zero_fraction"] == pytest.approx(3 / 4)


def test_instrument_thresholds_and_weights_have_the_laws_that_they_name(claim):
    """Beyond two deviations lie 2.3 per cent of Gaussian preactivations, beyond one a quarter of Cauchy ones; a size is shared."""
    generator = SEEDS[0].numpy("laws")
    z = np.sqrt(2) * generator.standard_normal((2000, 100, 1))
    beyond = claim.experiment.neurons("gaussian", 2 * np.sqrt(2), generator)(z) > 0
    heavy = claim.experiment.neurons("cauchy", np.sqrt(2), generator)(z) > 0

    common = claim.experiment.neurons("common", 0.0, generator)(np.ones((100_000, 3, 2)))

    assert (common == common[:, :1, :1]).all()
    assert abs((common[:, 0, 0] ** 2).mean() - 1) < 5 * np.sqrt(2 / 100_000)
    assert beyond.mean() == pytest.approx(0.02275, abs=5 * np.sqrt(0.02275 / z.size))
    assert heavy.mean() == pytest.approx(0.25, abs=5 * np.sqrt(0.1875 / z.size))
