"""A digit and one of its maps, before and after a move by six pixels, and how little of it pools forget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pictures import Curves, Images, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

FAR = 6


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves | Images]:
    """Draw what a move does to a digit's maps, and the change by the length of the move for three pools."""
    design = {name: value for name, value in arms["pooled"].items() if name not in ("images", "pool")}
    digits, lines, shown = experiment.anywhere((seed,), 8), [], {}
    for pool in (1, 2, 7):
        networks = experiment.untrained((seed,), digits, pool=pool, **design)
        maps = [experiment.maps_of(networks, experiment.moved(digits, pixels)) for pixels in range(FAR + 1)]
        change = [experiment.relative(after - maps[0], maps[0])[0] for after in maps]
        lines.append(Line(f"pools of {pool} x {pool}", np.arange(FAR + 1), change))
        strongest = int(maps[0][0, 0].amax((1, 2)).argmax())
        shown[f"map, {pool} x {pool}"] = [maps[to][0, 0, strongest].numpy() for to in (0, FAR)]
    shown = {"digit": [experiment.moved(digits, to)[0, 0, 0].numpy() for to in (0, FAR)], **shown}
    captions = [f"{name}{end}" for name in shown for end in ("", f", {FAR} pixels on")]
    images = [image / pair[0].max() for pair in shown.values() for image in pair]
    return [
        Images(
            "A digit, and the map of one random filter under pools of three sizes, before and after a move",
            captions,
            images,
        ),
        Curves(
            "How much the maps change when the image moves", "move (pixels)", "change (share of the maps' size)", lines
        ),
    ]
