"""How far one may go against the gradient: the error after a step, over the step's length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fixtures.curvature import gradient, loss_of
from harness.pictures import Curves, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

RATES = np.geomspace(1e-2, 1e2, 81)
DEPTH = 5


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    """Draw networks of five hidden layers and least squares, whose error every long step raises."""
    lines = []
    for arm, settings in arms.items():
        depth = 0 if arm == "least_squares" else DEPTH
        shape = {name: settings[name] for name in ("examples", "width", "outputs")}
        examples = experiment.drawn((seed,), "examples", **shape)
        networks = experiment.untrained((seed,), examples, depth, settings["activation"], settings["initialiser"])
        slopes = gradient(networks, *examples, experiment.LOSS)
        before = loss_of(networks, *examples, experiment.LOSS)
        moved = (experiment.stepped(networks, slopes, torch.tensor([rate], dtype=torch.float64)) for rate in RATES)
        after = [float(loss_of(own, *examples, experiment.LOSS) / before) for own in moved]
        lines.append(Line(arm.replace("_", " "), RATES, np.minimum(after, 10)))
    unchanged = Line("as before the step", RATES[[0, -1]], np.ones(2))
    title = "One step against the gradient: short ones lower the error, long ones raise it"
    return Curves(title, "rate of the step", "error after it, by that before", [*lines, unchanged], log="x")
