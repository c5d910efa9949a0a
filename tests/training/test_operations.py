"""What a step asks of the device: no more operations for more seeds, and none that waits for a number."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from harness.seeds import seeds_of
from harness.training.graphs import STEPS_AT_LEAST, worth_recording
from harness.training.layers import LastStep
from harness.training.optimisers import Optimiser, _Adam, _Sgd, make_stepper
from tests.keywords import train

WAITING = ("_local_scalar_dense", "nonzero", "is_nonzero", "masked_select", "_to_copy")
"""Operations that give the host a number, or wait until it is there, or move something between devices or types."""


class Counting(TorchDispatchMode):
    """Counts the operations that are asked for inside."""

    def __init__(self):
        super().__init__()
        self.counts = Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.counts[function.overloadpacket.__name__] += 1
        return function(*args, **(kwargs or {}))


NETWORKS = {
    "perceptron": (lambda: nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 3)), (12,)),
    "convolutional": (
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2, 3)),
        (1, 4, 4),
    ),
    "recurrent": (lambda: nn.Sequential(LastStep(nn.GRU(3, 4, batch_first=True)), nn.Linear(4, 3)), (4, 3)),
}
OPTIMISERS = {
    "sgd": lambda _: Optimiser("sgd", 0.1, 0.9, schedule="cosine"),
    "adam": lambda _: Optimiser("adam", 0.1),
    "sgd, two in rows": lambda number: [Optimiser("sgd", rate, 0.9) for rate in (0.1, 0.2) for _ in range(number // 2)],
    "adam, two in rows": lambda number: [Optimiser("adam", rate) for rate in (0.1, 0.2) for _ in range(number // 2)],
    "sgd, one per seed": lambda number: [Optimiser("sgd", 0.1 / (1 + seed), 0.9) for seed in range(number)],
    "adam, one per seed": lambda number: [Optimiser("adam", 0.1 / (1 + seed)) for seed in range(number)],
}

COLUMNS = {"sgd, one per seed": _Sgd, "adam, one per seed": _Adam}
"""How a GPU takes them; a processor's calls are as many as there are rows of seeds with the same optimiser."""


def asked_in_a_step(network, optimiser, number):
    """Return the operations of one step of `number` seeds: those of eight steps within an epoch less those of seven."""
    build, shape = NETWORKS[network]
    inputs, targets = torch.zeros(number, 40, *shape), torch.zeros(number, 40, dtype=torch.int64)
    counts = []
    for steps in (7, 8):
        with Counting() as counting:
            train(
                build, inputs, targets, seeds_of("operations", 0, range(number)), optimiser=OPTIMISERS[optimiser](number),
                batch_size=5, steps=steps, strategy="stacked",
            )  # fmt: skip
        counts.append(counting.counts)
    return counts[1] - counts[0]


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("network", NETWORKS)
def test_a_step_asks_for_as_much_whatever_the_number_of_seeds_and_waits_for_nothing(network, optimiser, monkeypatch):
    monkeypatch.setattr("harness.training.training_run.make_stepper", COLUMNS.get(optimiser, make_stepper))
    few, many = (asked_in_a_step(network, optimiser, number) for number in (2, 6))

    assert few == many
    assert sum(few.values()) > 10
    assert not set(WAITING) & set(few)


def test_an_operation_that_waits_is_seen():
    with Counting() as counting:
        float(torch.ones(3)[torch.ones(3) > 0].sum())

    assert counting.counts["_local_scalar_dense"] == 1


@pytest.mark.parametrize(
    ("strategy", "steps", "device", "expected"),
    [
        ("stacked", STEPS_AT_LEAST, "cuda", True),
        ("vmap", STEPS_AT_LEAST, "cuda", True),
        ("loop", STEPS_AT_LEAST, "cuda", False),
        ("stacked", STEPS_AT_LEAST - 1, "cuda", False),
        ("stacked", 10**6, "cpu", False),
    ],
)
def test_steps_are_recorded_on_a_gpu_where_all_seeds_take_many_together(strategy, steps, device, expected):
    assert worth_recording(strategy, steps, torch.device(device)) == expected
