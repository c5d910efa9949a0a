"""Five folds, built and as training finds them, and how many pieces so many units make in a row and in one layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pictures import Curves, Line
from harness.training.learning_curve import trained

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

SHOWN = ("deep_by_construction", "deep_started_at_construction", "deep_trained", "shallow_trained")
FOLDS, STEP = 5, 64
UNITS = np.arange(2, 22, 2)


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves]:
    """Draw what networks make of the sawtooth of five folds, and the pieces that units can make."""
    lines = []
    for arm in SHOWN:
        split, networks = trained(experiment, seed, arms[arm] | {"folds": FOLDS})
        places, made = split.test[0][0, ::STEP, 0], networks.predict(split.test[0])[0, ::STEP, 0]
        lines.append(Line(arm.replace("_", " "), places.numpy(), made.numpy()))
    counts = [
        Line("in a row, two in a layer", UNITS, 2.0 ** (UNITS // 2)),
        Line("in one layer, at most", UNITS, UNITS + 1),
    ]
    return [
        Curves(
            "The sawtooth of five folds: 32 pieces of ten units, and what training makes of it", "x", "output", lines
        ),
        Curves("Straight pieces that so many units make", "units", "pieces", counts, log="y"),
    ]
