"""Verdicts, controls, timings; checks of the instrument: modes by hand, what no batch concerns, pure batches, rates."""

from __future__ import annotations

import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))
SIZES = {"n_train": 300, "n_test": 200, "side": 14}
MODES = {"small_batch": 4, "large_batch": 50, "pure_batch": 10}


def trained(claim, normalization, rates=(0.03, 0.1), epochs=1):
    from harness.training import Optimiser, Recipe

    split = claim.experiment.examples(SEEDS, **SIZES)
    recipe = Recipe(Optimiser("sgd", rates[0]), 16, epochs=epochs, initialiser="he", precision="float64", rates=rates)
    return split, claim.experiment.fit(SEEDS, split, recipe, hidden=[20, 20], normalization=normalization)


@pytest.mark.parametrize("mode", ["small_batches", "pure_batches"])
def test_instrument_training_mode_is_torchs_own(claim, mode):
    """By a loop over batches, with an ordinary module in training mode."""
    import torch

    split, networks = trained(claim, "batch")
    found = claim.experiment.score(networks, split, mode=(mode,), **MODES)["test_error"][:, 0]
    pure = claim.experiment.one_class_after_another(split, 10)
    inputs, labels = pure if mode == "pure_batches" else split.test
    size = {"small_batches": 4, "pure_batches": 10}[mode]
    for number in range(2):
        module = claim.experiment.network(196, [20, 20], "batch").double().train()
        module.load_state_dict({name: own[number] for name, own in networks.weights.items()})
        said = [module(inputs[number, at : at + size].double()).argmax(1) for at in range(0, inputs.shape[1], size)]
        assert found[number] == pytest.approx((torch.cat(said) != labels[number]).double().mean().item(), abs=1e-12)


@pytest.mark.parametrize("normalization", ["layer", "none"])
def test_instrument_the_mode_is_nothing_to_a_network_that_knows_of_no_batch(claim, normalization):
    """To the last bit."""
    import torch

    split, networks = trained(claim, normalization)
    expected = networks.predict(split.test[0])

    for size in (4, 50, None):
        assert torch.equal(networks.predict(split.test[0], batch_statistics=True, batch_size=size), expected)


def test_instrument_modes_are_told_apart_and_leave_the_networks_as_they_were(claim):
    split, networks = trained(claim, "batch")
    modes = ("inference", "small_batches", "large_batches", "pure_batches", "inference")
    found = claim.experiment.score(networks, split, mode=modes, **MODES)["test_error"]

    assert found.shape == (2, 5)
    assert (found[:, 0] == found[:, 4]).all()
    assert all(len(set(own[:4])) == 4 for own in found)


def test_instrument_pure_batches_have_digits_of_one_class(claim):
    import torch

    split = claim.experiment.examples(SEEDS, **SIZES)
    ink, labels = claim.experiment.one_class_after_another(split, 10)

    assert torch.equal(labels, torch.arange(10).repeat_interleave(10).expand(2, -1))
    for number in range(2):
        fives = split.test[0][number][split.test[1][number] == 5]
        assert torch.equal(ink[number, 50:60], fives[:10])


def test_instrument_rates_are_in_proportion_to_the_batch(claim, monkeypatch):
    from harness.training import Optimiser, Recipe

    seen, search = [], claim.experiment.search
    monkeypatch.setattr(
        claim.experiment, "search", lambda *given, recipe: seen.append(recipe.rates) or search(*given, recipe=recipe)
    )
    split = claim.experiment.examples(SEEDS[:1], **SIZES)
    for batch_size in (2, 16, 64):
        recipe = Recipe(Optimiser("sgd", 0.08), batch_size, epochs=1, rates=(0.08, 0.16))
        claim.experiment.fit(SEEDS[:1], split, recipe, hidden=[4], normalization="none")

    assert seen == [pytest.approx(own) for own in ((0.01, 0.02), (0.08, 0.16), (0.32, 0.64))]


def test_instrument_a_seed_is_trained_to_the_same_bits_alone(claim):
    """Batches of two would magnify the least difference."""
    import torch

    from harness.training import Optimiser, Recipe

    recipe = Recipe(Optimiser("sgd", 0.1), 2, epochs=1, initialiser="he", rates=(0.1, 0.3))
    weights = []
    for seeds in (SEEDS, SEEDS[1:]):
        split = claim.experiment.examples(seeds, **SIZES)
        networks = claim.experiment.fit(seeds, split, recipe, hidden=[20, 20], normalization="batch")
        assert networks.steps == (150,) * len(seeds)
        weights.append({name: own[-1] for name, own in networks.weights.items()})

    assert all(torch.equal(own, weights[1][name]) for name, own in weights[0].items())


def test_instrument_normalisation_stands_before_every_rectifier_and_adds_nothing_else(claim):
    from torch import nn

    kinds = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm, "none": type(None)}
    for normalization, kind in kinds.items():
        layers = list(claim.experiment.network(196, [50, 50, 50], normalization))
        own = [at for at, layer in enumerate(layers) if isinstance(layer, kind)]
        assert [type(layers[at + 1]) for at in own] == [nn.ReLU] * len(own)
        assert sum(p.numel() for layer in layers for p in layer.parameters()) == 15_460 + 100 * len(own)
        assert len(own) == (0 if normalization == "none" else 3)
    with pytest.raises(KeyError):
        claim.experiment.network(196, [4], "group")


def test_instrument_no_digit_is_both_trained_on_and_tested_on(claim):
    from fixtures.leakage import images_in_both

    assert images_in_both(claim.experiment.examples(SEEDS, n_train=800, n_test=2000, side=14)) == [0, 0]
