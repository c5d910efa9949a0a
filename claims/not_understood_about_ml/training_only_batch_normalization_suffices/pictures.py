"""What training makes of scales, and what the errors are: the scales of one seed's trained network, layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pictures import Curves, Line
from harness.training.learning_curve import trained

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

WIDTH = 50


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    """Draw the sizes of the scales, in order, where they are all that is trained beside shifts: some are nearly zero."""
    _, networks = trained(experiment, seed, {**arms["normalization_only"], "width": WIDTH})
    names = [name for name in experiment.normalization(networks.module) if name.endswith("weight")]
    ranks = list(range(1, WIDTH + 1))
    lines = [
        Line(f"layer {number}", ranks, np.sort(networks.weights[name][0].abs().cpu().numpy()).tolist())
        for number, name in enumerate(names, 1)
    ]
    return Curves("Scales after training, which all begin at 1", "rank", "absolute value", lines)
