"""Restricted Boltzmann machines trained without a backward pass, and how exactly their likelihood says what they learned."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from fixtures.bars import bars_and_stripes
from fixtures.boltzmann import RestrictedBoltzmannMachine
from fixtures.contrastive_divergence import ContrastiveDivergence
from fixtures.likelihood import likelihood_gradient, log_likelihood

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from harness.seeds import Seed, Seeds

ROLE = "machine"


def examples(seeds: Seeds, side: int, copies: int, like: torch.Tensor) -> torch.Tensor:
    """Return all bars and stripes of so many pixels a side, each `copies` times, (n_seeds, n, side^2)."""
    return bars_and_stripes(side).to(like).repeat(copies, 1).expand(len(seeds), -1, -1)


def rule_of(inputs: torch.Tensor, **rule: Any) -> ContrastiveDivergence:
    """Return the rule that takes all examples in every update."""
    return ContrastiveDivergence(batch_size=inputs.shape[1], **rule)


def first_step(
    rule: ContrastiveDivergence, inputs: torch.Tensor, hidden: int, seeds: Seeds
) -> tuple[RestrictedBoltzmannMachine, RestrictedBoltzmannMachine]:
    """Return the fresh machines, and what one update adds to their parameters.

    The update is the rule's own, at a rate of one and without momentum or decay; with many examples it comes with as
    many chains, so that chance averages out and the direction is left that the rule takes on average.
    """
    once = replace(rule, epochs=1, batch_size=inputs.shape[1], learning_rate=1.0, momentum=0.0, weight_decay=0.0)
    fresh = replace(once, epochs=0).train(inputs, hidden, seeds, ROLE)
    stepped = once.train(inputs, hidden, seeds, ROLE)
    moved = (new - old for new, old in zip(stepped.parameters, fresh.parameters, strict=True))
    return fresh, RestrictedBoltzmannMachine(*moved)


def differentiated(machine: RestrictedBoltzmannMachine, patterns: torch.Tensor) -> RestrictedBoltzmannMachine:
    """Return the likelihood's gradient as automatic differentiation finds it: the oracle, by which nothing is trained."""
    leaves = RestrictedBoltzmannMachine(*(own.clone().requires_grad_() for own in machine.parameters))
    return RestrictedBoltzmannMachine(*torch.autograd.grad(log_likelihood(leaves, patterns).sum(), leaves.parameters))


def flat(machine: RestrictedBoltzmannMachine) -> torch.Tensor:
    """Return all numbers of each seed in one row, (n_seeds, n_parameters)."""
    return torch.cat([own.flatten(1) for own in machine.parameters], 1)


def measure(
    arm: str,
    seeds: Seeds,
    *,
    side: int,
    copies: int,
    copies_of_first_step: int,
    hidden: int,
    device: str,
    precision: str,
    **rule: Any,
) -> dict[str, np.ndarray]:
    """Return the exact negative log-likelihood after training, and how the gradient and a step agree with it."""
    like = torch.empty(0, device=device, dtype=getattr(torch, precision))
    inputs = examples(seeds, side, copies, like)
    divergence = rule_of(inputs, **rule)
    machine = divergence.train(inputs, hidden, seeds, ROLE)
    patterns = examples(seeds, side, 1, like)
    by_counting, by_autograd = (flat(way(machine, patterns)) for way in (likelihood_gradient, differentiated))
    fresh, step = first_step(divergence, examples(seeds, side, copies_of_first_step, like), hidden, seeds)
    found = {
        "negative_log_likelihood": -log_likelihood(machine, patterns),
        "gradient_error": (by_counting - by_autograd).norm(dim=1) / by_autograd.norm(dim=1),
        "cosine": torch.cosine_similarity(flat(step), flat(likelihood_gradient(fresh, patterns))),
    }
    return {name: values.cpu().numpy() for name, values in found.items()}


def prepare_training(
    arm: str,
    seed: Seed,
    *,
    side: int,
    copies: int,
    copies_of_first_step: int,
    hidden: int,
    device: str,
    precision: str,
    **rule: Any,
) -> Callable[[], object]:
    """Return a function that trains one machine."""
    inputs = examples((seed,), side, copies, torch.empty(0, device=device, dtype=getattr(torch, precision)))
    return lambda: rule_of(inputs, **rule).train(inputs, hidden, (seed,), ROLE)


def prepare_inference(arm: str, seed: Seed, *, epochs: int, **settings: Any) -> Callable[[], object]:
    """Return a function that finds the hidden probabilities of all patterns, with a machine of its first weights."""
    machine = prepare_training(arm, seed, epochs=0, **settings)()
    return lambda: machine.hidden(bars_and_stripes(settings["side"]).to(machine.weights)[None])
