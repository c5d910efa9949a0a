"""The energy of damaged patterns on their way down, and letters before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fixtures.hopfield import damaged, energy, hebbian, settle
from harness.pictures import Curves, Images, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves | Images]:
    """Draw the energy of damaged patterns on their way down, and four letters before and after."""
    settings = next(iter(arms.values()))
    neurons, sweeps = settings["neurons"], 6
    patterns, _, begin = experiment.cues(
        "recall", "round", neurons, 0.1, settings["flipped"], 6, seed.numpy("patterns")
    )
    couplings, orders, states = hebbian(patterns), seed.numpy("orders"), begin
    energies = [energy(couplings, states)]
    for _ in range(sweeps):
        states, _ = settle(couplings, states, 1, orders)
        energies.append(energy(couplings, states))
    paths = np.array(energies).T / neurons
    lines = [Line(f"cue {number}", np.arange(sweeps + 1), path) for number, path in enumerate(paths, start=1)]
    title = f"Energy of damaged patterns at rest after a few sweeps ({len(patterns)} patterns, {neurons} neurons)"
    return [Curves(title, "sweep over all neurons", "energy per neuron", lines), _letters(experiment, seed)]


def _letters(experiment: ModuleType, seed: Seed) -> Images:
    """Draw letters as they are given to a network that stores A, B and C, and as it leaves them, by font and rule."""
    damage, orders, shown = seed.numpy("damage"), seed.numpy("orders"), {}
    for font, rules in (("round", ("hebbian", "pseudo_inverse")), ("pointed", ("hebbian",))):
        stored = experiment.letters("ABC", font)
        starts = np.concatenate([damaged(stored, 0.1, damage), experiment.letters("D", font)])
        shown[f"{font}, given"] = starts
        for rule in rules:
            shown[f"{font}, {rule.replace('_', '-')}"], _ = settle(experiment.RULES[rule](stored), starts, 20, orders)
    captions = [f"{name} {state}" for state in shown for name in ("A", "B", "C", "D")]
    images = [-row.reshape(7, 5) for rows in shown.values() for row in rows]
    title = (
        "A, B and C are stored. Given with a tenth of the pixels flipped, and D as it is; where each rule leaves them"
    )
    return Images(title, captions, images, low=-1.0)
