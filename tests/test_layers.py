"""Layers for all seeds at once: each does to every seed what torch's own layer does to one."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from harness.executor import one_thread
from harness.initial import initial_weights
from harness.layers import LastStep, known, leaves, products, stack
from harness.seeds import seeds_of

SEEDS = seeds_of("layers", 0, range(3))

LAYERS = {
    "linear": (lambda: nn.Linear(6, 4), (6,)),
    "linear without bias": (lambda: nn.Linear(6, 4, bias=False), (6,)),
    "linear on sequences": (lambda: nn.Linear(6, 4), (5, 6)),
    "convolution 1d": (lambda: nn.Conv1d(2, 4, 3, padding=1), (2, 9)),
    "convolution 2d": (lambda: nn.Conv2d(2, 4, 3, stride=2, padding=1), (2, 9, 8)),
    "convolution 2d in groups": (lambda: nn.Conv2d(4, 6, 3, groups=2, dilation=2, bias=False), (4, 9, 9)),
    "convolution 3d": (lambda: nn.Conv3d(1, 2, 2), (1, 4, 5, 4)),
    "batch normalisation 1d": (lambda: nn.BatchNorm1d(6), (6,)),
    "batch normalisation 2d": (lambda: nn.BatchNorm2d(3), (3, 5, 5)),
    "batch normalisation without weights": (lambda: nn.BatchNorm2d(3, affine=False, momentum=0.3), (3, 5, 5)),
    "layer normalisation": (lambda: nn.LayerNorm(6), (4, 6)),
    "layer normalisation over two": (lambda: nn.LayerNorm((4, 6), elementwise_affine=False), (4, 6)),
    "layer normalisation without bias": (lambda: nn.LayerNorm(6, bias=False), (6,)),
    "group normalisation": (lambda: nn.GroupNorm(2, 6), (6, 5, 5)),
    "embedding": (lambda: nn.Embedding(7, 4), (5,)),
    "recurrent": (lambda: LastStep(nn.RNN(4, 5, batch_first=True)), (6, 4)),
    "recurrent with rectifiers": (lambda: LastStep(nn.RNN(4, 5, 2, "relu", batch_first=True)), (6, 4)),
    "lstm": (lambda: LastStep(nn.LSTM(4, 5, 2, batch_first=True)), (6, 4)),
    "lstm without bias": (lambda: LastStep(nn.LSTM(4, 5, bias=False, batch_first=True)), (6, 4)),
    "gru": (lambda: LastStep(nn.GRU(4, 5, 2, batch_first=True)), (6, 4)),
    "max pooling": (lambda: nn.MaxPool2d(2), (3, 6, 6)),
    "max pooling 1d": (lambda: nn.MaxPool1d(2), (3, 6)),
    "average pooling": (lambda: nn.AvgPool2d(3, 2, padding=1), (3, 7, 7)),
    "adaptive pooling": (lambda: nn.AdaptiveAvgPool2d(2), (3, 5, 5)),
    "global max pooling": (lambda: nn.AdaptiveMaxPool2d(1), (3, 5, 5)),
    "flatten": (nn.Flatten, (3, 5, 5)),
    "softplus": (nn.Softplus, (6,)),
    "gelu": (nn.GELU, (6,)),
    "sequence within a sequence": (
        lambda: nn.Sequential(nn.Sequential(nn.Linear(6, 5), nn.Tanh()), nn.Linear(5, 2)),
        (6,),
    ),
}


@pytest.fixture(autouse=True)
def _one_thread():
    with one_thread():
        yield


def drawn(kind, shape):
    """Return a Sequential around a layer, its weights, moved off their first values, and inputs for three seeds."""
    module = nn.Sequential(LAYERS[kind][0]())
    generator = torch.Generator().manual_seed(7)
    weights = initial_weights(module, SEEDS, "uniform", dtype=torch.float64)
    for values in weights.values():
        if values.is_floating_point():
            values.add_(torch.rand(values.shape, generator=generator, dtype=torch.float64), alpha=0.3)
    if kind == "embedding":
        return module.double(), weights, torch.randint(7, (3, 8, *shape), generator=generator)
    return module.double(), weights, torch.randn(3, 8, *shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("kind", LAYERS)
def test_a_layer_does_to_each_seed_what_torchs_own_does_to_one(kind, training):
    module, weights, inputs = drawn(kind, LAYERS[kind][1])
    alone = {name: values.clone() for name, values in weights.items()}
    leaves = {name: values for name, values in weights.items() if name in dict(module.named_parameters())}
    for values in leaves.values():
        values.requires_grad_()
    laid_out = {name: values.mT if name in products(module) else values for name, values in weights.items()}

    outputs = stack(module, laid_out, [])(inputs, training)
    outputs.square().sum().backward() if leaves else None

    for number in range(3):
        module.load_state_dict({name: values[number] for name, values in alone.items()})
        module.train(training).zero_grad()
        expected = module(inputs[number])
        torch.testing.assert_close(outputs[number], expected, rtol=1e-12, atol=1e-12)
        if leaves:
            expected.square().sum().backward()
        for name, parameter in module.named_parameters():
            torch.testing.assert_close(weights[name].grad[number], parameter.grad, rtol=1e-10, atol=1e-10)
        for name, buffer in module.named_buffers():
            torch.testing.assert_close(weights[name][number], buffer, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", LAYERS)
def test_every_layer_here_is_known(kind):
    assert all(known(layer) for _, layer in leaves(nn.Sequential(LAYERS[kind][0]())))


@pytest.mark.parametrize(
    "layer",
    [
        nn.Flatten(2),
        nn.BatchNorm1d(3, track_running_stats=False),
        nn.BatchNorm1d(3, momentum=None),
        nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"),
        nn.Embedding(5, 3, padding_idx=0),
        nn.Embedding(5, 3, max_norm=1.0),
        nn.MaxPool2d(2, return_indices=True),
        nn.LSTM(3, 3),
        LastStep(nn.LSTM(3, 3)),
        LastStep(nn.GRU(3, 3, batch_first=True, bidirectional=True)),
        nn.Softmax(1),
        nn.Bilinear(2, 2, 2),
    ],
    ids=repr,
)
def test_what_would_do_otherwise_is_not_known(layer):
    assert not known(layer)
