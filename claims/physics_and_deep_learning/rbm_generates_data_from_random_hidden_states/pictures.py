"""What random hidden states are decoded to, what chains show, and how noise becomes bars step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from fixtures.boltzmann import Sampler, gibbs
from harness.pictures import Curves, Images, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

STEPS = [0, 1, 2, 5, 10, 20, 50, 100]
CHAINS = 500


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves | Images]:
    """Draw the share of bars along chains of a trained and an untrained machine, and images of the trained one."""
    trained = experiment.prepare_training("bars", seed, **arms["bars"])()
    fresh = experiment.prepare_training("bars", seed, **arms["bars"] | {"updates": 0})()
    every = experiment.patterns_of((seed,), "bars", 0, "all").every.to(trained.weights)
    sampler, lines = Sampler((seed,), "pictures", every.device), []
    for name, machine in (("untrained", fresh), ("trained", trained)):
        states, shares = sampler(every.new_full((1, CHAINS, 9), 0.5)), []
        for before, step in zip([0, *STEPS], STEPS, strict=False):
            states = gibbs(machine, states, step - before, sampler)
            shares.append(float(experiment.share_of(states, every)))
        lines.append(Line(name, STEPS, shares))
    decoded = sampler(trained.visible(sampler(every.new_full((1, 8, trained.weights.shape[2]), 0.5))))
    images = torch.cat([decoded[0], states[0, :8]]).view(-1, 3, 3).cpu().numpy()
    captions = [f"{name} {number}" for name in ("random hidden", "chain") for number in range(1, 9)]
    return [
        Curves("Share of chains, begun at noise, that show bars or stripes", "step", "fraction", lines),
        Images("Decoded from random hidden states, and after a hundred steps from noise", captions, list(images)),
    ]
