"""The rate of least training loss: which network comes back, and that it is the one that this rate alone makes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from harness.errors import UsageError
from harness.seeds import seeds_of
from harness.training import Optimiser, Recipe, search, train

SEEDS = seeds_of("rates", 0, range(3))
RATES = (1e-4, 0.3, 1e12)  # hardly moves; learns; leaves all numbers behind
RECIPE = Recipe(Optimiser("sgd", RATES[0], momentum=0.5), 10, steps=30, precision="float64", rates=RATES)


def network():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2))


def examples():
    inputs = torch.randn(3, 40, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return inputs, (inputs[..., 0] * inputs[..., 1] > 0).long()


def alone(rate, **others):
    recipe = replace(RECIPE, optimiser=replace(RECIPE.optimiser, learning_rate=rate), rates=())
    return train(network, *examples(), SEEDS, recipe=recipe, **others)


def equal(one, other):
    return all(torch.allclose(one.weights[name], other.weights[name], rtol=0, atol=1e-12) for name in other.weights)


@pytest.mark.parametrize("rates", [RATES, RATES[::-1]])
def test_what_comes_back_is_the_network_that_its_rate_alone_makes(rates):
    found, chosen = search(network, *examples(), SEEDS, recipe=replace(RECIPE, rates=rates))

    assert chosen.tolist() == [0.3] * 3
    assert equal(found, alone(0.3))
    assert found.steps == (30,) * 3


def test_each_seed_has_the_best_rate_of_its_own():
    """Least by the training loss of networks trained one rate at a time, computed here."""
    rates = (0.5, 0.7, 0.85, 1.0, 1.2, 1.4, 2.0)
    inputs, targets = examples()
    by_hand = torch.stack([
        torch.stack([nn.functional.cross_entropy(*pair) for pair in zip(alone(rate).predict(inputs), targets, strict=True)])
        for rate in rates
    ])  # fmt: skip

    _, chosen = search(network, inputs, targets, SEEDS, recipe=replace(RECIPE, rates=rates))

    assert chosen.tolist() == [rates[place] for place in by_hand.argmin(0)]
    assert len(set(chosen.tolist())) > 1


def test_starts_masks_and_frozen_layers_are_those_of_every_rate():
    start = {"0.weight": torch.randn(3, 8, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)}
    others = {"start": start, "masks": {"3.weight": torch.ones(3, 2, 8).tril()}, "frozen": {"0.bias": torch.ones(3, 8)}}

    found, _ = search(network, *examples(), SEEDS, recipe=RECIPE, **others)

    assert equal(found, alone(0.3, **others))


def test_where_no_rate_leaves_a_number_the_first_is_taken():
    _, chosen = search(network, *examples(), SEEDS, recipe=replace(RECIPE, rates=(1e13, 1e12)))

    assert chosen.tolist() == [1e13] * 3


def test_one_rate_is_none_to_choose_from_and_a_grid_none_to_train_by():
    with pytest.raises(UsageError, match="search: learning_rate: one rate leaves nothing to choose"):
        search(network, *examples(), SEEDS, recipe=replace(RECIPE, rates=()))
    with pytest.raises(
        UsageError, match=r"train: learning_rate: \[0.0001, 0.3, 1000000000000.0\]: a grid: call `search`"
    ):
        train(network, *examples(), SEEDS, recipe=RECIPE)
