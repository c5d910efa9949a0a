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

    from fixtures.leakage import images_of_stacks

    seen = images_of_stacks(claim.experiment, monkeypatch)
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


def test_instrument_stack_learns_to_reconstruct_images(claim):
    """After 20 passes the first machine gives images back with less than half the error of one that has learned nothing."""
    from dataclasses import replace

    inputs = claim.experiment.examples(SEEDS, **SIZES).train[0]

    def error(epochs):
        rule = replace(claim.experiment.ContrastiveDivergence(**RULE), epochs=epochs)
        (machine,) = rule.train_stack(inputs, (6,), SEEDS)
        return (machine.visible(machine.hidden(inputs)) - inputs).square().mean((1, 2))

    assert (error(20) < error(0) / 2).all()


def test_instrument_random_networks_begin_without_the_stack(claim):
    """A random start is none of the stack's: the initialiser's alone."""
    assert start(claim, "random") is None


@pytest.mark.parametrize("kind", ["random", "pretrained"])
def test_instrument_training_sees_nothing_of_the_test_digits(claim, kind):
    """Neither to stop by nor otherwise: without them the networks are the same, bit for bit."""
    from fixtures.leakage import without_test
    from harness.training import Optimiser, Recipe

    split = claim.experiment.examples(SEEDS, **SIZES)
    recipe = Recipe(Optimiser("adam", 0.01), batch_size=10, epochs=2, initialiser="xavier_sigmoid")
    rule = {f"pretraining_{name}": value for name, value in RULE.items()}
    settings = {"start": kind, **SIZES, "hidden": [6, 5], "activation": "sigmoid", **rule}
    one, other = (claim.experiment.fit(SEEDS, own, recipe, **settings) for own in (split, without_test(split)))

    assert (one.predict(split.train[0]) == other.predict(split.train[0])).all()


def test_instrument_errors_and_loss_are_counted_on_their_own_digits(claim):
    """Of a network of one linear layer: who is wrong, and what it costs in nat, digit by digit."""
    import torch

    from harness.training import Ensemble

    weights = torch.stack([torch.randn(10, 784, generator=seed.torch("linear")) for seed in SEEDS]) / 28
    module = torch.nn.Sequential(torch.nn.Linear(784, 10, device="meta"))
    networks = Ensemble(module, {"0.weight": weights, "0.bias": torch.zeros(2, 10)}, "loop", "float32")
    split = claim.experiment.examples(SEEDS, **SIZES)
    scored = claim.experiment.score(networks, split)

    for number in range(2):
        wrong, cost = {}, {}
        for part, (inks, labels) in (("train", split.train), ("test", split.test)):
            outputs = inks[number] @ weights[number].T
            wrong[part] = (outputs.argmax(1) != labels[number]).float().mean().item()
            chances = outputs.exp()[range(len(outputs)), labels[number]] / outputs.exp().sum(1)
            cost[part] = -chances.log().mean().item()
        assert wrong["train"] != wrong["test"]
        assert scored["train_error"][number] == pytest.approx(wrong["train"])
        assert scored["test_error"][number] == pytest.approx(wrong["test"])
        assert scored["train_loss"][number] == pytest.approx(cost["train"], rel=1e-5)
