"""On a GPU: the processor's numbers, twice the same to the last bit, no waiting, and no seed or worker in another's way."""

from __future__ import annotations

import math
import warnings
from contextlib import closing

import pytest
import torch
from torch import nn

from harness.seeds import seeds_of
from harness.training import graphs
from harness.training.early_stopping import EarlyStopping
from harness.training.minibatches import Batches
from harness.training.optimisers import Optimiser
from harness.trials.executor import Processes
from harness.trials.task import Task
from tests.keywords import train

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU: `nox -s gpu` runs it where there is one"),
]

SEEDS = seeds_of("on a gpu", 0, range(3))
STEPS = 30
SGD = Optimiser("sgd", 0.1, 0.9, 1e-3)
OPTIMISERS = {
    "sgd": SGD,
    "sgd, cosine": Optimiser("sgd", 0.1, 0.9, 1e-3, "cosine"),
    "sgd, one per seed": [Optimiser("sgd", rate, 0.5) for rate in (0.1, 0.05, 0.01)],
    "adam": Optimiser("adam", 0.01, weight_decay=0.1),
    "adam, linear": Optimiser("adam", 0.01, schedule="linear"),
}


def perceptron(dropout: float = 0.0) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 20), nn.ReLU(), nn.Dropout(dropout), nn.Linear(20, 10))


def convolutional(dropout: float = 0.0) -> nn.Module:
    layers = [nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    return nn.Sequential(*layers, nn.Dropout(dropout), nn.Linear(36, 10))


class Residual(nn.Module):
    """A network that is no Sequential."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(64, 64), nn.Linear(64, 10)

    def forward(self, inputs):
        inputs = inputs.flatten(1)
        return self.last(inputs + self.first(inputs).relu())


NETWORKS = {"perceptron": perceptron, "convolutional": convolutional, "residual": Residual}
EACH = [
    ("perceptron", "stacked"), ("perceptron", "vmap"), ("perceptron", "loop"), ("convolutional", "stacked"),
    ("convolutional", "loop"), ("residual", "vmap"), ("residual", "loop"),
]  # fmt: skip


def examples(n=70, seeds=SEEDS):
    """Images whose class can be learned, (n_seeds, n, 1, 8, 8), and classes; 70 leave a smaller last batch of 16."""
    inputs = torch.stack([torch.randn(n, 64, generator=seed.torch("inputs"), dtype=torch.float64) for seed in seeds])
    return inputs.view(len(seeds), n, 1, 8, 8), inputs[..., :10].argmax(2)


def trained(build=perceptron, device="cuda", data=None, seeds=SEEDS, **changes):
    settings = {"optimiser": SGD, "steps": STEPS, "batch_size": 16, "precision": "float64", **changes}
    return train(build, *(data or examples(seeds=seeds)), seeds, device=device, **settings)


def largest_difference(one, other):
    return max(float((one.weights[name].cpu() - other.weights[name].cpu()).abs().max()) for name in one.weights)


# An optimiser knows nothing of how forward is computed: all of them are tried on stacked networks.
@pytest.mark.parametrize(
    ("network", "strategy", "optimiser"),
    [(*each, name) for each in EACH for name in OPTIMISERS if each[1] == "stacked" or name in {"sgd", "adam"}],
)
def test_the_gpu_gives_the_numbers_of_the_processor(network, strategy, optimiser):
    build = NETWORKS[network]
    if network != "residual" and strategy != "vmap":
        build = lambda: NETWORKS[network](0.3)  # noqa: E731 - what is dropped is the same on every device
    settings = {"build": build, "strategy": strategy, "optimiser": OPTIMISERS[optimiser]}

    assert largest_difference(trained(**settings), trained(device="cpu", **settings)) < 1e-10


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(("network", "strategy"), EACH)
def test_a_run_repeats_itself_to_the_last_bit(network, strategy, precision):
    build = NETWORKS[network]
    if network != "residual" and strategy != "vmap":
        build = lambda: NETWORKS[network](0.3)  # noqa: E731
    settings = {"build": build, "strategy": strategy, "precision": precision}

    assert largest_difference(trained(**settings), trained(**settings)) == 0.0


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("network", ["perceptron", "convolutional"])
def test_a_recorded_step_is_the_step(network, optimiser, monkeypatch):
    """Dropout's draws, a smaller last batch, masks and a rule of stopping among them."""
    inputs, classes = data = examples()
    name = {"perceptron": "4.weight", "convolutional": "6.weight"}[network]
    build = lambda: NETWORKS[network](0.3)  # noqa: E731
    shape = dict(build().named_parameters())[name].shape
    mask = torch.stack([torch.rand(shape, generator=seed.torch("mask")) > 0.5 for seed in SEEDS])
    rule = EarlyStopping(inputs, classes, every=5, patience=2)
    settings = {
        "build": build, "data": data, "optimiser": OPTIMISERS[optimiser], "masks": {name: mask}, "stopping": rule,
        "precision": "bfloat16", "strategy": "stacked",
    }  # fmt: skip

    recorded = trained(**settings)
    monkeypatch.setattr(graphs, "STEPS_AT_LEAST", math.inf)
    eager = trained(**settings)

    assert recorded.steps == eager.steps
    assert largest_difference(recorded, eager) == 0.0


def waiting_is(mode):
    with warnings.catch_warnings():
        # That it may overlook some is nothing to fail for.
        warnings.filterwarnings("ignore", "Synchronization debug mode is a prototype", UserWarning)
        torch.cuda.set_sync_debug_mode(mode)


@pytest.mark.parametrize("strategy", ["stacked", "vmap", "loop"])
@pytest.mark.parametrize("steps", [graphs.STEPS_AT_LEAST - 4, STEPS])
def test_no_step_waits_for_the_gpu(strategy, steps, monkeypatch):
    taken = []

    def watched(batches, whole=Batches.__iter__):
        for number, batch in enumerate(whole(batches)):
            # The first step records.
            waiting_is("error" if number else "default")
            taken.append(number)
            yield batch
        waiting_is("default")

    monkeypatch.setattr(Batches, "__iter__", watched)
    try:
        trained(data=examples(64), strategy=strategy, steps=steps, optimiser=OPTIMISERS["sgd, cosine"])
    finally:
        waiting_is("default")

    assert len(taken) == steps * (len(SEEDS) if strategy == "loop" else 1)


@pytest.mark.parametrize("strategy", ["stacked", "vmap", "loop"])
def test_a_seed_that_is_lost_takes_no_other_with_it(strategy):
    inputs, classes = examples()
    lost = inputs.clone()
    lost[1] = math.nan

    alone, beside = trained(data=(inputs, classes), strategy=strategy), trained(data=(lost, classes), strategy=strategy)

    for name, own in beside.weights.items():
        assert own[1].isnan().any()
        torch.testing.assert_close(own[[0, 2]], alone.weights[name][[0, 2]], rtol=0, atol=1e-10)


def test_convolutions_are_as_precise_as_asked():
    """Rounded to ten bits, as cuDNN does by itself, weights would differ by some 1e-3."""
    fine, coarse = (trained(convolutional, steps=2, precision=precision) for precision in ("float64", "float32"))

    assert largest_difference(fine, coarse) < 1e-5


EXPERIMENT = """\
import os
import numpy as np
import torch

def measure(arm, seeds, **settings):
    values = torch.arange(4.0, device="cuda")
    if arm == "assert":
        # An index out of range is found by the kernel, and ends this process's context.
        values[torch.tensor([7], device="cuda")].sum().item()
    if arm == "memory":
        torch.empty(2**50, device="cuda")
    return {"level": np.full(len(seeds), float(values.sum())), "process": np.full(len(seeds), float(os.getpid()))}
"""


@pytest.mark.parametrize(("failing", "goes_on"), [("assert", False), ("memory", True)])
def test_an_error_in_a_kernel_fails_its_trial_and_no_other(failing, goes_on, tmp_path):
    path = tmp_path / "experiment.py"
    path.write_text(EXPERIMENT)
    job = [
        Task(path, tmp_path, arm, {}, seeds_of("c", 0, [0]), {"device": "cuda"}, ("level", "process"))
        for arm in ("before", failing, "after")
    ]

    with closing(Processes(1, ["0"])) as executor:
        before, failed, after = (outcomes[0] for _, outcomes in executor.run([job]))

    assert failed.error is not None
    assert before.metrics["level"] == after.metrics["level"] == 6.0
    assert (before.metrics["process"] == after.metrics["process"]) == goes_on
