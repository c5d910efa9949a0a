"""Restricted Boltzmann machines: one epoch of one seed, ours among 16 against scikit-learn's."""

from __future__ import annotations

import warnings

import pytest
import torch

from fixtures.contrastive_divergence import ContrastiveDivergence
from harness.seeds import seeds_of

NUMBER, EXAMPLES = 16, 1000


@pytest.mark.parametrize(("hidden", "batch"), [(64, 10), (256, 10), (256, 100)])
def bench_boltzmann_machines(contest, hidden, batch):
    from sklearn.neural_network import BernoulliRBM

    inputs = torch.rand(EXAMPLES, 784, generator=torch.Generator().manual_seed(0))
    seeds = seeds_of("bench", 0, range(NUMBER))
    # As theirs: without momentum or weight decay.
    rule = ContrastiveDivergence(1, batch, 0.05, 0.0, 0.0, 0.01)

    def theirs():
        for seed in range(NUMBER):
            BernoulliRBM(hidden, learning_rate=0.05, batch_size=batch, n_iter=1, random_state=seed).fit(inputs.numpy())

    with warnings.catch_warnings():
        contest(
            "boltzmann machines",
            f"784 and {hidden} units, batch {batch}, {EXAMPLES} examples, {NUMBER} seeds, one epoch",
            lambda: rule.train(inputs.expand(NUMBER, -1, -1), hidden, seeds, "bench"),
            {"BernoulliRBM": theirs},
            must={"BernoulliRBM": 10.0},
            rounds=3,
        )
