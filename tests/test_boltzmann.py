"""Restricted Boltzmann machines against their definition: conditionals, one update, the exact likelihood."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from fixtures.boltzmann import ContrastiveDivergence, Machine, Sampler
from harness.seeds import seeds_of

SEEDS = seeds_of("machine", 0, range(2))
RULE = ContrastiveDivergence(30, 10, 0.5, 0.5, 0.0, 0.1)


def small_machine() -> Machine:
    generator = torch.Generator().manual_seed(0)
    shapes = ((1, 3, 2), (1, 1, 3), (1, 1, 2))
    return Machine(*(torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes))


def states(number: int) -> torch.Tensor:
    return torch.tensor(list(product([0.0, 1.0], repeat=number)), dtype=torch.float64)


def unnormalised(machine: Machine, visible: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    """Return exp(-energy), (number of v, number of h), with the energy written out."""
    pairs = visible @ machine.weights[0] @ hidden.T
    return (pairs + (visible @ machine.visible_bias[0].T) + (machine.hidden_bias[0] @ hidden.T)).exp()


def log_likelihood(machine: Machine, data: torch.Tensor) -> torch.Tensor:
    """Return the mean log p(v), by summing over all states."""
    every = states(machine.weights.shape[1])
    hidden = states(machine.weights.shape[2])
    partition = unnormalised(machine, every, hidden).sum()
    return (unnormalised(machine, data, hidden).sum(1) / partition).log().mean()


def test_conditionals_follow_from_the_energy():
    """p(h = 1 | v) and p(v = 1 | h) equal the ratios of sums over all states."""
    machine, visible, hidden = small_machine(), states(3), states(2)
    table = unnormalised(machine, visible, hidden)

    torch.testing.assert_close(machine.hidden(visible[None])[0], table @ hidden / table.sum(1, keepdim=True))
    torch.testing.assert_close(machine.visible(hidden[None])[0], table.T @ visible / table.sum(0)[:, None])


@pytest.mark.parametrize("momentum", [0.5, 0.0])
def test_update_is_one_step_contrastive_divergence(momentum):
    """The batched update equals the definition, example by example, with the same sampled states."""
    machine, data = small_machine(), states(3)[None, 1:5]
    rule = ContrastiveDivergence(1, 4, 0.3, momentum, 0.01, 0.1)
    before = [own.clone() for own in machine.parameters]
    velocities = Machine(*(torch.full_like(own, 0.2) for own in machine.parameters))
    sampled = Sampler([SEEDS[0].torch("states")])(machine.hidden(data))[0]
    gaps = [torch.zeros_like(own[0]) for own in machine.parameters]
    for example, state in zip(data[0], sampled, strict=True):
        imagined = machine.visible(state[None, None])[0, 0]
        first, echoed = (machine.hidden(v[None, None])[0, 0] for v in (example, imagined))
        gaps[0] += (torch.outer(example, first) - torch.outer(imagined, echoed)) / 4
        gaps[1] += (example - imagined) / 4
        gaps[2] += (first - echoed) / 4
    gaps[0] -= 0.01 * before[0][0]

    rule.update(machine, velocities, data, Sampler([SEEDS[0].torch("states")]))

    for own, velocity, old, gap in zip(machine.parameters, velocities.parameters, before, gaps, strict=True):
        torch.testing.assert_close(own[0], old[0] + momentum * 0.2 + 0.3 * gap)
        if momentum:
            torch.testing.assert_close(own, old + velocity)


def test_states_are_one_with_their_probability():
    """Over 20,000 draws a share is within five standard errors of its probability; 0 and 1 are certain."""
    probabilities = torch.tensor([0.0, 0.1, 0.5, 1.0]).expand(2, 20_000, 4).contiguous()
    drawn = Sampler([seed.torch("states") for seed in SEEDS])(probabilities)

    assert set(drawn.unique().tolist()) == {0, 1}
    torch.testing.assert_close(drawn.mean(1), probabilities[:, 0], rtol=0, atol=5 * 0.5 / 20_000**0.5)
    assert (drawn[..., 0] == 0).all()
    assert (drawn[..., 3] == 1).all()
    assert not torch.equal(drawn[0], drawn[1])


def test_training_raises_the_exact_likelihood():
    """On two patterns of four pixels; the untrained machine is near 4 ln 2 nats, the best possible is ln 2."""
    data = torch.tensor([[1.0, 1, 0, 0], [0, 0, 1, 1]], dtype=torch.float64).repeat(10, 1)
    machine = RULE.train(data.expand(2, 20, 4), 3, SEEDS, "test")
    first = Machine(*(values[:1] for values in (machine.weights, machine.visible_bias, machine.hidden_bias)))

    assert -log_likelihood(first, data) < 2.0


def test_machine_does_not_notice_its_neighbours():
    inputs = torch.rand(2, 40, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    together, alone = RULE.train_stack(inputs, (5, 4), SEEDS), RULE.train_stack(inputs[1:], (5, 4), SEEDS[1:])

    for one, other in zip(together, alone, strict=True):
        torch.testing.assert_close(one.weights[1:], other.weights, rtol=0, atol=1e-12)
