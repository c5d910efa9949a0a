"""Bounds on the test error of networks trained on digits: one that counts their weights, and a PAC-Bayes bound."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.special import rel_entr

from fixtures import mnist
from fixtures.labels import noisy
from fixtures.perceptrons import perceptron
from fixtures.splits import Split
from harness.training import error_rate, supervised, train

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from harness.seeds import Seed, Seeds
    from harness.training import Ensemble, Recipe

    Values = NDArray[np.float64]

MEAN, SPREAD = 0.13, 0.31  # of MNIST's ink, rounded: scaled by its own examples, a prior's network would know them


@dataclass(frozen=True)
class Learned:
    """What prior and posterior lie around: one network per seed each, and how many examples the prior's has seen."""

    seeds: Seeds
    prior: Ensemble
    posterior: Ensemble
    seen: int

    def predict(self, inputs: Tensor) -> Tensor:
        """Return the outputs of the posterior's own networks."""
        return self.posterior.predict(inputs)


def examples(seeds: Seeds, *, n_train: int, n_test: int, side: int, label_noise: float) -> Split:
    """Return digits shrunk to `side` pixels; a share of all labels is drawn anew."""
    split = mnist.draw(seeds, n_train, n_test, side)
    labels = noisy(torch.cat([split.train[1], split.test[1]], 1), label_noise, 10, seeds).split([n_train, n_test], 1)
    return Split(
        *(((own[0] - MEAN) / SPREAD, each) for own, each in zip((split.train, split.test), labels, strict=True))
    )


def fit(seeds: Seeds, split: Split, recipe: Recipe, *, width: int, prior_share: float) -> Learned:
    """Train the prior's networks on the first share of the examples, and from there the posterior's on all of them."""
    inputs, labels = split.train
    seen = round(prior_share * inputs.shape[1])
    build = partial(perceptron, inputs.shape[2], [width], 10)
    first = (inputs[:, :seen], labels[:, :seen], recipe) if seen else (inputs, labels, replace(recipe, epochs=0))
    prior = train(build, *first[:2], seeds, recipe=first[2])
    return Learned(seeds, prior, train(build, inputs, labels, seeds, recipe=recipe, start=prior.weights), seen)


def distance(prior: Ensemble, posterior: Ensemble) -> Values:
    """Return the squared Euclidean distance between the weights of each seed's two networks, (n_seeds,)."""
    parts = [(own - prior.weights[name]).double().flatten(1) for name, own in posterior.weights.items()]
    return (torch.cat(parts, 1) ** 2).sum(1).numpy()


def gibbs_error(
    networks: Ensemble, number: int, seed: Seed, part: tuple[Tensor, Tensor], spread: float, draws: int
) -> float:
    """Return the mean error of networks whose weights are drawn around those of one seed, normal with one deviation."""
    generator = seed.torch("draws")
    shapes = {name: (draws, *own.shape[1:]) for name, own in networks.weights.items()}
    noise = {name: spread * torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    around = replace(networks, weights={name: own[number] + noise[name] for name, own in networks.weights.items()})
    return float(error_rate(around, *(own[number].expand(draws, *own.shape[1:]) for own in part)).mean())


def kl_inverse(q: Values, most: Values | float) -> Values:
    """Return the largest p for which coins of heads' probabilities q and p diverge by `most` nats, by halving [q, 1]."""
    low, high = q, np.ones_like(q)
    for _ in range(60):
        middle = (low + high) / 2
        inside = rel_entr(q, middle) + rel_entr(1 - q, 1 - middle) <= most
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return high


def pac_bayes_bound(error: Values, divergence: Values, n: int, draws: int, chance: float) -> Values:
    """Return a bound on the true error of networks drawn around the posterior's, which holds but for a small chance.

    Half of it is for the mean over draws (Chernoff's bound), half for Maurer 2004, theorem 5:
    kl(empirical error, true error) <= (KL(posterior, prior) + ln(2 sqrt(n) / chance)) / n.

    Args:
        error: mean error over the draws on n examples that the prior has not seen.
        divergence: of posterior and prior, in nats.
        n: examples, at least 8.
        draws: networks drawn.
        chance: that the bound does not hold.
    """
    empirical = kl_inverse(error, math.log(2 / chance) / draws)
    return kl_inverse(empirical, (divergence + math.log(4 * math.sqrt(n) / chance)) / n)


def counting_bound(weights: int, n: int) -> float:
    """Return sqrt(W ln W / n): the order of what W weights may miss their training error by (Baum & Haussler 1989)."""
    return math.sqrt(weights * math.log(weights) / n)


def score(
    learned: Learned, split: Split, *, counts_weights: bool, spread: float, draws: int, chance: float, complexity: float
) -> dict[str, Values]:
    """Return a bound, and how far it is above the error of the same random networks on test digits, (n_seeds,)."""
    if counts_weights:
        weights = sum(own[0].numel() for own in learned.posterior.weights.values())
        return {"bound": np.full(len(learned.seeds), counting_bound(weights, split.train[0].shape[1]))}
    unseen = (split.train[0][:, learned.seen :], split.train[1][:, learned.seen :])
    error, test_error = (
        np.array([gibbs_error(learned.posterior, k, seed, part, spread, draws) for k, seed in enumerate(learned.seeds)])
        for part in (unseen, split.test)
    )
    divergence = complexity * distance(learned.prior, learned.posterior) / (2 * spread**2)
    bound = pac_bayes_bound(error, divergence, unseen[0].shape[1], draws, chance)
    return {"bound": bound, "slack": bound - test_error, "test_error": test_error}


measure, prepare_training, prepare_inference = supervised(examples, fit, score)
