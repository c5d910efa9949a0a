"""Verdicts, controls, timings; checks of the instrument: one loss in two coordinates, not convex, and signals at the start."""

from __future__ import annotations

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))
DEPTH, WIDTH = 10, 100


def digits(claim, n_train=300):
    return claim.experiment.examples(SEEDS, n_train=n_train, n_test=50, side=14)


def trained(claim, split, activation, initialiser, steps, start="own"):
    from harness.training import Optimiser, Recipe, train

    recipe = Recipe(Optimiser("sgd", 0.1), batch_size=50, steps=steps, initialiser=initialiser)
    first = claim.experiment.start_of_tanh(SEEDS, split, recipe, DEPTH, WIDTH) if start == "of_tanh" else None
    build = lambda: claim.experiment.network(196, DEPTH, WIDTH, activation)  # noqa: E731 - a factory
    return train(build, *split.train, SEEDS, recipe=recipe, start=first)


def in_sigmoids(claim, networks):
    """Return the sigmoid networks that compute the same as these tanh networks."""
    from dataclasses import replace

    module = claim.experiment.network(196, DEPTH, WIDTH, "sigmoid").eval()
    return replace(networks, module=module, weights=claim.experiment.as_sigmoid(networks.weights))


def loss(networks, split):
    """Return the mean cross-entropy of each seed's network, (n_seeds,)."""
    import torch

    return torch.stack([
        torch.nn.functional.cross_entropy(*own) for own in zip(networks.predict(split.train[0]), split.train[1], strict=True)
    ])  # fmt: skip


def between(one, other):
    """Return the networks half way between two, weight by weight."""
    from dataclasses import replace

    return replace(one, weights={name: (own + other.weights[name]) / 2 for name, own in one.weights.items()})


def with_units_exchanged(networks):
    """Return the networks with the units of each hidden layer in the reverse order, which compute the same."""
    from dataclasses import replace

    layers = range(0, 2 * DEPTH + 1, 2)
    weights = dict(networks.weights)
    for layer in layers[:-1]:
        weights |= {f"{layer}.{part}": weights[f"{layer}.{part}"].flip(1) for part in ("weight", "bias")}
        weights[f"{layer + 2}.weight"] = weights[f"{layer + 2}.weight"].flip(2)
    return replace(networks, weights=weights)


def test_instrument_a_sigmoid_network_computes_what_a_tanh_network_does_before_training_and_after(claim):
    import torch

    split = digits(claim)
    for steps in (0, 30):
        networks = trained(claim, split, "tanh", "xavier", steps)
        found = in_sigmoids(claim, networks).predict(split.test[0])
        torch.testing.assert_close(found, networks.predict(split.test[0]), atol=1e-4, rtol=1e-4)


def test_instrument_the_change_of_weights_is_affine(claim):
    """What lies half way between two networks does so in the other coordinates: lines are lines, and convex is convex."""
    import torch

    split = digits(claim)
    first, last = (trained(claim, split, "tanh", "xavier", steps) for steps in (0, 30))

    found = in_sigmoids(claim, between(first, last)).weights
    expected = between(in_sigmoids(claim, first), in_sigmoids(claim, last)).weights

    for name, weight in found.items():
        torch.testing.assert_close(weight, expected[name], atol=1e-4, rtol=1e-4)


def test_instrument_the_loss_of_the_deep_tanh_network_is_not_convex(claim):
    """Half way between two networks that compute the same, and have learned something, the loss is far above theirs."""
    split = digits(claim)
    networks = trained(claim, split, "tanh", "xavier", 60)
    others = with_units_exchanged(networks)

    assert ((loss(networks, split) - loss(others, split)).abs() < 1e-4).all()
    assert (loss(between(networks, others), split) > loss(networks, split) + 0.5).all()


def test_instrument_signals_die_out_in_deep_sigmoid_networks_and_in_no_others(claim):
    """How much the last hidden layer differs from digit to digit at the start, by how much the first one does."""
    split, kept = digits(claim), {}
    starts = [("sigmoid", "xavier_sigmoid", "own"), ("tanh", "xavier", "own"), ("tanh", "uniform", "own")]
    for start in [*starts, ("relu", "he", "own"), ("sigmoid", "xavier", "of_tanh")]:
        networks = trained(claim, split, *start[:2], 0, start[2])
        first, last = (networks.features(split.train[0], 2 * layer).std(1).mean() for layer in (1, DEPTH))
        kept[start] = (last / first).item()

    assert kept["sigmoid", "xavier_sigmoid", "own"] < 0.05
    assert kept["tanh", "uniform", "own"] < 0.05
    assert kept["tanh", "xavier", "own"] > 0.2
    assert kept["relu", "he", "own"] > 0.2
    assert abs(kept["sigmoid", "xavier", "of_tanh"] - kept["tanh", "xavier", "own"]) < 1e-3
