"""How near the exact likelihood comes to its best, the longer machines are trained, by three rules."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Any

import torch

from fixtures.likelihood import log_likelihood
from harness.pictures import Curves, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

LENGTHS = [10, 30, 100, 300, 1000, 2000]


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    """Draw the negative log-likelihood after trainings of several lengths, of both arms and of Hebb's rule."""
    told = {
        "one step from the data": arms["one_step"],
        "persistent chains": arms["persistent"],
        "Hebb's rule alone": arms["one_step"] | {"negative_phase": False},
    }
    lines = [Line(name, LENGTHS, _likelihoods(experiment, seed, **settings)) for name, settings in told.items()]
    best = Line("best possible, ln 14", LENGTHS, [log(14)] * len(LENGTHS))
    title = "Negative log-likelihood of bars and stripes without any backward pass"
    return Curves(title, "updates, the rate falling to zero", "nat", [*lines, best], log="xy")


def _likelihoods(
    experiment: ModuleType, seed: Seed, *, side: int, copies: int, hidden: int, precision: str, **rule: Any
) -> list[float]:
    rule = {name: value for name, value in rule.items() if name not in {"copies_of_first_step", "device", "epochs"}}
    inputs = experiment.examples((seed,), side, copies, torch.empty(0, dtype=getattr(torch, precision)))
    trained = (
        experiment.rule_of(inputs, epochs=length, **rule).train(inputs, hidden, (seed,), "machine")
        for length in LENGTHS
    )
    return [-float(log_likelihood(machine, inputs)) for machine in trained]
