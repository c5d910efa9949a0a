"""Verdicts, controls, timings; checks of the instrument: all batches enumerated, what they are drawn from, how many updates."""

from __future__ import annotations

from itertools import combinations, product

import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))
SIZES = {"n_train": 60, "n_test": 20, "side": 7}


def recipe(**length):
    from harness.training import Optimiser, Recipe

    return Recipe(Optimiser("sgd", 0.1), 5, initialiser="he", rates=(0.1, 1.0), **length)


def few(claim, number, *, normalized=False):
    """Return so many digits of every seed, and the networks that descent begins with."""
    inputs, labels = claim.experiment.examples(SEEDS, **SIZES).train
    digits = inputs[:, :number], labels[:, :number]
    return digits, claim.experiment.untrained(SEEDS, digits, recipe(steps=0), 8, normalized=normalized)


def of_all_of(claim, digits, networks, batches):
    """Return the gradient of every batch, a tuple of rows each, (batches, n_seeds, parameters)."""
    import torch

    every = (torch.tensor([rows] * 2) for rows in batches)
    return torch.stack([claim.experiment.of_batch(networks, digits, rows) for rows in every])


@pytest.mark.parametrize("normalized", [False, True])
def test_instrument_all_pairs_of_six_digits_average_to_the_gradient_unless_normalized(claim, normalized):
    """The expected gradient of a random batch itself, not one epoch's mean: all fifteen batches of two."""
    digits, networks = few(claim, 6, normalized=normalized)
    full = claim.experiment.of_all(networks, digits)
    mean = of_all_of(claim, digits, networks, combinations(range(6), 2)).mean(0)

    bias = (mean - full).norm(dim=1) / full.norm(dim=1)

    assert ((bias > 0.05) if normalized else (bias < 1e-12)).all()


def test_instrument_variance_of_all_draws_is_that_of_one_digit_over_the_size(claim):
    """Enumerated: each of the four, sixteen and sixty-four equally likely batches of one, two and three of four digits."""
    import torch

    digits, networks = few(claim, 4)
    full = claim.experiment.of_all(networks, digits)
    found = [
        claim.experiment.variance(networks, digits, torch.tensor([list(product(range(4), repeat=size))] * 2))
        for size in (1, 2, 3)
    ]
    apart = of_all_of(claim, digits, networks, [(0,), (1,), (2,), (3,)]) - full

    torch.testing.assert_close(found[0], apart.square().sum(2).mean(0) / full.square().sum(1))
    for size, own in enumerate(found, 1):
        torch.testing.assert_close(own, found[0] / size)


def test_instrument_gradient_of_the_outputs_biases_is_that_worked_out_on_paper(claim):
    """Probabilities less one at the label, their mean over the batch: the last ten numbers of a gradient."""
    import torch

    digits, networks = few(claim, 6)
    rows = torch.tensor([[0, 3, 4], [5, 1, 1]])
    found = claim.experiment.of_batch(networks, digits, rows)[:, -10:]
    chances = networks.predict(digits[0]).softmax(2)
    wanted = chances - torch.nn.functional.one_hot(digits[1], 10)

    for number in range(2):
        torch.testing.assert_close(found[number], wanted[number, rows[number]].mean(0))


def test_instrument_an_epoch_has_the_batches_that_training_takes_each_digit_in_one(claim, monkeypatch):
    import torch

    seen = []
    monkeypatch.setattr(claim.experiment, "of_batch", lambda _, __, rows: seen.append(rows) or torch.zeros(2, 1))
    claim.experiment.mean_over_an_epoch([None] * 2, claim.experiment.examples(SEEDS, **SIZES).train, SEEDS, 5)

    assert len(seen) == 12
    assert torch.equal(torch.cat(seen, 1).sort(1).values, torch.arange(60).repeat(2, 1))
    assert torch.equal(torch.cat(seen, 1)[1], torch.randperm(60, generator=SEEDS[1].torch("batches")))


@pytest.mark.parametrize("members", ["all", "of one class"])
def test_instrument_random_batches_are_drawn_from_all_digits_or_from_one_class(claim, members):
    import torch

    labels = claim.experiment.examples(SEEDS, **SIZES).train[1][0]
    batches = claim.experiment.drawn(labels, 20, 300, SEEDS[0], members)
    classes = [len(set(labels[rows].tolist())) for rows in batches]
    distinct = sum(len(set(rows.tolist())) for rows in batches) / 300

    assert batches.shape == (300, 20)
    assert set(batches.flatten().tolist()) == set(range(60))
    # With replacement: of 60 digits 60 (1 - (59/60)^20) are in a batch, of the six of one class all but 6 (5/6)^20.
    assert distinct == pytest.approx(17.13 if members == "all" else 5.84, abs=0.4)
    assert min(classes) > 4 if members == "all" else set(classes) == {1}
    assert torch.equal(batches, claim.experiment.drawn(labels, 20, 300, SEEDS[0], members))


def test_instrument_a_pass_in_small_batches_is_as_many_updates_as_the_other_arm_takes(claim):
    """As claim.yaml has it, with its thousand digits: twenty each, where all digits at once make one."""
    from dataclasses import replace

    arms, number = claim.plan.claim.arms, claim.plan.settings["n_train"]
    passes = replace(recipe(epochs=arms["equal_passes"]["epochs"]), batch_size=50)

    assert passes.steps_in_all(number) == arms["equal_updates"]["steps"] == 20
    assert replace(passes, batch_size=1000).steps_in_all(number) == 1


def test_instrument_training_sees_nothing_of_the_test_digits(claim):
    """Neither to stop by nor to choose a rate by: without them the networks are the same, bit for bit."""
    from fixtures.leakage import without_test

    split = claim.experiment.examples(SEEDS, **SIZES)
    one, other = (
        claim.experiment.fit(SEEDS, own, recipe(epochs=2), width=8, normalized=False)
        for own in (split, without_test(split))
    )

    assert (one.predict(split.train[0]) == other.predict(split.train[0])).all()
