"""How the training error falls on raw, standardised and normalised pixels, each at its best rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.training.learning_curve import learning_curves

if TYPE_CHECKING:
    from types import ModuleType

    from harness.pictures import Curves
    from harness.seeds import Seed

RATES = {"raw": 3e-4, "standardized": 0.3, "raw_normalized": 0.3}
EPOCHS = 8


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    """Draw each arm's training error for longer than the trials last."""
    longer = {arm: {**settings, "learning_rate": RATES[arm], "epochs": EPOCHS} for arm, settings in arms.items()}
    title = f"Training error over {EPOCHS} epochs, each at the best of its rates (the trials end after 2)"
    return learning_curves(experiment, seed, longer, part="train", title=title)
