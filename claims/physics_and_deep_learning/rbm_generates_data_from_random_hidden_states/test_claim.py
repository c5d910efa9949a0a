"""Verdicts, controls, timings; checks of the instrument: patterns, what is held out, information, and chains at rest."""

from __future__ import annotations

from math import log

import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))
RULE = {
    "hidden": 16,
    "batch_size": 64,
    "learning_rate": 0.2,
    "persistent": True,
    "momentum": 0.0,
    "weight_decay": 0.001,
    "initial_spread": 0.1,
    "schedule": "linear",
}


@pytest.mark.parametrize(("data", "number", "pixels"), [("bars", 14, 9), ("noise", 512, 9), ("scattered", 81, 12)])
def test_instrument_patterns_are_so_many_and_each_comes_once(claim, data, number, pixels):
    every = claim.experiment.patterns_of(SEEDS, data, 0, "others").every

    assert every.shape == (2, number, pixels)
    assert every.unique().tolist() == [0, 1]
    assert all(len(own.unique(dim=0)) == number for own in every)


def test_instrument_parts_are_the_81_images_with_one_pixel_on_in_each_row(claim):
    import torch

    everything = claim.experiment.patterns_of(SEEDS, "parts", 0, "others").every[0]
    images = torch.cartesian_prod(*[torch.tensor([0.0, 1.0]).double()] * 12)
    expected = images[(images.view(-1, 4, 3).sum(2) == 1).all(1)]

    assert torch.equal(everything.unique(dim=0), expected.unique(dim=0))
    assert len(expected) == 81


def test_instrument_what_is_held_out_is_not_shown_unless_all_is(claim):
    """By lot, another four of fourteen for each seed; the same four when all fourteen are shown."""
    import torch

    withheld = claim.experiment.patterns_of(SEEDS, "bars", 4, "others")
    anyway = claim.experiment.patterns_of(SEEDS, "bars", 4, "all")

    assert withheld.shown.shape == (2, 10, 9)
    for shown, held_out in zip(withheld.shown, withheld.held_out, strict=True):
        assert len(torch.cat([shown, held_out]).unique(dim=0)) == 14
    assert not torch.equal(withheld.held_out[0], withheld.held_out[1])
    assert torch.equal(withheld.held_out, anyway.held_out)
    assert anyway.shown.shape == (2, 14, 9)


def test_instrument_states_are_counted_that_are_among_the_patterns(claim):
    import torch

    patterns = claim.experiment.patterns_of(SEEDS, "bars", 0, "others").every
    noise = claim.experiment.patterns_of(SEEDS, "noise", 0, "others").every

    assert claim.experiment.share_of(noise, patterns).tolist() == [14 / 512] * 2
    assert claim.experiment.share_of(torch.cat([patterns, 1 - patterns], 1), patterns).tolist() == [1.0] * 2
    assert claim.experiment.share_of(patterns, patterns[:, :7]).tolist() == [0.5] * 2


def test_instrument_information_is_ln_2_for_a_unit_that_copies_a_pixel_and_none_without_weights(claim):
    import torch

    from fixtures.boltzmann import RestrictedBoltzmannMachine

    noise = claim.experiment.patterns_of(SEEDS, "noise", 0, "others").every
    weights = torch.zeros(2, 9, 3).double()
    weights[0, 4, 1] = 200.0
    biases = torch.zeros(2, 1, 9).double(), -weights.sum(1, keepdim=True) / 2

    information = claim.experiment.information(RestrictedBoltzmannMachine(weights, *biases), noise)

    assert information.tolist() == pytest.approx([log(2), 0.0], abs=1e-12)


def test_instrument_chains_come_to_the_machines_own_distribution(claim):
    """After many steps the share of bars is the probability that the machine gives them, within five standard errors."""
    from fixtures.likelihood import log_probability

    every = claim.experiment.patterns_of(SEEDS, "bars", 0, "others").every
    machine = claim.experiment.fit(SEEDS, every, updates=600, **RULE)
    drawn = claim.experiment.generated(machine, every, SEEDS, chains=2000, steps=[20, 200], hidden_states="learned")

    for probability, late, decoded in zip(
        log_probability(machine, every).exp().sum(1),
        drawn["valid_after_many_steps"],
        drawn["valid_from_hidden_states"],
        strict=True,
    ):
        assert late == pytest.approx(float(probability), abs=5 * (0.25 / 2000) ** 0.5)
        assert decoded == pytest.approx(float(probability), abs=5 * (0.25 / 2000) ** 0.5)
