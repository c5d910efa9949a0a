"""Verdicts, controls, timings; checks of the instrument: which digits are mislabelled, what is counted of them, and when."""

from __future__ import annotations

import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(3))
SIZES = {"n_train": 300, "n_test": 200, "side": 14}
TRAINING = {
    "method": "adam", "learning_rate": 0.003, "weight_decay": 0.0, "schedule": "constant", "initialiser": "he",
    "loss": "cross_entropy", "epochs": 3, "batch_size": 50, "device": "cpu", "precision": "float64",
}  # fmt: skip


def drawn(claim, labels="noisy", label_noise=0.4, **sizes):
    return claim.experiment.examples(SEEDS, labels=labels, label_noise=label_noise, **{**SIZES, **sizes})


def test_instrument_the_noise_mislabels_nine_in_ten_of_the_redrawn_digits(claim):
    """0.36 of 6,000, within five standard errors; of redrawn labels alone nine in ten are wrong."""
    split, every = drawn(claim, n_train=2000), drawn(claim, label_noise=1.0, n_train=2000)

    for digits, expected in ((split, 0.36), (every, 0.9)):
        found = (digits.drawn != digits.true).double().mean().item()
        assert abs(found - expected) < 5 * (expected * (1 - expected) / 6000) ** 0.5


def test_instrument_wrong_labels_say_nothing_about_the_digits(claim):
    """Each of the nine other classes is as frequent among them: by the chi-square of 90 pairs, within five deviations."""
    split = drawn(claim, n_train=2000)
    wrong = split.drawn != split.true
    counts = split.true.new_zeros(10, 10).index_put(
        (split.true[wrong], split.drawn[wrong]), split.true.new_ones(()), accumulate=True
    )
    expected = counts.sum(1, keepdim=True).double() / 9
    chi_square = ((counts - expected).square() / expected).fill_diagonal_(0).sum().item()

    assert counts.diagonal().sum() == 0
    assert abs(chi_square - 80) < 5 * (2 * 80) ** 0.5


def test_instrument_both_labels_come_with_the_same_digits_and_the_same_noise(claim):
    import torch

    noise, true = drawn(claim), drawn(claim, "true")

    assert torch.equal(noise.train[0], true.train[0])
    assert torch.equal(noise.drawn, true.drawn)
    assert torch.equal(noise.train[1], noise.drawn)
    assert torch.equal(true.train[1], true.true)
    assert torch.equal(noise.test[1], true.test[1])
    with pytest.raises(KeyError):
        drawn(claim, "flipped")


def test_instrument_shares_are_counted_over_mislabelled_digits_alone(claim):
    """Of five digits three are mislabelled: one is called what it is, one by its wrong label, one otherwise."""
    import torch

    true, wrong = torch.tensor([[0, 1, 2, 3, 4]]), torch.tensor([[0, 1, 3, 4, 5]])
    said = torch.tensor([[0, 9, 2, 4, 9]])

    class Networks:
        def predict(self, inputs):
            return torch.nn.functional.one_hot(said, 10).double()[:, : inputs.shape[1]]

    split = claim.experiment.Digits((torch.zeros(1, 5, 1), wrong), (torch.zeros(1, 5, 1), true), true, wrong)
    found = claim.experiment.score(Networks(), split)

    assert {name: float(own[0]) for name, own in found.items()} == pytest.approx(
        {"true_label_share": 1 / 3, "noisy_label_share": 1 / 3, "train_error": 3 / 5, "test_error": 3 / 5}
    )


def test_instrument_a_look_is_a_training_that_ends_there(claim):
    """The rate is constant, so that what is seen after two of three epochs is what two epochs make."""
    own = {**SIZES, **TRAINING, "labels": "noisy", "label_noise": 0.4, "hidden": [16]}
    looked = claim.experiment.measure("network", SEEDS, epoch=(2, 3), **own)
    short = claim.experiment.measure("network", SEEDS, epoch=(2,), **{**own, "epochs": 2})

    for name, values in looked.items():
        assert values.shape == (3, 2)
        assert (values[:, 0] == short[name][:, 0]).all()
    assert (looked["train_error"][:, 0] != looked["train_error"][:, 1]).any()


def test_instrument_the_network_has_as_many_parameters_as_claim_yaml_says(claim):
    for hidden, number in (([256, 256], 118_794), ([4, 4], 858)):
        assert sum(own.numel() for own in claim.experiment.perceptron(196, hidden, 10).parameters()) == number


def test_instrument_no_digit_is_both_trained_on_and_tested_on(claim):
    from fixtures.leakage import images_in_both

    assert images_in_both(drawn(claim, n_train=1000)) == [0, 0, 0]
