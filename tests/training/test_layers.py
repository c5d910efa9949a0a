"""Layers for all seeds at once: each does to every seed what torch's own layer does to one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook
from torch.nn.utils import parametrizations

from harness.seeds import seeds_of
from harness.training.architecture import leaf_layers
from harness.training.initialisation import initial_weights
from harness.training.layers import LastStep, known, products, rounds_first, stack, stackable
from harness.training.optimisers import Optimiser
from harness.training.strategy import choose_strategy
from harness.trials.worker import one_thread
from tests.keywords import train

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
    "batch normalisation without bias": (lambda: nn.BatchNorm2d(3, bias=False), (3, 5, 5)),
    "group normalisation without bias": (lambda: nn.GroupNorm(2, 6, bias=False), (6, 5, 5)),
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


def own(base):
    """Return a subclass of a layer whose forward does something else."""
    return type(f"Own{base.__name__}", (base,), {"forward": lambda self, inputs: 3 * base.forward(self, inputs)})


OF_THEIR_OWN = {
    base: (own(base), arguments)
    for base, arguments in {
        nn.Linear: (3, 3), nn.Conv2d: (1, 1, 3), nn.BatchNorm1d: (3,), nn.LayerNorm: (3,), nn.GroupNorm: (1, 3),
        nn.Embedding: (3, 3), nn.MaxPool2d: (2,), nn.ReLU: (), nn.Flatten: (), nn.Dropout: (0.5,), nn.Identity: (),
        nn.Sequential: (nn.ReLU(),),
    }.items()
}  # fmt: skip
OWN_GRU = own(nn.GRU)


def hooked(layer, register):
    """Return a layer with a hook that does nothing; another might."""
    getattr(layer, register)(lambda *_: None)
    return layer


def redirected(layer):
    layer.forward = torch.sin
    return layer


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
    leaf_layers = {name: values for name, values in weights.items() if name in dict(module.named_parameters())}
    for values in leaf_layers.values():
        values.requires_grad_()
    laid_out = {name: values.mT if name in products(module) else values for name, values in weights.items()}

    outputs = stack(module, laid_out, [])(inputs, training)
    outputs.square().sum().backward() if leaf_layers else None

    for number in range(3):
        module.load_state_dict({name: values[number] for name, values in alone.items()})
        module.train(training).zero_grad()
        expected = module(inputs[number])
        torch.testing.assert_close(outputs[number], expected, rtol=1e-12, atol=1e-12)
        if leaf_layers:
            expected.square().sum().backward()
        for name, parameter in module.named_parameters():
            torch.testing.assert_close(weights[name].grad[number], parameter.grad, rtol=1e-10, atol=1e-10)
        for name, buffer in module.named_buffers():
            torch.testing.assert_close(weights[name][number], buffer, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", LAYERS)
def test_every_layer_here_is_known(kind):
    assert all(known(layer) for _, layer in leaf_layers(nn.Sequential(LAYERS[kind][0]())))


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
        *(kind(*arguments) for kind, arguments in OF_THEIR_OWN.values()),
        LastStep(OWN_GRU(3, 3, batch_first=True)),
        parametrizations.weight_norm(nn.Linear(3, 3)),
        hooked(nn.Linear(3, 3), "register_forward_hook"),
        hooked(nn.ReLU(), "register_forward_pre_hook"),
        hooked(nn.Embedding(3, 3), "register_full_backward_hook"),
        hooked(nn.Linear(3, 3), "register_full_backward_pre_hook"),
        LastStep(hooked(nn.GRU(3, 3, batch_first=True), "register_forward_hook")),
        redirected(nn.Tanh()),
    ],
)
def test_what_would_do_otherwise_is_not_known(layer):
    assert not known(layer)


def test_a_hook_on_every_module_keeps_all_from_being_stacked():
    assert stackable(nn.Sequential(nn.Linear(3, 3)))
    handle = register_module_forward_hook(lambda *_: None)
    try:
        assert not stackable(nn.Sequential(nn.Linear(3, 3)))
    finally:
        handle.remove()


def residual(*layers):
    """Return a Sequential that adds its inputs to its outputs."""
    kind = type("Residual", (nn.Sequential,), {"forward": lambda self, x: x + nn.Sequential.forward(self, x)})
    return kind(*layers)


PIECES = {
    "plain": [
        lambda: nn.Linear(6, 6),
        nn.Tanh,
        nn.ReLU,
        lambda: nn.LayerNorm(6),
        lambda: nn.BatchNorm1d(6),
        nn.Softplus,
    ],
    "strange": [
        lambda: nn.Softmax(1),
        lambda: residual(nn.Linear(6, 6), nn.Tanh()),
        lambda: own(nn.Linear)(6, 6),
        lambda: own(nn.Sequential)(nn.Tanh(), nn.Linear(6, 6)),
        lambda: times_three(nn.Linear(6, 6)),
        lambda: times_three(nn.Sequential(nn.Linear(6, 6), nn.Tanh())),
    ],
}


def times_three(layer):
    layer.register_forward_hook(lambda _layer, _inputs, outputs: 3 * outputs)
    return layer


def random_sequence(number):
    """Return a factory of a Sequential of random pieces, some of them at several places, some within another Sequential."""

    def build():
        draw = np.random.default_rng([5, number])
        pool = [PIECES["plain"][draw.integers(len(PIECES["plain"]))]() for _ in range(4)]
        if number % 3 == 0:
            pool.append(PIECES["strange"][draw.integers(len(PIECES["strange"]))]())
        # A layer with weights may come once only, or several times; one without always may.
        again = [layer for layer in pool if number % 2 or not any(True for _ in layer.parameters())]
        pool += [again[draw.integers(len(again))] for _ in range(3) if again]
        layers = [pool[place] for place in draw.permutation(len(pool))]
        return nn.Sequential(layers[0], nn.Sequential(*layers[1:4]), *layers[4:], nn.Linear(6, 3))

    return build


def last_weights(build, strategy):
    generator = torch.Generator().manual_seed(2)
    inputs = torch.randn(3, 24, 6, generator=generator, dtype=torch.float64)
    targets = torch.randint(3, (3, 24), generator=generator)
    settings = {"optimiser": Optimiser("sgd", 0.05, 0.9), "steps": 4, "batch_size": 8, "precision": "float64"}
    return train(build, inputs, targets, SEEDS, strategy=strategy, **settings)


def test_what_is_stacked_is_what_one_network_alone_would_be():
    """Over random Sequentials with repeats, subclasses and hooks; not one may be stacked and come out otherwise."""
    stacked = repeated = 0
    for number in range(60):
        build = random_sequence(number)
        module = build()
        places = [layer for _, layer in leaf_layers(module)]
        repeats = len(places) > len(set(map(id, places)))
        strategy = (
            "stacked" if stackable(module) else choose_strategy(module.to("meta"), torch.empty(8, 6, device="meta"), 8)
        )
        together, alone = last_weights(build, strategy), last_weights(build, "loop")
        assert together.weights.keys() == alone.weights.keys()
        for name, values in alone.weights.items():
            torch.testing.assert_close(together.weights[name], values, rtol=1e-9, atol=1e-9)
        stacked += strategy == "stacked"
        repeated += repeats and strategy == "stacked"
    assert stacked >= 20
    assert repeated >= 10
    assert stacked <= 50


def test_where_nothing_strange_stands_repeats_without_weights_are_stacked():
    act, drop = nn.ReLU(), nn.Dropout(0.5)
    module = nn.Sequential(nn.Linear(6, 6), act, drop, nn.Linear(6, 6), act, drop, nn.Linear(6, 3))

    assert [name for name, _ in leaf_layers(module)] == [f"{place}." for place in range(7)]
    assert stackable(module)


def test_inputs_are_rounded_early_only_where_the_first_layer_rounds_them():
    first = nn.Linear(6, 3)

    assert rounds_first(nn.Sequential(nn.Flatten(), first))
    assert not rounds_first(nn.Sequential(own(nn.Flatten)(), first))
    assert not rounds_first(residual(first))
    assert not rounds_first(nn.Sequential(hooked(first, "register_forward_pre_hook")))
    assert not rounds_first(nn.Sequential(own(nn.Linear)(6, 3)))
