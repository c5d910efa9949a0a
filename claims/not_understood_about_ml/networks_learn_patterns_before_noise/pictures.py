"""What becomes of mislabelled digits, and of new ones, while a network is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.pictures import Curves, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

EPOCHS = tuple(range(1, 31))
DRAWN = {
    "true_label_share": "mislabelled digits called what they are",
    "noisy_label_share": "mislabelled digits called by their wrong label",
    "test_error": "test error",
}


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    """Draw the metrics of one seed after every epoch, under noisy labels."""
    found = experiment.measure("network", (seed,), **{**arms["network"], "labels": "noisy", "epoch": EPOCHS})
    lines = [Line(text, EPOCHS, found[name][0].tolist()) for name, text in DRAWN.items()]
    return Curves("Patterns first, then the noise", "epoch", "fraction", lines)
