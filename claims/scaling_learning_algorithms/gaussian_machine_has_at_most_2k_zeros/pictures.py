"""Machines that attain the bound, and how fast they fade; the circle on which one bump in the plane is zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pictures import Curves, Images, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

BASES = 3
SIDE = 64
REACH = 3.0


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves | Images]:
    """Draw f along the line for spaced and merged bumps, for cosines and a random machine; its fading; and a plane."""
    return [_along_the_line(experiment, seed, arms), _far_away(experiment), _plane(experiment)]


def _along_the_line(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    places = np.arange(-6, 14, 0.1)
    bumps = {
        "three bumps, 4 widths apart": experiment.row_of_bumps(BASES, 1, 4.0, "gaussian"),
        "three bumps, 1 width apart": experiment.row_of_bumps(BASES, 1, 1.0, "gaussian"),
        "one cosine": experiment.row_of_bumps(1, 1, 4.0, "cosine"),
    }
    layout = {name: arms["random_on_a_line"][name] for name in ("dimension", "spacing", "scatter")}
    bumps["three at random"] = experiment.drawn("random", BASES, seed.numpy("machines"), "gaussian", **layout)
    lines = [Line(name, places, each.bias + each.sums(places[:, None])) for name, each in bumps.items()]
    zero = Line("zero", places[[0, -1]], np.zeros(2))
    return Curves("Three Gaussians have at most six zeros; one cosine has more", "place in widths", "f", [*lines, zero])


def _far_away(experiment: ModuleType) -> Curves:
    bump = experiment.row_of_bumps(1, 1, 4.0, "gaussian")
    places = np.linspace(0, 12, 61)
    lines = [Line("|f - b| / |a|", places, bump.sums(places[:, None])), Line("5 widths", [5, 5], [1e-30, 1])]
    return Curves("What one Gaussian adds", "distance in widths", "share of its coefficient", lines, "y")


def _plane(experiment: ModuleType) -> Images:
    across = np.linspace(-REACH, REACH, SIDE)
    points = np.stack(np.meshgrid(across, across), axis=-1).reshape(-1, 2)
    bump = experiment.row_of_bumps(1, 2, 4.0, "gaussian")
    values = (bump.bias + bump.sums(points)).reshape(SIDE, SIDE)
    titles = ["f", "where f > 0: its edge, a circle, is all zeros"]
    return Images("In the plane, one bump cut at half its height", titles, [values + 0.5, (values > 0).astype(float)])
