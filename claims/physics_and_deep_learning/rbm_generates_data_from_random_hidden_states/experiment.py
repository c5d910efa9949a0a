"""What restricted Boltzmann machines generate, and how probable they think what they were not shown: all states are counted."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fixtures.bars import bars_and_stripes
from fixtures.boltzmann import RestrictedBoltzmannMachine, Sampler, gibbs
from fixtures.contrastive_divergence import ContrastiveDivergence
from fixtures.cube import vertices
from fixtures.likelihood import log_probability

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from harness.seeds import Seed, Seeds

ROLE = "machine"


def parts() -> Tensor:
    """Return the 81 images of four rows of three pixels of which one is on, whichever are on in the others, (81, 12)."""
    places = np.stack(np.unravel_index(np.arange(81), (3,) * 4), axis=1)
    return torch.from_numpy(np.eye(3)[places].reshape(81, 12))


def scattered(seed: Seed) -> Tensor:
    """Return as many different images of twelve pixels, drawn from all, (81, 12)."""
    return torch.from_numpy(seed.numpy("scattered").permutation(vertices(12))[:81]).double()


KINDS: dict[str, Callable[[Seed], Tensor]] = {
    "bars": lambda _: bars_and_stripes(3),
    "noise": lambda _: torch.from_numpy(vertices(9)).double(),
    "parts": lambda _: parts(),
    "scattered": scattered,
}


@dataclass(frozen=True)
class Patterns:
    """All patterns of a kind, and those of them that machines are trained on.

    Attributes:
        every: float64 (n_seeds, n, pixels), each once.
        shown: (n_seeds, n_shown, pixels).
        held_out: what `shown` may lack, (n_seeds, n - n_shown, pixels).
    """

    every: Tensor
    shown: Tensor
    held_out: Tensor


def patterns_of(seeds: Seeds, data: str, held_out: int, shown: str) -> Patterns:
    """Return the patterns of a kind, so many of them held out by lot; `shown` is "others", or "all" in spite of that."""
    every = torch.stack([KINDS[data](seed) for seed in seeds])
    lots = torch.stack([torch.randperm(every.shape[1], generator=seed.torch("held out")) for seed in seeds])
    mixed = every.gather(1, lots[..., None].expand_as(every))
    return Patterns(every, every if shown == "all" else mixed[:, held_out:], mixed[:, :held_out])


def fit(
    seeds: Seeds, shown: Tensor, *, hidden: int, updates: int, batch_size: int, **rule: Any
) -> RestrictedBoltzmannMachine:
    """Return one trained machine per seed; each pattern comes equally often, few ones several times in every batch."""
    examples = shown.repeat(1, max(1, batch_size // shown.shape[1]), 1)
    batch = min(batch_size, examples.shape[1])
    epochs = updates // ceil(examples.shape[1] / batch)
    return ContrastiveDivergence(epochs=epochs, batch_size=batch, **rule).train(examples, hidden, seeds, ROLE)


def share_of(states: Tensor, patterns: Tensor) -> Tensor:
    """Return which share of each seed's states, (n_seeds, n, pixels), is among its patterns, (n_seeds,)."""
    places = 2.0 ** torch.arange(states.shape[2]).to(states)
    return torch.stack(
        [torch.isin(a, b).double().mean() for a, b in zip(states @ places, patterns @ places, strict=True)]
    )


def information(machine: RestrictedBoltzmannMachine, patterns: Tensor) -> Tensor:
    """Return what the hidden units tell of the patterns, one by one, sum_j I(v; h_j), nat, (n_seeds,)."""
    on = machine.hidden(patterns)
    return (entropy(on.mean(1)) - entropy(on).mean(1)).sum(1)


def entropy(on: Tensor) -> Tensor:
    """Return that of units which are on with these probabilities, nat."""
    return -(torch.xlogy(on, on) + torch.xlogy(1 - on, 1 - on))


def generated(
    machine: RestrictedBoltzmannMachine,
    every: Tensor,
    seeds: Seeds,
    *,
    chains: int,
    steps: list[int],
    hidden_states: str,
) -> dict[str, Tensor]:
    """Return the share of valid patterns after few and many steps from noise, and of one decoding of hidden states.

    These are fair coins if `hidden_states` is "random", and "learned" if they follow the last states of the chains.
    """
    sampler, (few, many) = Sampler(seeds, "sampling", every.device), steps
    half = every.new_full((len(seeds), chains, every.shape[2]), 0.5)
    early = gibbs(machine, sampler(half), few, sampler)
    late = gibbs(machine, early, many - few, sampler)
    on = machine.hidden(late)
    decoded = sampler(machine.visible(sampler(on if hidden_states == "learned" else torch.full_like(on, 0.5))))
    return {
        "valid_after_few_steps": share_of(early, every),
        "valid_after_many_steps": share_of(late, every),
        "valid_from_hidden_states": share_of(decoded, every),
    }


def measure(
    arm: str,
    seeds: Seeds,
    *,
    data: str,
    held_out: int,
    shown: str,
    chains: int,
    steps: list[int],
    hidden_states: str,
    device: str,
    precision: str,
    **training: Any,
) -> dict[str, np.ndarray]:
    """Return what an arm's machines have learned, each of shape (n_seeds,)."""
    patterns = patterns_of(seeds, data, held_out, shown)
    machine = fit(seeds, patterns.shown.to(device, getattr(torch, precision)), **training)
    every, trained, withheld = (
        part.to(machine.weights) for part in (patterns.every, patterns.shown, patterns.held_out)
    )
    found: dict[str, Tensor] = {}
    if arm == "bars":
        found = generated(machine, every, seeds, chains=chains, steps=steps, hidden_states=hidden_states)
    if arm in {"bars", "noise"}:
        found["hidden_information"] = information(machine, trained)
    if arm == "noise":
        found["divergence"] = -log_probability(machine, trained).mean(1) - log(trained.shape[1])
    if arm in {"ten_of_fourteen", "parts"}:
        found["held_out_share"] = log_probability(machine, withheld).exp().mean(1) * every.shape[1]
    return {name: values.cpu().numpy() for name, values in found.items()}


def prepare_training(
    arm: str, seed: Seed, *, data: str, held_out: int, shown: str, device: str, precision: str, **settings: Any
) -> Callable[[], RestrictedBoltzmannMachine]:
    """Return a function that trains one machine."""
    examples = patterns_of((seed,), data, held_out, shown).shown.to(device, getattr(torch, precision))
    training = {name: value for name, value in settings.items() if name not in {"chains", "steps", "hidden_states"}}
    return lambda: fit((seed,), examples, **training)


def prepare_inference(arm: str, seed: Seed, *, updates: int, **settings: Any) -> Callable[[], object]:
    """Return a function that draws from a machine of its first weights by chains from noise."""
    machine = prepare_training(arm, seed, updates=0, **settings)()
    every = patterns_of((seed,), settings["data"], 0, "all").every.to(machine.weights)
    drawing = {name: settings[name] for name in ("chains", "steps", "hidden_states")}
    return lambda: generated(machine, every, (seed,), **drawing)
