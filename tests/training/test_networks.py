"""Networks in training: what the loop may rearrange without a trace."""

from __future__ import annotations

import torch
from torch import nn

from harness.training.networks import pool_first


def test_maxima_before_rectifiers_give_the_same_values_and_gradients_to_the_last_bit():
    """Also where values tie, and where all of a window is negative: the inputs are whole numbers from -2 to 2."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randint(-2, 3, (8, 4, 6, 6), generator=generator).double()
    weights = torch.randn(8, 4, 3, 3, generator=generator, dtype=torch.float64)
    found = []
    for rearranged in (False, True):
        network = nn.Sequential(nn.ReLU(), nn.MaxPool2d(2))
        if rearranged:
            pool_first(network)
        own = inputs.clone().requires_grad_()
        outputs = network(own)
        (outputs * weights).sum().backward()
        found.append((outputs.detach(), own.grad))

    assert [type(layer) for layer in network] == [nn.MaxPool2d, nn.ReLU]
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)


def test_only_rectifiers_change_places_and_names_of_weights_stay():
    def network():
        inner = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Tanh(), nn.MaxPool2d(2))
        return nn.Sequential(
            inner, nn.ReLU(), nn.AvgPool2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2, 2)
        )

    rearranged = network()
    pool_first(rearranged)

    assert list(rearranged.state_dict()) == list(network().state_dict())
    kinds = [type(layer).__name__ for layer in rearranged]
    assert kinds == ["Sequential", "ReLU", "AvgPool2d", "MaxPool2d", "ReLU", "Flatten", "Linear"]
    assert [type(layer).__name__ for layer in rearranged[0]] == ["Conv2d", "Tanh", "MaxPool2d"]


class Tapped(nn.Module):
    """Uses what stands between the layers of its Sequential."""

    def __init__(self):
        super().__init__()
        self.layers, self.last = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2)), nn.Linear(40, 3)

    def forward(self, inputs):
        between = [inputs := layer(inputs) for layer in self.layers]
        return self.last(torch.cat([each.flatten(1) for each in between[1:]], 1))


class OwnSequence(nn.Sequential):
    """Calls its layers in its own way."""


def hooked(layer):
    layer.register_forward_hook(lambda *_: None)
    return layer


def test_nothing_changes_places_where_somebody_may_look_between():
    networks = [
        Tapped(),
        OwnSequence(nn.ReLU(), nn.MaxPool2d(2)),
        hooked(nn.Sequential(nn.ReLU(), nn.MaxPool2d(2))),
    ]
    networks += [nn.Sequential(hooked(nn.ReLU()), nn.MaxPool2d(2)), nn.Sequential(nn.ReLU(), hooked(nn.MaxPool2d(2)))]
    for module in networks:
        sequence = module.layers if isinstance(module, Tapped) else module
        before = [type(layer) for layer in sequence]
        pool_first(module)
        assert [type(layer) for layer in sequence] == before


def test_a_rectifier_at_two_places_changes_both():
    act = nn.ReLU()
    network = nn.Sequential(act, nn.MaxPool2d(2), nn.Conv2d(1, 1, 1), act, nn.MaxPool2d(2))
    pool_first(network)

    assert [type(layer).__name__ for layer in network] == ["MaxPool2d", "ReLU", "Conv2d", "MaxPool2d", "ReLU"]
