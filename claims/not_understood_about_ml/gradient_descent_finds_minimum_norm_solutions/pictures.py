"""Descent to a line of solutions: of one equation for two weights, and how near it comes to the solution of smallest norm."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pictures import Curves, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

EQUATION = np.array([[1.0, 2.0]])  # w1 + 2 w2 = 2
TARGET = np.array([2.0])
STARTS = {"from zero": [0.0, 0.0], "from (2, 1.2)": [2.0, 1.2], "from (-1, 0.2)": [-1.0, 0.2]}
STEPS = 60


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves]:
    """Draw paths in the plane, and the distance from the smallest solution for both starts and for signs."""
    return [_plane(experiment), _distances(experiment, seed, arms)]


def _plane(experiment: ModuleType) -> Curves:
    """Draw one equation's solutions and the straight ways that descent takes to them, at right angles."""
    solutions = Line("all solutions", [-1.5, 2.5], [1.75, -0.25])
    smallest = experiment.nearest_solution(EQUATION, TARGET, np.zeros(2))
    circle = np.linspace(0, 2 * np.pi, 100)
    round_zero = Line("as near to zero", *(np.linalg.norm(smallest) * part(circle) for part in (np.cos, np.sin)))
    paths = []
    for name, start in STARTS.items():
        ways = experiment.descent(EQUATION, TARGET, np.array(start), "gradient")
        steps = np.array(list(islice(ways, 3)))
        paths.append(Line(name, steps[:, 0], steps[:, 1]))
    title = "Descent goes straight to the nearest solution; from zero that is the smallest one"
    return Curves(title, "first weight", "second weight", [solutions, round_zero, *paths])


def _distances(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    """Draw the distance from the solution of smallest norm, step by step."""
    told = {
        "from zero": arms["zero_start"],
        "from a random start": arms["random_start"],
        "from zero, along signs of the gradient": arms["zero_start"] | {"rule": "sign"},
    }
    lines = []
    for name, settings in told.items():
        given = experiment.problem(seed, settings["examples"], settings["weights"], settings["start"])
        smallest = experiment.nearest_solution(*given[:2], np.zeros(settings["weights"]))
        path = np.array(list(islice(experiment.descent(*given, settings["rule"]), STEPS)))
        distances = np.linalg.norm(path - smallest, axis=1) / np.linalg.norm(smallest)
        lines.append(Line(name, np.arange(STEPS), distances))
    title = "Distance from the solution of smallest norm"
    return Curves(title, "step", "by its norm", lines, log="y")
