"""Verdicts, controls, timings; checks of the instrument: likelihoods by counting, no backward pass, what a step is."""

from __future__ import annotations

from math import log

import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))
RULE = {
    "learning_rate": 0.5,
    "momentum": 0.0,
    "weight_decay": 0.001,
    "initial_spread": 0.1,
    "steps": 1,
    "negative_phase": True,
    "schedule": "linear",
}


def inputs_of(experiment, copies):
    import torch

    return experiment.examples(SEEDS, 3, copies, torch.empty(0, dtype=torch.float64))


def test_instrument_likelihood_lies_between_what_the_bands_are_made_of(claim):
    """Machines without weights know nothing, 9 ln 2; the bands stand half way and nine tenths of the way to ln 14."""
    from fixtures.likelihood import log_likelihood

    patterns = inputs_of(claim.experiment, 1)
    rule = claim.experiment.rule_of(patterns, **RULE | {"epochs": 0, "persistent": False, "initial_spread": 0.0})
    nothing, best = -log_likelihood(rule.train(patterns, 16, SEEDS, "machine"), patterns), log(14)

    assert nothing.tolist() == pytest.approx([9 * log(2)] * 2, abs=1e-12)
    assert patterns.shape == (2, 14, 9)
    assert (nothing[0] + best) / 2 == pytest.approx(4.44, abs=0.005)
    assert 0.1 * nothing[0] + 0.9 * best == pytest.approx(3.0, abs=0.005)


@pytest.mark.parametrize("persistent", [False, True])
def test_instrument_nothing_is_differentiated_while_machines_are_trained(claim, persistent):
    """In torch's inference mode nothing can be; the machines are the same to the last bit."""
    import torch

    inputs = inputs_of(claim.experiment, 2)
    rule = claim.experiment.rule_of(inputs, **RULE | {"epochs": 30, "persistent": persistent})
    with torch.inference_mode():
        without = rule.train(inputs, 4, SEEDS, "machine")

    for own, other in zip(rule.train(inputs, 4, SEEDS, "machine").parameters, without.parameters, strict=True):
        assert not own.requires_grad
        assert torch.equal(own, other)


def test_instrument_first_step_is_the_rules_own(claim):
    """Without the negative phase it is the mean of v h, v and h over the data, whatever rate, momentum and decay are."""
    import torch

    inputs = inputs_of(claim.experiment, 1)
    given = RULE | {"epochs": 30, "persistent": False, "negative_phase": False, "momentum": 0.5}
    fresh, step = claim.experiment.first_step(claim.experiment.rule_of(inputs, **given), inputs, 4, SEEDS)
    hidden = (inputs @ fresh.weights).sigmoid()

    torch.testing.assert_close(step.weights, inputs.mT @ hidden / 14, rtol=0, atol=1e-12)
    torch.testing.assert_close(step.visible_bias, inputs.mean(1, keepdim=True), rtol=0, atol=1e-12)
    torch.testing.assert_close(step.hidden_bias, hidden.mean(1, keepdim=True), rtol=0, atol=1e-12)


def test_instrument_differentiation_tells_the_gradient_of_these_patterns_from_that_of_others(claim):
    from fixtures.likelihood import likelihood_gradient

    experiment, patterns = claim.experiment, inputs_of(claim.experiment, 1)
    rule = experiment.rule_of(patterns, **RULE | {"epochs": 300, "persistent": False})
    machine = rule.train(patterns, 4, SEEDS, "machine")
    oracle = experiment.flat(experiment.differentiated(machine, patterns))

    for shown, least, most in ((patterns, 0.0, 1e-12), (patterns[:, :10], 0.1, float("inf"))):
        error = (experiment.flat(likelihood_gradient(machine, shown)) - oracle).norm(dim=1) / oracle.norm(dim=1)
        assert ((error >= least) & (error <= most)).all()
