"""Looking on while a network is trained."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from harness.errors import UsageError
from harness.seeds import Seed, seeds_of
from harness.training.early_stopping import EarlyStopping
from harness.training.ensembles import Ensemble, Observer, error_rate
from harness.training.learning_curve import LearningCurve
from harness.training.optimisers import Optimiser
from tests.keywords import train
from tests.plain import plain_loop

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


SEEDS = seeds_of("looked at", 0, range(3))


def perceptron():
    return nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.BatchNorm1d(8), nn.Linear(8, 2))


class Residual(nn.Module):
    """A network that only vmap trains all at once."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(5, 5), nn.Linear(5, 2)

    def forward(self, inputs):
        return self.last(inputs + self.first(inputs).tanh())


BUILDS = {"stacked": perceptron, "vmap": Residual}


def own_examples(dtype=torch.float64):
    """Return examples of each seed's own, (3, 60, 5) and (3, 60)."""
    inputs = torch.stack([torch.randn(60, 5, generator=seed.torch("inputs"), dtype=dtype) for seed in SEEDS])
    return inputs, (inputs.sum(-1) > 0).long()


def looked_at(strategy, steps, inputs, targets, every=10, **more):
    """Return what an observer is shown, by the steps taken, and what has been trained."""
    seen: dict[int, Ensemble] = {}
    settings = {"optimiser": Optimiser("sgd", 0.1, 0.9, 1e-3), "batch_size": 16, "precision": "float64", **more}
    observer = Observer(every, seen.__setitem__)
    ends = train(
        BUILDS[strategy], inputs, targets, SEEDS, steps=steps, strategy=strategy, observer=observer, **settings
    )
    return seen, ends


@pytest.mark.parametrize("strategy", BUILDS)
def test_an_observer_is_shown_every_seed_as_a_plain_loop_has_it(strategy):
    inputs, targets = own_examples()
    seen, _ = looked_at(strategy, 40, inputs, targets)

    assert {taken: networks.steps for taken, networks in seen.items()} == {n: (n,) * 3 for n in (10, 20, 30, 40)}
    rule = {"rate": 0.1, "momentum": 0.9, "decay": 1e-3, "batch_size": 16, "steps": 20}
    for number, seed in enumerate(SEEDS):
        module = plain_loop(BUILDS[strategy], inputs[number], targets[number], seed, **rule)
        for name, own in module.state_dict().items():
            torch.testing.assert_close(seen[20].weights[name][number], own, rtol=0, atol=1e-10)
        expected = module.eval()(inputs[number]).detach()
        torch.testing.assert_close(seen[20].predict(inputs)[number], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("strategy", BUILDS)
def test_what_is_seen_underway_is_what_a_shorter_training_ends_with(strategy):
    seen, ends = looked_at(strategy, 40, *own_examples())
    for taken in (20, 40):
        _, shorter = looked_at(strategy, taken, *own_examples())
        assert all(torch.equal(seen[taken].weights[name], own) for name, own in shorter.weights.items())
        assert torch.equal(seen[taken].predict(own_examples()[0]), shorter.predict(own_examples()[0]))
    assert not torch.equal(seen[20].predict(own_examples()[0]), ends.predict(own_examples()[0]))


@pytest.mark.parametrize("strategy", BUILDS)
def test_a_neighbour_does_not_change_what_is_seen_of_a_seed(strategy):
    inputs, targets = own_examples()
    others = inputs.clone()
    others[[0, 2]] *= -2.0
    (seen, _), (beside_others, _) = (looked_at(strategy, 20, given, targets) for given in (inputs, others))

    for name, own in seen[20].weights.items():
        assert torch.equal(own[1], beside_others[20].weights[name][1])
    assert not torch.equal(seen[20].predict(inputs)[0], beside_others[20].predict(inputs)[0])


@pytest.mark.parametrize("strategy", BUILDS)
def test_looking_on_leaves_early_stopping_as_it_was(strategy):
    inputs, targets = own_examples()
    rule = EarlyStopping(inputs, targets, every=7, patience=1)
    settings = {"stopping": rule, "optimiser": Optimiser("sgd", 2.0)}
    (seen, watched), (_, alone) = (looked_at(strategy, 400, inputs, targets, every, **settings) for every in (1, 1000))

    assert watched.steps == alone.steps
    assert len(set(watched.steps)) > 1, "seeds that stop together show nothing"
    assert len(seen) == max(seen) > min(watched.steps), "it looks on until all have stopped"
    assert all(torch.equal(watched.weights[name], own) for name, own in alone.weights.items())


def test_seeds_that_are_trained_one_after_the_other_are_not_looked_at_together():
    with pytest.raises(UsageError, match=r"observer: 2 seeds: with 'loop' they are trained .* one call for each seed"):
        trained("loop", seeds=(SEED, Seed(0, "a", 1)), observer=Observer(1, lambda *_: None))
