"""Initial weights: the spread of each rule, and each draw by its formula."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from harness.seeds import seeds_of
from harness.training.initialisation import initial_weights

SEEDS = seeds_of("initial", 0, range(3))


def test_every_parameter_is_drawn_in_turn_from_its_seeds_generator():
    module = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 10, bias=False))
    weights = initial_weights(module, SEEDS, "uniform")

    for number, seed in enumerate(SEEDS):
        generator = seed.torch("weights")
        for name, shape, fan_in in (("0.weight", (4, 2, 3, 3), 18), ("0.bias", (4,), 18), ("3.weight", (10, 16), 16)):
            drawn = torch.empty(shape).uniform_(-1, 1, generator=generator) / math.sqrt(fan_in)
            torch.testing.assert_close(weights[name][number], drawn)


@pytest.mark.parametrize("initialiser", ["uniform", "he"])
def test_recurrent_layers_and_embeddings_are_drawn_as_torch_has_them(initialiser):
    module = nn.Sequential(nn.Embedding(500, 100), nn.GRU(100, 64))
    weights = initial_weights(module, SEEDS[:1], initialiser)

    assert weights["0.weight"].std().item() == pytest.approx(1, rel=0.02)
    for name in ("1.weight_ih_l0", "1.weight_hh_l0"):
        assert weights[name].abs().max().item() == pytest.approx(1 / 8, rel=0.01)
        assert weights[name].std().item() == pytest.approx(1 / 8 / math.sqrt(3), rel=0.02)


def test_normalisation_begins_as_the_identity():
    weights = initial_weights(nn.Sequential(nn.BatchNorm2d(4)), SEEDS, "he")

    assert {name: values.unique().tolist() for name, values in weights.items()} == {
        "0.weight": [1], "0.bias": [0], "0.running_mean": [0], "0.running_var": [1], "0.num_batches_tracked": [0],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("initialiser", "deviation", "shape"),
    [
        ("uniform", 1 / math.sqrt(3 * 400), "uniform"),
        ("he", math.sqrt(2 / 400), "normal"),
        ("xavier", math.sqrt(2 / (400 + 100)), "uniform"),
        ("xavier_sigmoid", 4 * math.sqrt(2 / (400 + 100)), "uniform"),
    ],
)
def test_initial_weights_have_the_spread_of_their_formula(initialiser, deviation, shape):
    """Over 40,000 draws the standard deviation is within 2 per cent: five standard errors of a normal's."""
    weights = initial_weights(nn.Sequential(nn.Linear(400, 100)), SEEDS[:1], initialiser)["0.weight"]

    assert weights.std().item() == pytest.approx(deviation, rel=0.02)
    reach = weights.abs().max().item() / deviation
    assert reach <= math.sqrt(3) * 1.02 if shape == "uniform" else reach > 3


def test_initial_weights_of_a_convolution_count_its_whole_field():
    weights = initial_weights(nn.Sequential(nn.Conv2d(8, 64, 5)), SEEDS[:1], "he")["0.weight"]

    assert weights.std().item() == pytest.approx(math.sqrt(2 / 200), rel=0.03)
