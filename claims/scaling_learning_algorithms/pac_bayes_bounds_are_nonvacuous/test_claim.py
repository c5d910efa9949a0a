"""Verdicts, controls, timings; checks of the instrument: divergences, the bound's own chance, what draws and priors know."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))


def learned(claim, split, prior_share=0.5):
    from harness.training import Optimiser, Recipe

    recipe = Recipe(Optimiser("sgd", 0.05), 20, epochs=3, initialiser="he")
    return claim.experiment.fit(SEEDS, split, recipe, width=8, prior_share=prior_share)


def drawn(claim, label_noise=0.0):
    return claim.experiment.examples(SEEDS, n_train=100, n_test=60, side=7, label_noise=label_noise)


@pytest.mark.parametrize("most", [0.003, 0.1, 2.0])
def test_instrument_a_divergence_is_inverted_as_by_brents_method(claim, most):
    from scipy.optimize import brentq

    for q in (0.001, 0.2, 0.7):
        root = brentq(lambda p, q=q: q * math.log(q / p) + (1 - q) * math.log((1 - q) / (1 - p)) - most, q, 1 - 1e-15)
        assert claim.experiment.kl_inverse(np.array([q]), most)[0] == pytest.approx(root, abs=1e-9)
    assert claim.experiment.kl_inverse(np.zeros(1), most)[0] == pytest.approx(1 - math.exp(-most), abs=1e-12)


@pytest.mark.parametrize("true", [0.02, 0.1, 0.5, 0.9])
def test_instrument_the_bound_fails_no_more_often_than_it_says(claim, true):
    """Of one classifier of known error, prior and posterior alike: the chance of all counts of 40 errors under which it fails."""
    from scipy.stats import binom

    counts = np.arange(41)
    bounds = claim.experiment.pac_bayes_bound(counts / 40, np.zeros(41), 40, draws=10**9, chance=0.05)
    fails = binom.pmf(counts, 40, true)[bounds < true].sum()

    assert fails <= 0.025
    assert (np.diff(bounds) > 0).all()


def test_instrument_the_mean_over_draws_is_bounded_too(claim):
    """With few draws the bound is larger: by Chernoff, of 10 draws without an error the true mean may be 1 - 40^(-1/10)."""
    q = np.zeros(1)
    few, many = (claim.experiment.pac_bayes_bound(q, q, 10**12, draws=draws, chance=0.05)[0] for draws in (10, 10**9))

    assert few == pytest.approx(1 - 40 ** (-1 / 10), abs=1e-4)
    assert many < 1e-4


def test_instrument_divergence_is_that_of_the_normal_laws(claim):
    """As torch has it of two normal laws with one standard deviation, summed over all weights."""
    import torch

    pair = learned(claim, drawn(claim))
    squared = claim.experiment.distance(pair.prior, pair.posterior)

    for number in range(2):
        laws = [
            torch.distributions.Normal(
                torch.cat([own[number].double().flatten() for own in each.weights.values()]), 0.3
            )
            for each in (pair.posterior, pair.prior)
        ]
        divergence = torch.distributions.kl_divergence(*laws).sum().item()
        assert squared[number] / (2 * 0.3**2) == pytest.approx(divergence, rel=1e-6)
        assert divergence > 0


def test_instrument_a_prior_has_seen_its_share_and_no_more(claim):
    """Other labels for the second half change the posterior's network and not the prior's; without a share it is untrained."""
    import torch

    split = drawn(claim)
    inputs, labels = split.train
    changed = replace(split, train=(inputs, torch.cat([labels[:, :50], (labels[:, 50:] + 1) % 10], 1)))
    one, other = (learned(claim, each) for each in (split, changed))

    assert torch.equal(one.prior.weights["0.weight"], other.prior.weights["0.weight"])
    assert not torch.equal(one.posterior.weights["0.weight"], other.posterior.weights["0.weight"])
    assert (one.seen, learned(claim, split, 0.0).seen) == (50, 0)
    assert not learned(claim, split, 0.0).prior.weights["0.bias"].any()


def test_instrument_inputs_know_nothing_of_other_examples(claim):
    """The first fifty digits are scaled alike whichever come after them."""
    import torch

    few = claim.experiment.examples(SEEDS, n_train=50, n_test=60, side=7, label_noise=0.0)

    assert torch.equal(drawn(claim).train[0][:, :50], few.train[0])


def test_instrument_errors_are_those_of_networks_around_the_posterior(claim):
    """Without a spread the network's own error; with one, of outputs in numpy with the noise that the seed's generator gives."""
    import torch

    from harness.training import error_rate

    split, spread = drawn(claim), 0.2
    networks = learned(claim, split).posterior
    still = claim.experiment.gibbs_error(networks, 1, SEEDS[1], split.test, 0.0, 3)
    found = claim.experiment.gibbs_error(networks, 1, SEEDS[1], split.test, spread, 5)
    generator, noisy = SEEDS[1].torch("draws"), {}
    for name, own in networks.weights.items():
        noise = torch.randn(5, *own.shape[1:], generator=generator)
        noisy[name] = (own[1] + spread * noise).numpy()
    errors = []
    for draw in range(5):
        hidden = np.maximum(split.test[0][1].numpy() @ noisy["0.weight"][draw].T + noisy["0.bias"][draw], 0)
        answers = (hidden @ noisy["2.weight"][draw].T + noisy["2.bias"][draw]).argmax(1)
        errors.append((answers != split.test[1][1].numpy()).mean())

    assert still == pytest.approx(error_rate(networks, *split.test)[1], abs=1e-12)
    assert found == pytest.approx(np.mean(errors), abs=1e-12)


def test_instrument_random_labels_are_random_in_test_too(claim):
    """A tenth of them is as it was, in both parts; within five standard errors."""
    true, noisy = (
        claim.experiment.examples(SEEDS, n_train=800, n_test=800, side=7, label_noise=own) for own in (0.0, 1.0)
    )
    for one, other in ((true.train[1], noisy.train[1]), (true.test[1], noisy.test[1])):
        assert abs((one == other).double().mean().item() - 0.1) < 5 * (0.09 / 1600) ** 0.5


def test_instrument_weights_are_counted_by_hand(claim):
    """196 inputs, 50 hidden units, 10 classes: 9,850 and 510."""
    assert claim.experiment.counting_bound(10_360, 2000) == pytest.approx((10_360 * math.log(10_360) / 2000) ** 0.5)
    split = claim.experiment.examples(SEEDS, n_train=20, n_test=10, side=14, label_noise=0.0)
    from harness.training import Optimiser, Recipe

    untrained = claim.experiment.fit(
        SEEDS, split, Recipe(Optimiser("sgd", 0.1), 10, epochs=0), width=50, prior_share=0.0
    )
    nothing = {"spread": 0.0, "draws": 1, "chance": 0.05, "complexity": 1.0}
    bound = claim.experiment.score(untrained, split, counts_weights=True, **nothing)["bound"]
    assert bound == pytest.approx([(10_360 * math.log(10_360) / 20) ** 0.5] * 2)
