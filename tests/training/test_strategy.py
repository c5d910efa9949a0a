"""The rule of strategies: the same answer everywhere, from layer kinds, sizes and device alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from harness.training.layers import LastStep
from harness.training.strategy import STACKED_AT_MOST, choose_strategy, working_set


def network(width=32, inputs=100):
    return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, 10))


class Custom(nn.Module):
    """A network that is no Sequential."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, inputs):
        for layer in self.layers:
            inputs = layer(inputs)
        return inputs + 1


class Branching(nn.Module):
    """Asks for numbers on its way, which nothing can do for all seeds at once."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 6)

    def forward(self, inputs):
        inputs = self.layer(inputs)
        return inputs if inputs.sum() > 0 else -inputs


def choice(build, shape=(100,), batch_size=20, device="cpu"):
    with torch.device("meta"):
        module, example = build(), torch.empty(batch_size, *shape)
    return choose_strategy(module, example, batch_size, device)


@pytest.mark.parametrize(
    ("width", "batch_size", "expected"),
    [(4096, 100, "loop"), (1024, 20, "stacked"), (1024, 100, "loop"), (64, 100, "stacked")],
)
def test_on_a_cpu_what_outgrows_the_cache_goes_one_by_one(width, batch_size, expected):
    assert choice(lambda: network(width), batch_size=batch_size) == expected
    assert choice(lambda: network(width), batch_size=batch_size, device="cuda") == "stacked"


def test_what_a_step_touches_is_counted_as_documented():
    assert working_set(network(32), 20) == 100 * 32 + 32 + 32 * 10 + 10 + 4 * 20 * 42
    assert choice(lambda: nn.Sequential(nn.Linear(1, 2)), (1,), (STACKED_AT_MOST - 4) // 8) == "stacked"
    assert choice(lambda: nn.Sequential(nn.Linear(1, 2)), (1,), (STACKED_AT_MOST - 4) // 8 + 1) == "loop"


@pytest.mark.parametrize(
    ("build", "shape", "on_cpu", "on_gpu"),
    [
        (lambda: nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(64, 10)), (1, 6, 6), "loop", "stacked"),
        (lambda: nn.Sequential(LastStep(nn.GRU(6, 8, batch_first=True)), nn.Dropout()), (5, 6), "stacked", "stacked"),
        (lambda: Custom(nn.Linear(6, 6), nn.Tanh()), (6,), "vmap", "vmap"),
        (lambda: Custom(nn.Linear(6, 6), nn.BatchNorm1d(6)), (6,), "vmap", "vmap"),
        (lambda: nn.Sequential(nn.Linear(6, 6), nn.Softmax(1)), (6,), "vmap", "vmap"),
        (lambda: Custom(nn.Conv1d(1, 2, 3)), (1, 6), "loop", "vmap"),
        (lambda: Custom(nn.Linear(6, 6), nn.Dropout()), (6,), "loop", "loop"),
        (lambda: Custom(LastStep(nn.LSTM(6, 8, batch_first=True))), (5, 6), "loop", "loop"),
        (Branching, (6,), "loop", "loop"),
    ],
    ids=["convolution", "recurrent", "custom", "normalised", "softmax", "convolving", "dropping", "lstm", "branching"],
)
def test_layer_kinds_and_device_decide(build, shape, on_cpu, on_gpu):
    assert choice(build, shape) == on_cpu
    assert choice(build, shape, device="cuda") == on_gpu
