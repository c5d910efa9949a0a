"""How the test error falls while labels are learned, and what units have learned to see before any is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pictures import Curves, Images
from harness.training.learning_curve import learning_curves

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves | Images]:
    """Draw each arm's test error while it is fine-tuned, and what units of the first machine have learned to see."""
    title = "Test error while labels are learned"
    # One more arm is the same, only longer.
    drawn = {name: settings for name, settings in arms.items() if name != "random_untuned_to_the_end"}
    curves = learning_curves(experiment, seed, drawn, part="test", title=title, log="y")
    return [curves, _features(experiment, seed, arms["pretrained"])]


def _features(experiment: ModuleType, seed: Seed, settings: dict[str, Any]) -> Images:
    """Draw the weights of the first units, before any label is seen."""
    names = ("start", "n_train", "n_test", "hidden", "device")
    divergence = {name: value for name, value in settings.items() if name.startswith(experiment.PREFIX)}
    weights = experiment.start_of((seed,), **{name: settings[name] for name in names}, **divergence)
    units = weights["0.weight"][0][:12].cpu().numpy()
    most = float(np.abs(units).max())
    captions = [f"unit {number}" for number in range(1, len(units) + 1)]
    title = "What units of the first layer weigh after pre-training: white for, black against"
    return Images(title, captions, [unit.reshape(28, 28) for unit in units], low=-most, high=most)
