"""Initial weights: the spread of each rule, and each draw by its formula."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from harness.errors import UsageError
from harness.seeds import seeds_of
from harness.training.initialisation import Gaussian, initial_weights
from harness.training.local_connections import LocallyConnected2d
from harness.training.optimisers import Optimiser
from tests.keywords import train

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


def test_gaussian_weights_and_biases_have_variances_of_their_own():
    module = nn.Sequential(nn.Conv2d(2, 4, 3), nn.Flatten(), nn.Linear(16, 10))
    weights = initial_weights(module, SEEDS, Gaussian(1.7, 0.3))

    for number, seed in enumerate(SEEDS):
        generator = seed.torch("weights")
        for name, shape, variance in (
            ("0.weight", (4, 2, 3, 3), 1.7 / 18),
            ("0.bias", (4,), 0.3),
            ("2.weight", (10, 16), 1.7 / 16),
            ("2.bias", (10,), 0.3),
        ):
            drawn = torch.empty(shape).normal_(generator=generator) * math.sqrt(variance)
            torch.testing.assert_close(weights[name][number], drawn)


def test_gaussian_networks_of_one_seed_differ_by_scale_alone():
    module = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))
    small, large = (initial_weights(module, SEEDS, Gaussian(variance, 0.0)) for variance in (1.0, 4.0))

    for name in small:
        torch.testing.assert_close(large[name], 2 * small[name], rtol=0, atol=0)
    assert not small["0.bias"].any()


@pytest.mark.parametrize(
    ("layer", "name", "shape"),
    [
        (lambda: nn.Linear(12, 7), "0.weight", (1, 7, 12)),
        (lambda: nn.Linear(7, 12), "0.weight", (1, 12, 7)),
        (lambda: nn.Conv2d(2, 5, 3), "0.weight", (1, 5, 18)),
        (lambda: LocallyConnected2d(2, 5, (5, 6), 3), "0.weight", (12, 5, 18)),
        (lambda: nn.RNN(3, 8), "0.weight_hh_l0", (1, 8, 8)),
        (lambda: nn.GRU(3, 8), "0.weight_hh_l0", (3, 8, 8)),
    ],
    ids=["wide", "tall", "convolution", "local", "recurrent", "gates"],
)
def test_orthogonal_weights_are_so_place_by_place_and_gate_by_gate(layer, name, shape):
    drawn = initial_weights(nn.Sequential(layer()), SEEDS, "orthogonal")
    matrices = drawn[name].reshape(3, *shape).double()
    products = matrices @ matrices.mT if shape[1] <= shape[2] else matrices.mT @ matrices

    torch.testing.assert_close(products, torch.eye(min(shape[1:])).double().expand_as(products), rtol=0, atol=1e-5)
    flat = matrices.flatten(0, 1)
    assert all(not torch.equal(flat[0], other) for other in flat[1:])
    assert not drawn.get("0.bias", torch.zeros(1)).any()


def test_orthogonal_leaves_what_recurrent_layers_make_of_inputs_uniform():
    weights = initial_weights(nn.Sequential(nn.GRU(100, 64)), SEEDS[:1], "orthogonal")["0.weight_ih_l0"]

    assert weights.std().item() == pytest.approx(1 / 8 / math.sqrt(3), rel=0.02)


@pytest.mark.parametrize("activation", [nn.Tanh, nn.ReLU])
def test_saturated_units_let_nothing_be_learned_below_the_last_layer(activation):
    module = nn.Sequential(nn.Linear(2, 16), activation(), nn.Linear(16, 16), activation(), nn.Linear(16, 2))
    first = {name: values[0].clone() for name, values in initial_weights(module, SEEDS[:1], "saturated").items()}
    assert first["0.weight"].std() > 0.1
    module.load_state_dict(first)
    inputs = torch.randn(200, 2, generator=torch.Generator().manual_seed(3))
    nn.functional.cross_entropy(module(inputs), (inputs.prod(1) > 0).long()).backward()

    assert not any(module[place].weight.grad.any() for place in (0, 2))
    assert not module(inputs).diff(dim=0).any()


def test_factors_scale_the_weights_of_linear_and_convolutional_layers_in_turn():
    def weights(factors):
        layers = [nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 2)]
        return initial_weights(nn.Sequential(*layers), SEEDS, "uniform", factors=factors)

    plain, scaled = weights(()), weights((2.0, 0.0, 0.5))
    for name, values in plain.items():
        factor = {"0.weight": 2.0, "3.weight": 0.0, "5.weight": 0.5}.get(name, 1)
        torch.testing.assert_close(scaled[name], values * factor, rtol=0, atol=0)


def test_a_start_is_not_scaled():
    given = torch.ones(3, 2, 4)

    found = initial_weights(nn.Sequential(nn.Linear(4, 2)), SEEDS, "he", {"0.weight": given}, factors=(3.0,))
    assert torch.equal(found["0.weight"], given)


def test_factors_that_do_not_fit_the_layers_are_refused():
    with pytest.raises(UsageError, match="layer_factors: 3 for 2 layers: one for each"):
        initial_weights(nn.Sequential(nn.Linear(4, 2), nn.ReLU(), nn.Linear(2, 2)), SEEDS, "he", factors=(1, 1, 1))


def test_a_local_layer_is_drawn_like_a_convolution_of_its_field():
    """Over 57,600 draws, and 576 biases."""
    module = nn.Sequential(LocallyConnected2d(4, 16, (8, 8), 3))
    he, xavier = (initial_weights(module, SEEDS[:1], rule)["0.weight"] for rule in ("he", "xavier"))
    uniform = initial_weights(module, SEEDS[:1], "uniform")

    assert he.std().item() == pytest.approx(math.sqrt(2 / 36), rel=0.02)
    assert xavier.abs().max().item() == pytest.approx(math.sqrt(6 / (36 + 144)), rel=0.01)
    for values in uniform.values():
        assert values.abs().max().item() == pytest.approx(1 / 6, rel=0.02)


def test_training_begins_by_the_rule_and_the_factors_of_its_recipe():
    def build():
        return nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))

    inputs, targets = torch.zeros(3, 5, 4), torch.zeros(3, 5, dtype=torch.long)
    settings = {"optimiser": Optimiser("sgd", 0.1), "batch_size": 5, "steps": 0}
    trained = train(build, inputs, targets, SEEDS, initialiser=Gaussian(2.0, 0.5), layer_factors=(3, 0.5), **settings)

    for name, values in initial_weights(build(), SEEDS, Gaussian(2.0, 0.5), factors=(3, 0.5)).items():
        assert torch.equal(trained.weights[name], values)
