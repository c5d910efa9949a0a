"""Dropout: every kind draws from a seed's own generator, or is refused in words, on whatever device."""

from __future__ import annotations

import random
import re
import types

import numpy as np
import pytest
import torch
from torch import nn

from harness.errors import UsageError
from harness.seeds import seeds_of
from harness.training import rehearsal
from harness.training.draws import Draws, Streams
from harness.training.dropout import drop, require_seeded, seed_layers
from harness.training.layers import LastStep
from harness.training.optimisers import Optimiser
from tests.keywords import train

SEEDS = seeds_of("dropout", 0, range(2))
SEEDED = "global generator"


class Own(nn.Dropout):
    """Dropout that does more."""

    def forward(self, inputs):
        return 2 * super().forward(inputs)


def hooked():
    layer = nn.Dropout(0.5)
    layer.register_forward_hook(lambda *_: None)
    return layer


REFUSED = {
    "Dropout1d": lambda: nn.Dropout1d(0.3),
    "Dropout2d": lambda: nn.Dropout2d(0.3),
    "Dropout3d": lambda: nn.Dropout3d(0.3),
    "AlphaDropout": lambda: nn.AlphaDropout(0.3),
    "FeatureAlphaDropout": lambda: nn.FeatureAlphaDropout(0.3),
    "RReLU": nn.RReLU,
    "FractionalMaxPool2d": lambda: nn.FractionalMaxPool2d(2, output_size=2),
    "LSTM": lambda: LastStep(nn.LSTM(4, 4, 2, batch_first=True, dropout=0.2)),
    "MultiheadAttention": lambda: nn.TransformerEncoderLayer(4, 2, 8, dropout=0.1, batch_first=True),
    "Own": Own,
    "Dropout": hooked,
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_kind_that_no_seed_governs_is_refused_by_name_before_it_runs(kind):
    """By its kind alone, on tensors without numbers: so on a GPU, too, where draws leave no trace on the CPU."""
    with torch.device("meta"):
        module = nn.Sequential(nn.Linear(4, 4), nn.Sequential(REFUSED[kind]()))
    message = rf"train: 1\.0[\w.]*: {kind} draws from torch's global generator"
    with pytest.raises(UsageError, match=message):
        require_seeded(module)
    start = {n: torch.zeros(2, *v.shape) for n, v in module.named_parameters()}
    with pytest.raises(UsageError, match=message):
        train(
            lambda: nn.Sequential(nn.Linear(4, 4), nn.Sequential(REFUSED[kind]())),
            torch.ones(2, 8, 4), torch.zeros(2, 8, dtype=int), SEEDS, optimiser=Optimiser("sgd", 0.1), steps=1,
            batch_size=4, start=start,
        )  # fmt: skip


@pytest.mark.parametrize(
    "layer",
    [
        nn.Dropout(0.5),
        nn.Dropout2d(0.0),
        nn.LSTM(4, 4, 2),
        nn.MultiheadAttention(4, 2),
        nn.TransformerEncoderLayer(4, 2, dropout=0.0),
        nn.RReLU(0.2, 0.2),
    ],
    ids=repr,
)
def test_what_draws_nothing_is_let_pass(layer):
    require_seeded(nn.Sequential(layer))


@pytest.mark.parametrize("kind", ["Dropout2d", "AlphaDropout", "RReLU"])
def test_those_kinds_do_draw_from_the_global_generator(kind):
    """The oracle of the list: run in training they move it."""
    before = torch.get_rng_state()
    REFUSED[kind]()(-torch.ones(2, 4, 4, 4))

    assert not torch.equal(before, torch.get_rng_state())


def twice():
    shared = nn.Dropout(0.5)
    return nn.Sequential(nn.Linear(4, 8), shared, nn.Linear(8, 8), shared, nn.Linear(8, 3))


def once_each():
    return nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 8), nn.Dropout(0.5), nn.Linear(8, 3))


def trained(build, **changes):
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(2, 16, 4, generator=generator, dtype=torch.float64)
    targets = torch.randint(3, (2, 16), generator=generator)
    settings = {"optimiser": Optimiser("sgd", 0.1), "steps": 6, "batch_size": 8, "precision": "float64", **changes}
    return train(build, inputs, targets, SEEDS, **settings)


@pytest.mark.parametrize("strategy", ["stacked", "loop"])
def test_one_dropout_at_two_places_is_seeded_at_both(strategy):
    shared, apart = trained(twice, strategy=strategy), trained(once_each, strategy=strategy)

    for name, values in apart.weights.items():
        assert torch.equal(shared.weights[name], values)


def test_a_dropout_under_two_names_is_replaced_under_both():
    module = nn.ModuleDict({"first": nn.Dropout(0.5), "inner": nn.Sequential(nn.Dropout(0.5))})
    module["again"], module["outer"] = module["first"], module["inner"]
    seed_layers(module, Streams(SEEDS[:1], torch.device("cpu")))

    assert not [part for part in module.modules() if type(part) is nn.Dropout]


@pytest.mark.parametrize("strategy", ["stacked", "loop"])
def test_dropping_everything_leaves_zeros(strategy):
    build = lambda: nn.Sequential(nn.Linear(4, 8), nn.Dropout(1.0), nn.Linear(8, 3))  # noqa: E731
    ensemble = trained(build, strategy=strategy)

    assert torch.equal(ensemble.weights["0.weight"], trained(build, steps=0).weights["0.weight"])
    assert drop(torch.ones(2, 5), 1.0, Draws.of(SEEDS, "states")).tolist() == nn.Dropout(1.0)(torch.ones(2, 5)).tolist()


class Drawing(nn.Module):
    """Draws in its forward as it is told, in training."""

    def __init__(self, draw):
        super().__init__()
        self.linear, self.draw = nn.Linear(4, 3), draw

    def forward(self, inputs):
        outputs = self.linear(inputs)
        return outputs + self.draw(outputs) if self.training else outputs


DRAWS = {
    "torch's": nn.functional.dropout,
    "torch's, of a kind": lambda outputs: torch.zeros_like(outputs).normal_(),
    "numpy's": lambda _: float(np.random.random()),  # noqa: NPY002 - what nothing here may do
    "Python's": lambda _: random.random(),
}


@pytest.mark.parametrize("whose", DRAWS)
@pytest.mark.usefixtures("global_generators")
def test_a_network_that_draws_in_its_own_forward_is_refused(whose):
    message = f"draws from {whose.partition(',')[0]} global generator: use nn.Dropout"
    with pytest.raises(UsageError, match=re.escape(message)):
        trained(lambda: Drawing(DRAWS[whose]), strategy="loop")


@pytest.mark.usefixtures("global_generators")
def test_a_network_that_draws_later_only_is_refused_when_it_has():
    calls = []

    def late(_):
        calls.append(None)
        return random.random() if len(calls) == 5 else 0.0

    with pytest.raises(UsageError, match="draws from Python's global generator"):
        trained(lambda: Drawing(late), strategy="loop")
    assert len(calls) == 1 + 2 * 6, "one rehearsal, and six steps of two seeds"


def test_draws_on_a_gpu_are_seen_by_the_state_of_its_own_generator(monkeypatch):
    """Without a GPU: its generator is what torch says of it, and the CPU's does not move when it is drawn from."""
    words = [torch.zeros(16, dtype=torch.uint8)]
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda _device: words[-1])
    device = types.SimpleNamespace(type="cuda")
    before = rehearsal.global_states(device)
    rehearsal.require_undrawn(before, device)
    words.append(torch.ones(16, dtype=torch.uint8))

    with pytest.raises(UsageError, match=re.escape("draws from torch's (on the GPU) global generator")):
        rehearsal.require_undrawn(before, device)
