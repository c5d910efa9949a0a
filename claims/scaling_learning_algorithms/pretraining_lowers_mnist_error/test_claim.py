"""Verdicts, controls and timings; checks of the instrument: what each stage sees, and what is taken away from weights."""

from __future__ import annotations

import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))

RULE = {
    "epochs": 1,
    "batch_size": 10,
    "learning_rate": 0.1,
    "momentum": 0.5,
    "weight_decay": 0.0,
    "initial_spread": 0.1,
}

SIZES = {"n_train": 40, "n_test": 30}


def start(claim, kind):
    """Return what a small network of two hidden layers starts from."""
    rule = {f"pretraining_{name}": value for name, value in RULE.items()}
    return claim.experiment.start_of(SEEDS, start=kind, **SIZES, hidden=[6, 5], device="cpu", **rule)


def test_instrument_shuffling_keeps_the_numbers_of_each_layer_and_seed(claim):
    import torch

    weights = {"0.weight": torch.arange(24.0).view(2, 3, 4)}
    mixed = claim.experiment.shuffled(weights, SEEDS)["0.weight"]

    assert not torch.equal(mixed, weights["0.weight"])
    torch.testing.assert_close(mixed.flatten(1).sort(1).values, weights["0.weight"].flatten(1))


def test_instrument_misplaced_features_are_the_same_of_other_pixels(claim):
    """All units of a seed look elsewhere alike, so that they have in common what they had; the layers above stay."""
    import torch

    kept, moved = start(claim, "pretrained"), start(claim, "misplaced")
    old, new = kept["0.weight"], moved["0.weight"]

    assert (old != new).float().mean() > 0.9
    torch.testing.assert_close(old @ old.mT, new @ new.mT, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(old.sort(2).values, new.sort(2).values)
    assert all(torch.equal(kept[name], moved[name]) for name in kept if name != "0.weight")


def test_instrument_pretraining_sees_the_training_images_alone(claim, monkeypatch):
    """What reaches the stack are the images of each seed's training set, in their order, and nothing else."""
    import torch

    seen, learn = [], claim.experiment.ContrastiveDivergence.train_stack

    def learn_and_tell(rule, inputs, *others):
        seen.append(inputs)
        return learn(rule, inputs, *others)

    monkeypatch.setattr(claim.experiment.ContrastiveDivergence, "train_stack", learn_and_tell)
    claim.experiment.pretrained.cache_clear()
    start(claim, "pretrained")

    assert len(seen) == 1
    assert torch.equal(seen[0], claim.experiment.examples(SEEDS, **SIZES).train[0])


def test_instrument_training_and_test_digits_are_disjoint_and_of_each_seed_its_own(claim):
    from fixtures import mnist

    parts = [mnist.split(mnist.load(), seed, 2_000, 3_000) for seed in SEEDS]
    drawn = claim.experiment.examples(SEEDS, n_train=2_000, n_test=3_000)

    for number, (train, test) in enumerate(parts):
        assert len(set(train.tolist()) | set(test.tolist())) == 5_000
        for rows, (inks, labels) in ((train, drawn.train), (test, drawn.test)):
            assert (
                inks[number].numpy() == (mnist.load().images[rows] / 255.0).reshape(-1, 784).astype("float32")
            ).all()
            assert (labels[number].numpy() == mnist.load().labels[rows]).all()
    assert set(parts[0][0].tolist()) != set(parts[1][0].tolist())


def test_instrument_network_begins_by_computing_what_the_stack_does(claim):
    """Before it is trained the network's hidden layers are the machines' hidden probabilities, layer upon layer."""
    import torch

    experiment, seed = claim.experiment, 1
    weights = start(claim, "pretrained")
    inputs = experiment.examples(SEEDS, **SIZES).train[0]
    machines = experiment.ContrastiveDivergence(**RULE).train_stack(inputs, (6, 5), SEEDS)
    layers = experiment.network((6, 5), "sigmoid")[:4]
    layers.load_state_dict({name: values[seed] for name, values in weights.items()})

    expected = machines[1].hidden(machines[0].hidden(inputs))[seed]

    torch.testing.assert_close(layers(inputs[seed]), expected)
    assert sorted(weights) == ["0.bias", "0.weight", "2.bias", "2.weight"]


def test_instrument_random_networks_begin_without_the_stack(claim):
    """A random start is none of the stack's: the initialiser's alone."""
    assert start(claim, "random") is None


def test_instrument_errors_and_loss_are_counted_on_their_own_digits(claim):
    """A network that always says class 0 errs on all other digits, and loses ln 10 with nothing but zeros."""
    import torch

    from harness.training import Ensemble

    module = torch.nn.Sequential(torch.nn.Linear(784, 10, device="meta"))
    weights = {"0.weight": torch.zeros(2, 10, 784), "0.bias": torch.zeros(2, 10)}
    split = claim.experiment.examples(SEEDS, **SIZES)
    says_zero = weights | {"0.bias": torch.eye(10)[:1].repeat(2, 1)}
    scored = claim.experiment.score(Ensemble(module, says_zero, "loop", "float32"), split)

    for name, (_, labels) in (("train_error", split.train), ("test_error", split.test)):
        assert scored[name] == pytest.approx((labels != 0).float().mean(1).numpy())
    flat = claim.experiment.score(Ensemble(module, weights, "loop", "float32"), split)
    assert flat["train_loss"] == pytest.approx(2.302585, abs=1e-5)
    zeros = (split.train[1] == 0).float().mean(1).numpy()
    normaliser = torch.tensor(9 + 2.718281828).log().item()
    assert scored["train_loss"] == pytest.approx(normaliser - zeros, abs=1e-5)
