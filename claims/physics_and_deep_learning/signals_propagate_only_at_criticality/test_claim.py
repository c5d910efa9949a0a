"""Checks of the instrument: the critical variances by quadrature, the growth by theory, and networks with weights."""

from __future__ import annotations

import numpy as np
import pytest

from harness.claim_tests import test_control, test_reading
from harness.seeds import seeds_of

SEED = seeds_of("instrument", 0, range(1))[0]

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(101)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def theory_of_tanh(variance: float) -> float:
    """Return the log of chi_1 at the fixed point of an infinitely wide network with biases of variance 0.05."""
    q = 1.0
    for _ in range(2000):
        q = variance * WEIGHTS @ np.tanh(np.sqrt(q) * NODES) ** 2 + 0.05
    return float(np.log(variance * WEIGHTS @ (1 - np.tanh(np.sqrt(q) * NODES) ** 2) ** 2))


def growth(claim, **changes) -> float:
    design = {"activation": "tanh", "relative_variance": 1.0, "width": 1000, "depth": 20, "networks": 20}
    return claim.experiment.measure("tanh", (SEED,), **(design | changes))["log_growth"][0]


def test_instrument_critical_variance_of_tanh_is_where_theory_has_no_growth(claim):
    """Between 1.755 and 1.765 log chi_1 crosses zero: 1.76 is right to its last digit."""
    variance = claim.experiment.CRITICAL_VARIANCE["tanh"]

    assert theory_of_tanh(variance - 0.005) < 0 < theory_of_tanh(variance + 0.005)


@pytest.mark.parametrize("relative_variance", [0.57, 1.0, 1.7])
def test_instrument_growth_is_that_of_theory(claim, relative_variance):
    """A thousand neurons are as good as infinitely many to 0.02 per layer (four standard errors), for both activations."""
    of_tanh = growth(claim, relative_variance=relative_variance)
    of_rectifiers = growth(claim, activation="rectifier", relative_variance=relative_variance)

    assert of_tanh == pytest.approx(theory_of_tanh(1.76 * relative_variance), abs=0.02)
    assert of_rectifiers == pytest.approx(np.log(relative_variance), abs=0.02)


def test_instrument_variance_of_the_log_is_five_times_depth_over_width(claim):
    """Of 2,000 wide rectifier networks at the critical point, to a tenth (five standard errors are 0.16)."""
    design = {"activation": "rectifier", "relative_variance": 1.0, "width": 200, "depth": 10, "networks": 2000}

    found = claim.experiment.measure("rectifier", (SEED,), **design)["instability"][0]

    assert found == pytest.approx(5 * 10 / 200, rel=0.16)


def test_instrument_changes_are_those_of_two_networks_with_weights(claim):
    """Ten layers of 300 tanh neurons, drawn with weights: two inputs near each other part as the tangent says."""
    generator, width, depth, near = SEED.numpy("weights"), 300, 10, 1e-5
    logs = []
    for _ in range(40):
        first, direction = generator.standard_normal((2, width))
        pair, separations = np.stack([first, first + near * direction]), []
        for _ in range(depth):
            weights = generator.standard_normal((width, width)) * np.sqrt(1.76 * 1.7 / width)
            pair = np.tanh(pair @ weights + generator.standard_normal(width) * np.sqrt(0.05))
            separations.append(((pair[1] - pair[0]) ** 2).sum())
        logs.append(np.log(separations[-1] / separations[depth // 2 - 1]) / (depth // 2))

    expected = growth(claim, relative_variance=1.7, width=width, depth=depth, networks=200)

    assert np.mean(logs) == pytest.approx(expected, abs=5 * np.std(logs) / np.sqrt(len(logs)) + 0.01)


def test_instrument_dead_networks_are_left_out(claim):
    """Of narrow deep rectifier networks some pass nothing on; the others have finite logs."""
    values, changes = claim.experiment.squares("rectifier", 1.0, 5, 50, 200, SEED.numpy("narrow"))

    assert 0 < values.shape[1] < 200
    assert np.isfinite(np.log([values, changes])).all()
