"""The counter-example, unit by unit, and how many elements each circuit takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pictures import Curves, Line, Matrix

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

BITS = 6
SIZES = range(2, 10)


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Matrix | Curves]:  # noqa: ARG001
    """Show what the threshold units of eight bits give for 0 to 8 ones, and the number of elements over bits."""
    return [_layer(experiment), _sizes(experiment, arms)]


def _layer(experiment: ModuleType) -> Matrix:
    layer = experiment.threshold_layer(BITS)
    inputs = np.tri(BITS + 1, BITS, -1, dtype=int)  # row i has i ones
    # Each prefix of a circuit is a circuit whose output is its last gate.
    fired = np.stack([experiment.evaluate(layer[: place + 1], inputs) for place in range(BITS)], axis=1)
    output = experiment.evaluate(layer, inputs)[:, None]
    columns = [f"{ones}+" for ones in range(1, BITS + 1)]
    return Matrix(
        f"One hidden layer computes the parity of {BITS} bits: which unit fires",
        "ones among the inputs",
        "hidden unit (fires for so many), output y",
        [str(ones) for ones in range(BITS + 1)],
        [*columns, "y"],
        np.hstack([fired, output]).astype(np.int64),
    )


def _sizes(experiment: ModuleType, arms: dict[str, dict[str, Any]]) -> Curves:
    lines = [
        Line(arm.replace("_", " "), list(SIZES), [len(_circuit(experiment, settings, bits)) for bits in SIZES])
        for arm, settings in arms.items()
        if arm != "xor_chain"  # as many gates as the tree
    ]
    return Curves("Elements that the parity of N bits takes", "bits N", "elements", lines, "y")


def _circuit(experiment: ModuleType, settings: dict[str, Any], bits: int) -> Any:
    return experiment.BUILDERS[settings["circuit"]](settings["target"], bits, settings["made_of"])
