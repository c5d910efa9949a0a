"""Bound and test error of networks drawn around the trained one, by how far apart they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pictures import Curves, Line
from harness.training.learning_curve import trained

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

SPREADS = np.geomspace(0.02, 0.3, 7)
DRAWS = 20


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    """Draw both priors; with few draws, so that bounds stand a little higher than in the trials."""
    lines = []
    for arm, name in (("pac_bayes", "prior from half of the digits"), ("pac_bayes_untrained_prior", "untrained prior")):
        settings = {**arms[arm], "n_train": min(arms[arm]["n_train"], 2000)}
        split, learned = trained(experiment, seed, settings)
        fixed = {key: settings[key] for key in ("counts_weights", "chance", "complexity")}
        found = [experiment.score(learned, split, spread=spread, draws=DRAWS, **fixed) for spread in SPREADS]
        lines += [
            Line(f"{key}, {name}", SPREADS, [float(own[metric][0]) for own in found])
            for key, metric in (("bound", "bound"), ("test error", "test_error"))
        ]
    lines.append(Line("a guess", SPREADS[[0, -1]], np.full(2, 0.9)))
    title = "Between weights drawn near, which are far from the prior's, and weights drawn anywhere"
    return Curves(title, "standard deviation of each weight", f"fraction, of {DRAWS} networks", lines, log="x")
