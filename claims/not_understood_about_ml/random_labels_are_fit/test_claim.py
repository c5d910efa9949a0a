"""Verdicts, controls, timings; checks of the instrument: labels, regularisers, the rule to do better than, what is kept apart."""

from __future__ import annotations

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(4))


def drawn(claim, labels="random", n_train=300, n_test=200):
    return claim.experiment.examples(SEEDS, n_train=n_train, n_test=n_test, labels=labels)


def trained(claim, split, dropout=0.0, weight_decay=0.0, epochs=4):
    from harness.training import Optimiser, Recipe

    optimiser = Optimiser("sgd", 0.1, momentum=0.9, weight_decay=weight_decay)
    recipe = Recipe(optimiser, batch_size=100, epochs=epochs, initialiser="he")
    return claim.experiment.fit(SEEDS, split, recipe, width=8, dropout=dropout)


def test_instrument_random_labels_say_nothing_about_the_digits(claim):
    """They agree with the true ones in a tenth of the cases; within five standard errors over eight thousand labels."""
    sizes = {"n_train": 2000, "n_test": 100}
    true, drawn = (claim.experiment.examples(SEEDS, labels=labels, **sizes).train[1] for labels in ("true", "random"))

    assert abs((true == drawn).double().mean().item() - 0.1) < 5 * (0.09 / 8000) ** 0.5


def test_instrument_true_and_random_labels_come_with_the_same_digits(claim):
    import torch

    sizes = {"n_train": 100, "n_test": 100}
    true, drawn = (claim.experiment.examples(SEEDS, labels=labels, **sizes) for labels in ("true", "random"))

    assert torch.equal(true.train[0], drawn.train[0])
    assert torch.equal(true.test[1], drawn.test[1])


def test_instrument_dropout_is_in_the_network_that_asks_for_it(claim):
    from torch import nn

    layers = claim.experiment.network(4, 0.5)

    assert sum(isinstance(layer, nn.Dropout) for layer in layers) == 2
    assert not any(isinstance(layer, nn.Dropout) for layer in claim.experiment.network(4, 0.0))
    assert sum(p.numel() for p in layers.parameters()) == 3210


def test_instrument_dropout_and_weight_decay_reach_the_training(claim):
    split = drawn(claim)
    plain, dropped, decayed = (trained(claim, split, *own).weights["0.weight"] for own in ((), (0.5,), (0.0, 0.1)))

    assert (plain != dropped).any((1, 2)).all()
    assert (decayed.square().sum((1, 2)) < 0.9 * plain.square().sum((1, 2))).all()


def test_instrument_dropout_is_over_when_errors_are_counted(claim):
    split = drawn(claim)
    networks = trained(claim, split, 0.5)

    assert (networks.predict(split.train[0]) == networks.predict(split.train[0])).all()


def test_instrument_the_nearest_mean_of_a_class_errs_on_a_fifth(claim):
    """The rule that the band of generalises_from_true_labels is held against, on as many digits."""
    import torch

    split = drawn(claim, "true", n_train=1000, n_test=3000)
    errors = []
    for digits, labels, others, theirs in zip(*split.train, *split.test, strict=True):
        means = torch.stack([digits[labels == label].mean(0) for label in range(10)])
        errors.append((torch.cdist(others, means).argmin(1) != theirs).double().mean().item())

    assert 0.2 < sum(errors) / len(errors) < 0.22


def test_instrument_no_digit_is_both_trained_on_and_tested_on(claim):
    from fixtures.leakage import images_in_both

    assert images_in_both(drawn(claim, n_train=1000)) == [0, 0, 0, 0]


def test_instrument_each_seed_draws_digits_and_labels_of_its_own(claim):
    """Of five thousand two seeds have few in common: three hundred draws one in seventeen, two hundred one in 25."""
    from fixtures.leakage import common

    plain = claim.experiment.mnist.draw(SEEDS, 300, 200)
    split = drawn(claim)

    for (inks, _), (_, labels) in zip((plain.train, plain.test), (split.train, split.test), strict=True):
        assert common(inks[0], inks[1]) < 0.15 * inks.shape[1]
        assert (labels[0] != labels[1]).double().mean() > 0.5


def test_instrument_training_sees_nothing_of_the_test_digits(claim):
    """Neither to stop by nor otherwise: without them the networks are the same, bit for bit."""
    from fixtures.leakage import without_test

    split = drawn(claim)
    one, other = (trained(claim, own, 0.5, epochs=40).predict(split.train[0]) for own in (split, without_test(split)))

    assert (one == other).all()


def test_instrument_each_error_is_that_of_its_own_part(claim):
    from fixtures.leakage import exchanged

    split = drawn(claim, "true")
    networks = trained(claim, split, epochs=40)
    found, swapped = (claim.experiment.score(networks, own) for own in (split, exchanged(split)))

    # What was trained on is known better.
    assert (found["train_error"] < found["test_error"]).all()
    assert (found["train_error"] == swapped["test_error"]).all()
    assert (found["test_error"] == swapped["train_error"]).all()
