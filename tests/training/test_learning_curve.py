"""Looking on while a network is trained."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from harness.errors import UsageError
from harness.seeds import Seed
from harness.training.ensembles import Observer, error_rate
from harness.training.learning_curve import LearningCurve
from harness.training.optimisers import Optimiser
from tests.keywords import train

SEED = Seed(0, "a", 0)


def examples(number):
    inputs = torch.randn(1, number, 5, generator=SEED.torch("inputs"))
    return inputs, (inputs.sum(-1) > 0).long()


def network():
    return nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.BatchNorm1d(8), nn.Linear(8, 2))


def trained(strategy, epochs=4, seeds=(SEED,), **more):
    inputs, targets = examples(60)
    given = {"optimiser": Optimiser("adam", 0.05, schedule="constant"), "batch_size": 20, "strategy": strategy}
    return train(
        network,
        inputs.expand(len(seeds), -1, -1),
        targets.expand(len(seeds), -1),
        seeds,
        epochs=epochs,
        **given,
        **more,
    )


@pytest.mark.parametrize("strategy", ["loop", "stacked"])
def test_looking_on_changes_nothing(strategy):
    curve = LearningCurve(*examples(60), steps=3)
    watched, alone = trained(strategy, observer=curve.observer), trained(strategy)

    assert all(torch.equal(watched.weights[name], alone.weights[name]) for name in alone.weights)


@pytest.mark.parametrize("strategy", ["loop", "stacked"])
def test_a_curve_holds_the_error_after_each_epoch(strategy):
    curve = LearningCurve(*examples(60), steps=3)
    trained(strategy, observer=curve.observer)
    line = curve.line("net")

    assert line.name == "net"
    assert list(line.x) == [1, 2, 3, 4]
    # The rate of learning is constant, so a shorter training is the beginning of a longer one.
    assert list(line.y) == [float(error_rate(trained(strategy, epochs), *examples(60))[0]) for epochs in (1, 2, 3, 4)]
    assert len(set(line.y)) > 1


def test_many_seeds_are_not_looked_at():
    with pytest.raises(UsageError, match="observer: 2 seeds: it looks at one alone"):
        trained("stacked", seeds=(SEED, Seed(0, "a", 1)), observer=Observer(1, lambda *_: None))
