"""Weights that a network uses at several places: drawn once, trained by the sum of their gradients, kept once."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from harness.errors import UsageError
from harness.seeds import seeds_of
from harness.training.architecture import assign, state_of, tied
from harness.training.initialisation import initial_weights
from harness.training.layers import stackable
from harness.training.optimisers import Optimiser
from tests.keywords import train

SEEDS = seeds_of("tied", 0, range(3))
STRATEGIES = (None, "loop", "vmap")
STEPS = 20


def layer_twice():
    shared = nn.Linear(5, 5)
    return nn.Sequential(shared, nn.Tanh(), shared, nn.Tanh(), nn.Linear(5, 3))


def sequence_twice():
    shared = nn.Sequential(nn.Linear(5, 5), nn.Tanh())
    return nn.Sequential(shared, shared, nn.Linear(5, 3))


def weight_shared():
    """Two layers with one weight and biases of their own."""
    module = nn.Sequential(nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 3))
    module[2].weight = module[0].weight
    return module


NETWORKS = {
    "a layer twice": (layer_twice, ("0.weight", "0.bias", "0.weight", "0.bias", "4.weight", "4.bias")),
    "a sequence twice": (sequence_twice, ("0.0.weight", "0.0.bias", "0.0.weight", "0.0.bias", "2.weight", "2.bias")),
    "a weight in two layers": (weight_shared, ("0.weight", "0.bias", "0.weight", "2.bias", "4.weight", "4.bias")),
}


def examples():
    generator = torch.Generator().manual_seed(4)
    inputs = torch.randn(3, 12, 5, generator=generator, dtype=torch.float64)
    return inputs, torch.randint(3, (3, 12), generator=generator)


def by_hand(seed, number, names):
    """Return the weights after gradient descent on formulas: no module, no optimiser, every use of a weight its own term."""
    drawn = seed.torch("weights")
    weights = {}
    for name in dict.fromkeys(names):
        shape = {"weight": (5, 5), "bias": (5,)}[name.split(".")[-1]]
        shape = (3, *shape[1:]) if name in names[4:] else shape
        fresh = torch.empty(shape).uniform_(-1, 1, generator=drawn) / 5**0.5
        weights[name] = fresh.double()
    inputs, targets = (values[number] for values in examples())
    for _ in range(STEPS):
        own = {name: values.requires_grad_() for name, values in weights.items()}
        first, bias, second, second_bias, last, last_bias = (own[name] for name in names)
        hidden = torch.tanh(torch.tanh(inputs @ first.T + bias) @ second.T + second_bias)
        loss = nn.functional.cross_entropy(hidden @ last.T + last_bias, targets)
        slopes = torch.autograd.grad(loss, list(own.values()))
        weights = {n: (v - 0.5 * s).detach() for (n, v), s in zip(own.items(), slopes, strict=True)}
    return weights


def trained(build, **changes):
    settings = {"optimiser": Optimiser("sgd", 0.5), "steps": STEPS, "batch_size": 12, "precision": "float64", **changes}
    return train(build, *examples(), SEEDS, **settings)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("kind", NETWORKS)
def test_every_use_of_a_weight_adds_to_its_gradient(kind, strategy):
    build, names = NETWORKS[kind]
    ensemble = trained(build, strategy=strategy)

    assert list(ensemble.weights) == list(dict.fromkeys(names))
    for number, seed in enumerate(SEEDS):
        for name, expected in by_hand(seed, number, names).items():
            torch.testing.assert_close(ensemble.weights[name][number], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", NETWORKS)
def test_what_is_predicted_is_what_the_network_makes_of_those_weights(kind):
    build, _ = NETWORKS[kind]
    ensemble, (inputs, _) = trained(build), examples()
    module = build().double()
    for number in range(3):
        assign(module, {name: values[number] for name, values in ensemble.weights.items()})
        torch.testing.assert_close(ensemble.predict(inputs)[number], module(inputs[number]).detach())
        torch.testing.assert_close(
            ensemble.features(inputs, 3)[number], nn.Sequential(*list(module)[:3])(inputs[number]).detach()
        )


@pytest.mark.parametrize("kind", NETWORKS)
def test_they_are_never_stacked(kind):
    build, _ = NETWORKS[kind]

    assert tied(build())
    assert not stackable(build())
    with pytest.raises(UsageError, match="strategy: 'stacked' does not serve this network"):
        trained(build, strategy="stacked")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_statistics_of_a_normalisation_at_two_places_are_taken_at_both(strategy):
    def build():
        shared = nn.BatchNorm1d(5, affine=False)
        return nn.Sequential(shared, nn.Linear(5, 5), shared, nn.Linear(5, 3))

    ensemble = trained(build, strategy=strategy)

    assert ensemble.weights["0.num_batches_tracked"].tolist() == [2 * STEPS] * 3
    torch.testing.assert_close(
        ensemble.weights["0.running_var"], trained(build, strategy="loop").weights["0.running_var"]
    )


def test_they_are_masked_frozen_and_started_by_their_first_name():
    mask = torch.ones(3, 5, 5)
    mask[:, 0] = 0
    frozen = trained(layer_twice, masks={"0.weight": mask}, frozen=["0.weight"])

    assert (frozen.weights["0.weight"][:, 0] == 0).all()
    assert torch.equal(frozen.weights["0.weight"][:, 1:], trained(layer_twice, steps=0).weights["0.weight"][:, 1:])
    for changes in ({"frozen": ["2.weight"]}, {"masks": {"2.weight": mask}}, {"start": {"2.weight": mask}}):
        with pytest.raises(UsageError, match=r"2\.weight|unknown names"):
            trained(layer_twice, **changes)


def test_what_is_assigned_to_tied_weights_leaves_them_tied():
    module = weight_shared()
    values = {name: own[0] for name, own in initial_weights(module, SEEDS, "uniform").items()}
    assign(module, values)

    assert module[0].weight is module[2].weight
    assert list(state_of(module)) == ["0.weight", "0.bias", "2.bias", "4.weight", "4.bias"]
    assert torch.equal(module[2].weight, values["0.weight"])


def test_assigned_values_reach_a_recurrent_layer_and_buffers_that_no_file_would_keep():
    class Shifted(nn.Module):
        def __init__(self):
            super().__init__()
            self.recurrent = nn.GRU(2, 2, batch_first=True)
            self.register_buffer("shift", torch.zeros(2), persistent=False)

        def forward(self, inputs):
            return self.recurrent(inputs)[0] + self.shift

    module = Shifted()
    assign(module, {name: torch.full_like(own, 0.5) for name, own in state_of(module).items()})

    plain = nn.GRU(2, 2, batch_first=True)
    for own in plain.parameters():
        nn.init.constant_(own, 0.5)
    inputs = torch.ones(1, 3, 2)
    torch.testing.assert_close(module(inputs), plain(inputs)[0] + 0.5)
