"""Estimates along the broom by L and by L squared; regions on a checkerboard; the rings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pictures import Curves, Images, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

STRENGTH = 0.001
SIDE = 64
SHOWN = (4, 16, 64)
WINDOW = 80


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves | Images]:
    """Draw where regions without a label come from, and what few labels make of many blocks."""
    return [
        _broom(experiment, seed, arms["broom"]),
        _board(experiment, seed, arms["knn_graph"]),
        _rings(experiment, seed, arms),
    ]


def _broom(experiment: ModuleType, seed: Seed, settings: dict[str, Any]) -> Curves:
    given = experiment.broom(seed.numpy("broom"), **settings)
    shown, lines = experiment.HANDLE + 1 + settings["arm_length"], []
    for power, name in ((1, "L"), (2, "L squared")):
        estimate = experiment.propagated(given, 3, STRENGTH, 0.0, power)
        found = experiment.regions(given.weights, estimate >= 0)
        lines.append(Line(f"{name}: {found} regions from 3 labels", np.arange(shown), estimate[:shown]))
    known = given.order[:3]
    lines += [Line("labels", known, given.truth[known]), Line("zero", [0, shown - 1], [0, 0])]
    title = f"Along a path that ends in {settings['broom_arms']} equal arms, of which one is shown"
    return Curves(title, f"node (the arms begin at {experiment.HANDLE})", "estimate", lines)


def _board(experiment: ModuleType, seed: Seed, settings: dict[str, Any]) -> Images:
    points = seed.numpy("board").random((settings["nodes"], 2))  # the first draw of checkerboard() of this stream
    given = experiment.checkerboard(seed.numpy("board"), **settings)
    across = (np.arange(SIDE) + 0.5) / SIDE
    pixels = np.stack(np.meshgrid(across, across), axis=-1).reshape(-1, 1, 2)
    nearest = ((pixels - points) ** 2).sum(axis=2).argmin(axis=1).reshape(SIDE, SIDE)
    images, captions = [given.truth[nearest] > 0], ["the labels"]
    for labels in SHOWN:
        positive = experiment.propagated(given, labels, STRENGTH, 0.0, 1) >= 0
        captions.append(f"{labels} known: {experiment.regions(given.weights, positive)} regions")
        images.append(positive[nearest])
    return Images("A checkerboard, each pixel as its nearest node", captions, [image.astype(float) for image in images])


def _rings(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    lines, places = [], np.arange(WINDOW)
    for arm in ("alternating_ring", "ring_joined_by_phase"):
        given = experiment.ring(seed.numpy("ring"), labels=2, **arms[arm])
        around = (given.order[0] + places - WINDOW // 4) % len(given.truth)
        lines.append(Line(arm.replace("_", " "), places, experiment.propagated(given, 2, STRENGTH, 0.0, 1)[around]))
    lines.append(Line("the labels of all nodes", places, given.truth[around]))
    title = f"Two labels on a ring of 64 blocks, of which one is known here, at node {WINDOW // 4}"
    return Curves(title, "node, in a part of the ring", "estimate", lines)
