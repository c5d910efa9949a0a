"""How the test error changes while networks fit labels of which four in ten are drawn anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.pictures import Curves, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

EPOCHS = (1, 3, 8)
NOISY = {"depth": 3, "activation": "relu", "label_noise": 0.4, "examined": False}


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves]:
    """Draw both errors of each arm after some epochs, at the rate that fits best by then."""
    found = {
        arm: [experiment.measure(arm, (seed,), **{**settings, **NOISY, "epochs": epochs}) for epochs in EPOCHS]
        for arm, settings in arms.items()
    }
    titles = {"train_error": "on the labels trained on, many of them wrong", "test_error": "on new digits"}
    return [
        Curves(
            f"Error {where}, of networks of rectifiers",
            "epochs",
            "error (fraction)",
            [Line(arm, EPOCHS, [float(each[metric][0]) for each in own]) for arm, own in found.items()],
        )
        for metric, where in titles.items()
    ]
