"""Checks of the instrument: both optima against search, and the figures that others computed."""

from __future__ import annotations

import numpy as np
import pytest

from harness.claim_tests import test_control, test_reading
from harness.seeds import seeds_of

PUBLISHED, REFITTED = (0.34, 0.28, 406.4, 410.7), (0.3478, 0.3658, 482.01, 2085.43)


@pytest.mark.parametrize("coefficients", [PUBLISHED, REFITTED])
def test_instrument_training_optimum_is_the_least_loss_of_its_budget(claim, coefficients):
    """Among two hundred thousand sizes that spend the same compute none has less loss, and the best is within 1e-4."""
    law = claim.experiment.Law(*coefficients)
    size, tokens = law.training_optimum(5.76e23)
    sizes = size * np.exp(np.linspace(-5, 5, 200_001))
    losses = law.excess(sizes, 5.76e23 / 6 / sizes)

    assert 6 * size * tokens == pytest.approx(5.76e23)
    assert sizes[losses.argmin()] == pytest.approx(size, rel=1e-4)


@pytest.mark.parametrize("coefficients", [PUBLISHED, REFITTED])
@pytest.mark.parametrize("served", [1e12, 1e13])
def test_instrument_cheapest_model_costs_least_at_its_loss(claim, coefficients, served):
    """Among sizes of the same loss none takes less compute; the loss is the one asked for."""
    law = claim.experiment.Law(*coefficients)
    excess = law.excess(*law.training_optimum(5.76e23))
    size, tokens = law.cheapest(excess, served, 1)
    sizes = size * np.exp(np.linspace(-0.5, 3, 200_001))
    needed = (law.b / (excess - law.a / sizes**law.alpha)) ** (1 / law.beta)
    costs = 6 * sizes * needed + 2 * sizes * served

    assert law.excess(size, tokens) == pytest.approx(excess)
    assert sizes[costs.argmin()] == pytest.approx(size, rel=1e-4)


@pytest.mark.parametrize(("served", "growth"), [(0, 1), (1e13, 0)])
def test_instrument_cheapest_model_is_the_training_optimum_where_inference_moves_nothing(claim, served, growth):
    """Least compute at a loss and least loss at a compute are one place."""
    law = claim.experiment.Law(*REFITTED)
    optimum = law.training_optimum(5.76e23)

    assert law.cheapest(law.excess(*optimum), served, growth) == pytest.approx(optimum, rel=1e-9)


@pytest.mark.parametrize(
    ("coefficients", "tokens_per_parameter"),
    [
        (PUBLISHED, 92.6),
        ((0.336, 0.283, 406.4, 410.7), 55.2),
        ((0.3392, 0.2849, 406.4, 410.7), 59.1),
        (REFITTED, 18.4),
    ],
)
def test_instrument_agrees_with_figures_worked_out_by_hand(claim, coefficients, tokens_per_parameter):
    size, tokens = claim.experiment.Law(*coefficients).training_optimum(5.76e23)

    assert tokens / size == pytest.approx(tokens_per_parameter, abs=0.05)


def test_instrument_draws_coefficients_around_the_fitted_ones(claim):
    """Over four hundred seeds their means and spreads are those asked for, within five standard errors."""
    law, seeds = claim.experiment.Law(*REFITTED), seeds_of("instrument", 0, range(400))
    laws = [claim.experiment.drawn(law, seed, 0.02, 0.26, 0.62) for seed in seeds]
    found = np.array([[each.alpha, each.beta, np.log(each.a), np.log(each.b)] for each in laws])
    spread = np.array([0.02, 0.02, 0.26, 0.62])

    assert (abs(found.mean(0) - [0.3478, 0.3658, np.log(482.01), np.log(2085.43)]) < 5 * spread / 20).all()
    assert (abs(found.std(0) / spread - 1) < 5 / 800**0.5).all()
