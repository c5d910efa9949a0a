"""Noise of every step: its laws, that training alone has it, and that it is each seed's own under every strategy."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from harness.errors import UsageError
from harness.seeds import seeds_of
from harness.training import Draws, Optimiser, SeededNoise
from tests.keywords import train

SEEDS = seeds_of("noise", 0, range(3))
NOISE = (0.5, 1.25, 0.1)


def disturbed(inputs: torch.Tensor, noise=NOISE, seeds=SEEDS) -> torch.Tensor:
    return SeededNoise(*noise).of_all(inputs, Draws.of(seeds, "noise"))


def test_every_unit_has_a_shift_and_a_factor_and_examples_differ_from_it_by_the_jitter():
    """From what zeros and ones become: shifts, and shifts with factors; 4,000 examples of 300 units."""
    shape = (3, 4000, 300)
    shifts = disturbed(torch.zeros(shape))
    factors = disturbed(torch.ones(shape)) - shifts
    unit, factor = shifts.mean(1), factors.mean(1)

    assert unit.abs().max() < 0.5 + 0.01
    assert unit.abs().max() > 0.45
    assert abs(unit.std() - 1 / 12**0.5) < 0.02
    assert (shifts - unit[:, None]).abs().max() < 0.1 + 0.01
    assert abs((shifts - unit[:, None]).std() - 0.2 / 12**0.5) < 0.001
    assert factor.min() > 1 - 0.01
    assert factor.max() < 1.25 + 0.01
    assert abs(factor.mean() - 1.125) < 0.01
    assert abs((factors - factor[:, None]).std() - 0.1) < 0.001


def test_without_shift_factor_and_jitter_nothing_is_changed():
    inputs = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))

    assert torch.equal(disturbed(inputs, (0.0, 1.0, 0.0)), inputs)


def test_it_changes_from_step_to_step_and_in_training_alone():
    layer = SeededNoise(*NOISE, Draws.of(SEEDS[:1], "noise"))
    inputs = torch.ones(6, 4)

    assert not torch.equal(layer(inputs), layer(inputs))
    assert torch.equal(layer.eval()(inputs), inputs)


def test_without_draws_it_says_so():
    with pytest.raises(UsageError, match="SeededNoise: no draws"):
        SeededNoise(*NOISE)(torch.ones(2, 3))


def network():
    return nn.Sequential(
        nn.Linear(4, 6),
        nn.Sequential(nn.BatchNorm1d(6), SeededNoise(*NOISE)),
        nn.Tanh(),
        nn.Dropout(0.3),
        nn.Linear(6, 2),
    )


def examples(number=3):
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(3, 24, 4, generator=generator, dtype=torch.float64)
    return inputs[:number], (inputs[..., 0] > 0).long()[:number]


HOW = {"optimiser": Optimiser("sgd", 0.2, momentum=0.5), "steps": 20, "batch_size": 10, "precision": "float64"}


def by_hand(number: int) -> dict[str, torch.Tensor]:
    """Twenty steps of one seed in plain torch: its initial weights, its batches, and its draws, layer by layer."""
    seed = SEEDS[number]
    inputs, targets = (own[number] for own in examples())
    first = train(network, *examples(), SEEDS, **HOW | {"steps": 0}).weights
    module = network().double()
    module.load_state_dict({name: values[number] for name, values in first.items()})
    noise, coins = (Draws.of((seed,), f"layer {name}") for name in ("1.1", "3"))
    optimiser = torch.optim.SGD(module.parameters(), 0.2, 0.5)
    order, taken = seed.torch("batches"), 0
    while taken < HOW["steps"]:
        for rows in torch.randperm(24, generator=order).split(10)[: HOW["steps"] - taken]:
            hidden = module[1][0](module[0](inputs[rows]))
            hidden = module[1][1].of_all(hidden[None], noise)[0].tanh()
            kept = (coins.words(*hidden.shape)[0].long() + 2**31) / 2**32 < 0.7
            outputs = module[4](hidden * kept / 0.7)
            optimiser.zero_grad()
            nn.functional.cross_entropy(outputs, targets[rows]).backward()
            optimiser.step()
            taken += 1
    return module.state_dict()


@pytest.mark.parametrize("strategy", ["stacked", "loop"])
def test_training_draws_what_a_loop_by_hand_draws(strategy):
    trained = train(network, *examples(), SEEDS, strategy=strategy, **HOW)

    for number in range(3):
        for name, values in by_hand(number).items():
            torch.testing.assert_close(trained.weights[name][number], values, rtol=0, atol=1e-10)


def test_networks_with_it_are_trained_all_at_once():
    assert train(network, *examples(), SEEDS, **HOW).strategy == "stacked"


def test_another_kind_of_network_is_trained_one_after_the_other():
    class Around(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = network()

        def forward(self, inputs):
            return self.layers(inputs)

    trained = train(Around, *examples(), SEEDS, **HOW)

    assert trained.strategy == "loop"
    assert not torch.equal(trained.weights["layers.0.weight"][0], trained.weights["layers.0.weight"][1])
