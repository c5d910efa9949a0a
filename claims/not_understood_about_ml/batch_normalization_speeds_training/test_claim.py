"""Verdicts, controls, timings; checks of the instrument: what is normalised, what is scaled, how the rate is chosen."""

from __future__ import annotations

import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))
SIZES = {"n_train": 100, "n_test": 50, "side": 14}
BOTH_WAYS = [(4, (1e-9, 0.3)), (4, (0.3, 1e-9))]
SHAPE = {"side": 14, "width": 8, "depth": 4}


def fitted(claim, *, epochs, rates=(0.1, 0.3), normalization=None, start_scale=1.0, seeds=SEEDS, **changes):
    from harness.training import Optimiser, Recipe

    recipe = Recipe(Optimiser("sgd", rates[0]), batch_size=50, epochs=epochs, initialiser="xavier", rates=rates)
    split = claim.experiment.examples(seeds, **SIZES)
    given = {**SHAPE, "activation": "relu", "normalization": normalization, "start_scale": start_scale, **changes}
    return claim.experiment.fit(seeds, split, recipe, **given), split


def linear(networks):
    """Return the weights of the linear layers, from the inputs up."""
    return [own for own in networks.weights.values() if own.ndim == 3]


def test_instrument_every_hidden_layer_is_normalised_before_its_activation_and_the_read_out_never(claim):
    from torch import nn

    plain, normalized = (
        claim.experiment.network(**SHAPE, activation="relu", normalization=n) for n in (None, "before")
    )

    assert [type(layer) for layer in plain] == [nn.Linear, nn.ReLU] * 4 + [nn.Linear]
    assert [type(layer) for layer in normalized] == [nn.Linear, nn.BatchNorm1d, nn.ReLU] * 4 + [nn.Linear]


def test_instrument_the_start_scales_hidden_layers_alone(claim):
    import torch

    one, ten = (linear(fitted(claim, epochs=0, start_scale=scale)[0]) for scale in (1.0, 10.0))

    for small, large in zip(one[:-1], ten[:-1], strict=True):
        torch.testing.assert_close(large, 10 * small)
    assert torch.equal(one[-1], ten[-1])


def test_instrument_both_arms_begin_with_the_same_weights(claim):
    import torch

    plain, normalized = (linear(fitted(claim, epochs=0, normalization=n)[0]) for n in (None, "before"))

    assert len(plain) == len(normalized) == 5
    assert all(torch.equal(one, other) for one, other in zip(plain, normalized, strict=True))


@pytest.mark.parametrize("scale", [0.14, 140.0])
def test_instrument_normalised_layers_give_the_same_outputs_whatever_the_scale(claim, scale):
    """By the statistics of a batch, but for the 1e-5 that is added to variances; plain ones do not."""
    import torch

    def outputs(normalization, scale):
        networks, split = fitted(claim, epochs=0, normalization=normalization, start_scale=scale)
        own = {name: values[0] for name, values in networks.weights.items()}
        network = networks.module.train()
        return torch.func.functional_call(network, own, (split.train[0][0],))

    torch.testing.assert_close(outputs("before", scale), outputs("before", 1.4), atol=2e-2, rtol=0)
    assert (outputs(None, scale) - outputs(None, 1.4)).abs().max() > 0.1


def test_instrument_the_rate_is_that_of_least_training_loss(claim):
    """A rate at which nothing is learned loses against one at which something is, wherever it stands."""
    start, *found = (linear(fitted(claim, epochs=e, rates=r)[0])[-1] for e, r in ((0, (1e-9, 0.3)), *BOTH_WAYS))

    for trained in found:
        assert (trained - start).abs().amax((1, 2)).min() > 0.01


def test_instrument_no_digit_is_both_trained_on_and_tested_on(claim):
    from fixtures.leakage import images_in_both

    assert images_in_both(claim.experiment.examples(SEEDS, n_train=1000, n_test=1000, side=14)) == [0, 0]
