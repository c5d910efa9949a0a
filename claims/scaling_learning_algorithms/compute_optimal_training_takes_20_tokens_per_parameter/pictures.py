"""Tokens per parameter at the best size: over the budget, and over what is served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pictures import Curves, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

BUDGETS = np.geomspace(1e18, 1e26, 41)
SERVED = np.geomspace(1e10, 1e14, 41)
CHINCHILLA = 5.76e23


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves]:  # noqa: ARG001
    """Draw each published set of coefficients; 20 is a line of its own."""
    laws = {
        name.replace("_", " "): experiment.Law(*(settings[key] for key in ("alpha", "beta", "a", "b")))
        for name, settings in arms.items()
        if settings["errors"] == "none"
    }
    twenty = Line("20", BUDGETS[[0, -1]], np.full(2, 20.0))
    trained = [Line(name, BUDGETS, [_tokens(law, budget, 0) for budget in BUDGETS]) for name, law in laws.items()]
    served = [Line(name, SERVED, [_tokens(law, CHINCHILLA, tokens) for tokens in SERVED]) for name, law in laws.items()]
    unit = "tokens per parameter"
    return [
        Curves("Best for training alone, by the budget", "compute of training in FLOP", unit, [*trained, twenty], "xy"),
        Curves("Best with inference, at the loss of 5.76e23 FLOP", "tokens served", unit, served, "xy"),
    ]


def _tokens(law: Any, budget: float, served: float) -> float:
    size, tokens = law.cheapest(law.excess(*law.training_optimum(budget)), served, 1)
    return float(tokens / size)
