"""Verdicts, controls and timings; checks of the instrument: what each start is, and what training and its choice of rates see."""

from __future__ import annotations

import numpy as np
import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))
SIZES = {"n_train": 40, "n_test": 30, "side": 7}
RULE = {
    "epochs": 1,
    "batch_size": 10,
    "learning_rate": 0.1,
    "momentum": 0.5,
    "weight_decay": 0.0,
    "initial_spread": 0.1,
}
DIVERGENCE = {f"pretraining_{name}": value for name, value in RULE.items()}


def start(claim, kind, **rule):
    """Return what a small network of two hidden layers starts from."""
    return claim.experiment.start_of(SEEDS, start=kind, hidden=(6, 5), device="cpu", **SIZES, **DIVERGENCE | rule)


def recipe(**rest):
    from harness.training import Optimiser, Recipe

    return Recipe(Optimiser("sgd", 0.1, 0.9), 10, **rest)


def fit(claim, split, how, kind="random", depth=2):
    settings = {"start": kind, **SIZES, "depth": depth, "width": 6, "activation": "sigmoid", **DIVERGENCE}
    return claim.experiment.fit(SEEDS, split, how, **settings)


def test_instrument_networks_begin_by_computing_what_the_stack_does(claim):
    """An arm without a step of training: its hidden layers are the machines' probabilities, layer upon layer."""
    import torch

    experiment = claim.experiment
    split = experiment.examples(SEEDS, **SIZES)
    machines = experiment.ContrastiveDivergence(**RULE).train_stack(split.train[0], (6, 6), SEEDS)
    networks = fit(claim, split, recipe(steps=0), "pretrained")

    expected = machines[1].hidden(machines[0].hidden(split.test[0]))

    torch.testing.assert_close(networks.features(split.test[0], 4), expected)


def test_instrument_all_starts_of_logistic_units_share_the_output_layer(claim):
    """Pre-trained, shuffled and random differ in their hidden layers alone."""
    import torch

    split = claim.experiment.examples(SEEDS, **SIZES)
    found = [fit(claim, split, recipe(steps=0), kind).weights for kind in ("random", "pretrained", "shuffled")]

    for own in found[1:]:
        assert torch.equal(own["4.weight"], found[0]["4.weight"])
        assert not torch.equal(own["2.weight"], found[0]["2.weight"])
    for layer in ("0.weight", "2.weight"):
        assert torch.equal(*(own[layer].flatten(1).sort(1).values for own in found[1:]))


def test_instrument_without_epochs_of_pretraining_weights_are_as_small_as_they_were_drawn(claim):
    weights = start(claim, "pretrained", pretraining_epochs=0)

    assert weights["0.weight"].std().item() == pytest.approx(0.1, rel=0.1)
    assert not any(weights[name].any() for name in ("0.bias", "2.bias"))


def test_instrument_pretraining_sees_the_training_images_alone(claim, monkeypatch):
    """What reaches the stack are the images of each seed's training set, in their order, and nothing else."""
    import torch

    from fixtures.leakage import images_of_stacks

    seen = images_of_stacks(claim.experiment, monkeypatch)
    start(claim, "pretrained")

    assert len(seen) == 1
    assert torch.equal(seen[0], claim.experiment.examples(SEEDS, **SIZES).train[0])


@pytest.mark.parametrize("kind", ["random", "pretrained"])
def test_instrument_neither_training_nor_the_choice_of_rates_sees_the_test_digits(claim, kind):
    """Without them the networks are the same, bit for bit."""
    from fixtures.leakage import without_test

    split = claim.experiment.examples(SEEDS, **SIZES)
    how = recipe(epochs=2, rates=(0.01, 0.1, 1.0))
    one, other = (fit(claim, own, how, kind) for own in (split, without_test(split)))

    assert (one.predict(split.train[0]) == other.predict(split.train[0])).all()


@pytest.mark.parametrize(
    ("initialiser", "activation", "kept"),
    [("uniform", "sigmoid", 1 / 48), ("xavier_sigmoid", "sigmoid", 1.0), ("he", "relu", 1.0)],
)
def test_instrument_gradients_vanish_or_not_as_the_bands_say(claim, initialiser, activation, kept):
    """What a layer leaves of a gradient's variance: at most 1/48, 1 and about 1, by the square root from layer to layer."""
    import torch

    from fixtures.curvature import gradient

    split = claim.experiment.examples(SEEDS, **SIZES | {"n_train": 200})
    how = recipe(steps=0, initialiser=initialiser)
    settings = {"start": "random", **SIZES, "depth": 6, "width": 50, "activation": activation, **DIVERGENCE}
    networks = claim.experiment.fit(SEEDS, split, how, **settings)
    slopes = gradient(networks, *split.train, "cross_entropy")
    # By the biases', which are the back-propagated signals themselves.
    sizes = torch.stack([slopes[f"{layer}.bias"].norm(dim=1) for layer in (2, 10)])
    per_layer = (sizes[0] / sizes[1]).square() ** (1 / 4)

    assert np.all(per_layer.numpy() < 1.5 * kept)
    assert np.all(per_layer.numpy() > 0.3 * kept)


def test_instrument_losses_are_mean_cross_entropies_in_nat(claim):
    import torch

    split = claim.experiment.examples(SEEDS, **SIZES)
    networks = fit(claim, split, recipe(epochs=1))
    found = claim.experiment.score(networks, split)

    for number in range(2):
        outputs = networks.predict(split.train[0])[number]
        chances = outputs.softmax(1)[torch.arange(40), split.train[1][number]]
        assert found["train_loss"][number] == pytest.approx(-chances.log().mean().item(), rel=1e-5)
