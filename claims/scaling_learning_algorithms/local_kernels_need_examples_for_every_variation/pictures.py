"""The target, and what a Gaussian and a periodic kernel make of it from few examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pictures import Curves, Images, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

FIELDS = 6
SIDE = 60
SHOWN = (("gaussian_svm", 100), ("gaussian_svm", 1000), ("periodic_kernel", 100))
STRIPES = 16


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Images | Curves]:
    """Draw checkerboards as learnt from some examples, and accuracy over examples for stripes."""
    return [_boards(experiment, seed, arms), _stripes(experiment, seed, arms)]


def _learn(experiment: ModuleType, settings: dict[str, Any], points: np.ndarray, fields: int, new: np.ndarray) -> Any:
    known = settings["period_known"]
    seen = experiment.inputs(points, fields, period_known=known)
    learner = experiment.LEARNERS[settings["learner"]]
    predict = learner(seen, experiment.colours(points, fields), settings["width"], settings["cost"])
    return predict(experiment.inputs(new, fields, period_known=known))


def _boards(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Images:
    across = (np.arange(SIDE) + 0.5) / SIDE
    new = np.stack(np.meshgrid(across, across), axis=-1).reshape(-1, 2)
    points = seed.numpy("board").random((max(size for _, size in SHOWN), 2))
    captions, boards = ["the target"], [experiment.colours(new, FIELDS)]
    for arm, size in SHOWN:
        captions.append(f"{arm.replace('_', ' ')}, {size} examples")
        boards.append(_learn(experiment, arms[arm], points[:size], FIELDS, new))
    images = [board.reshape(SIDE, SIDE).astype(float) for board in boards]
    return Images(f"A checkerboard of {FIELDS} by {FIELDS} fields", captions, images)


def _stripes(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    new = (np.arange(1024)[:, None] + 0.5) / 1024
    truth, points = experiment.colours(new, STRIPES), seed.numpy("stripes").random((512, 1))
    sizes = [size for size in experiment.SIZES if size <= len(points)]
    lines = [
        Line(arm.replace("_", " "), sizes, [(_learn(experiment, settings, points[:size], STRIPES, new) == truth).mean() for size in sizes])
        for arm, settings in arms.items()
    ]  # fmt: skip
    return Curves(f"{STRIPES} stripes, learnt from one draw of examples", "examples", "accuracy", lines, "x")
