"""Verdicts, controls, timings; checks of the instrument: arms, labels, and the laws of weight decay against oracles."""

from __future__ import annotations

import copy

import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))
SHAPE = {"side": 4, "width": 6, "depth": 3}


def drawn(claim, label_noise=0.0, n_train=100, n_test=50):
    return claim.experiment.examples(SEEDS, n_train=n_train, n_test=n_test, side=14, label_noise=label_noise)


def network(claim, normalization, activation="relu", dropout=0.0):
    return claim.experiment.network(**SHAPE, activation=activation, normalization=normalization, dropout=dropout)


def begun(claim, normalization, activation="relu", epsilon=1e-5):
    """Return a network in training mode, its state in double precision, and ten batches of eight."""
    import torch

    generator = torch.Generator().manual_seed(0)
    module = network(claim, normalization, activation).double().train()
    for part in module:
        if isinstance(part, torch.nn.BatchNorm1d):
            part.eps = epsilon
    state = {name: own.detach().clone() for name, own in module.state_dict().items()}
    for name in claim.experiment.hidden_weights(module):
        state[name] = torch.randn(state[name].shape, generator=generator, dtype=torch.float64)
    inputs = torch.randn(10, 8, 16, generator=generator, dtype=torch.float64)
    return module, state, list(zip(inputs, torch.randint(10, (10, 8), generator=generator), strict=True))


def test_instrument_each_arm_has_what_its_name_says(claim):
    from torch import nn

    kinds = {name: [type(layer) for layer in network(claim, name)[:3]] for name in ("before", "after")}
    dropped = network(claim, None, dropout=0.25)

    assert kinds["before"] == [nn.Linear, nn.BatchNorm1d, nn.ReLU]
    assert kinds["after"] == [nn.Linear, nn.ReLU, nn.BatchNorm1d]
    assert [type(layer) for layer in dropped] == [nn.Linear, nn.ReLU, nn.Dropout] * 3 + [nn.Linear]
    assert [type(layer) for layer in network(claim, None)] == [nn.Linear, nn.ReLU] * 3 + [nn.Linear]


def test_instrument_hidden_weights_are_all_matrices_but_the_read_out(claim):
    assert claim.experiment.hidden_weights(network(claim, "before")) == ["0.weight", "3.weight", "6.weight"]
    assert claim.experiment.hidden_weights(network(claim, "after")) == ["0.weight", "3.weight", "6.weight"]


def test_instrument_noise_is_in_the_labels_trained_on_alone(claim):
    """Nine in ten of four in ten are wrong: 0.36; within four standard errors of two thousand labels."""
    import torch

    true, noisy = (drawn(claim, noise, n_train=1000) for noise in (0.0, 0.4))

    assert torch.equal(true.train[0], noisy.train[0])
    assert all(torch.equal(*pair) for pair in zip(true.test, noisy.test, strict=True))
    assert abs((true.train[1] != noisy.train[1]).double().mean() - 0.36) < 4 * (0.36 * 0.64 / 2000) ** 0.5


@pytest.mark.parametrize(("activation", "scale"), [("relu", 1.4), ("sigmoid", 4.0)])
def test_instrument_each_activation_begins_with_weights_of_its_own_scale(claim, activation, scale):
    import torch

    from harness.training import Optimiser, Recipe

    recipe = Recipe(Optimiser("sgd", 0.1), batch_size=25, epochs=0, initialiser="xavier", rates=(0.1, 0.3))
    shape = {"side": 14, "width": 6, "depth": 3, "activation": activation, "normalization": None, "dropout": 0.0}
    one, other = (
        claim.experiment.fit(SEEDS, drawn(claim), recipe, start_of_relu=r, start_of_sigmoid=s, **shape).weights
        for r, s in ((1.0, 1.0), (1.4, 4.0))
    )

    torch.testing.assert_close(other["4.weight"], scale * one["4.weight"])
    assert torch.equal(other["6.weight"], one["6.weight"])


@pytest.mark.parametrize("normalization", ["before", None])
def test_instrument_the_gradient_is_what_differences_of_the_loss_say(claim, normalization):
    """Along the weights of the second layer: their product with the gradient, to the sixth digit."""
    from torch.func import functional_call
    from torch.nn.functional import cross_entropy

    module, state, (batch, *_) = begun(claim, normalization)
    name = claim.experiment.hidden_weights(module)[1]

    def loss(scale):
        return cross_entropy(functional_call(module, state | {name: scale * state[name]}, (batch[0],)), batch[1])

    product = (claim.experiment.gradient(module, state, batch)[name] * state[name]).sum()

    assert product.item() == pytest.approx(((loss(1.0001) - loss(0.9999)) / 0.0002).item(), rel=1e-6, abs=1e-7)


def test_instrument_a_step_with_decay_is_that_of_torch(claim):
    """torch.optim.SGD adds decay times weight to the gradient, here of the hidden weights alone."""
    import torch

    module, state, (batch, *_) = begun(claim, "before")
    hidden, theirs = claim.experiment.hidden_weights(module), copy.deepcopy(module)
    theirs.load_state_dict(state)
    groups = [
        {"params": [own], "weight_decay": 0.2 if name in hidden else 0.0} for name, own in theirs.named_parameters()
    ]
    optimiser = torch.optim.SGD(groups, lr=0.1)
    torch.nn.functional.cross_entropy(theirs(batch[0]), batch[1]).backward()
    optimiser.step()

    ours = claim.experiment.stepped(module, state, batch, 0.1, 1 - 0.1 * 0.2, 0.1)

    for name, own in theirs.named_parameters():
        torch.testing.assert_close(ours[name], own.detach(), atol=1e-12, rtol=1e-10)


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_instrument_without_what_is_added_to_variances_the_laws_are_exact(claim, activation):
    """To ten digits for a normalised network, and not at all for a plain one."""
    normalised, plain = (
        claim.experiment.laws(*begun(claim, place, activation, epsilon=1e-30), rescaling=7.3, decay=0.2, rate=0.1)
        for place in ("before", None)
    )

    assert max(normalised.values()) < 1e-10
    assert min(plain.values()) > 1e-3


def test_instrument_decay_matters_in_so_few_steps(claim):
    """Else that it acts through the rate alone would say nothing."""
    from torch.func import functional_call

    module, state, batches = begun(claim, "before")
    kept = {1.0: state, 0.9: state}
    for batch in batches:
        kept = {share: claim.experiment.stepped(module, own, batch, 0.1, share, 0.1) for share, own in kept.items()}
    without, decayed = (functional_call(module, own, (batches[0][0],)) for own in kept.values())

    assert (without - decayed).abs().max() > 0.01


def test_instrument_no_digit_is_both_trained_on_and_tested_on(claim):
    from fixtures.leakage import images_in_both

    assert images_in_both(drawn(claim, n_train=1000, n_test=1000)) == [0, 0]
