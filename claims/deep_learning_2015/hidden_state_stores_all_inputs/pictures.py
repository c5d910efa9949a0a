"""What a linear state remembers of each input, by how long ago it came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pictures import Curves, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

SIZES = (4, 8, 32)
LAGS = 61


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    """Draw the share of an input's variance that the state tells, for states of three sizes: the area is the size."""
    contraction = arms["linear_state"]["contraction"]
    lines = [
        Line(
            f"{units} units", np.arange(LAGS), experiment.memory(*experiment.reservoir(seed, units, contraction), LAGS)
        )
        for units in SIZES
    ]
    title = "What a linear state remembers: the shares add up to the number of its units"
    return Curves(title, "steps ago", "share of the input's variance", lines)
