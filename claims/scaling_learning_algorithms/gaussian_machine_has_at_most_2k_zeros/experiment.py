"""Sign changes of Gaussian kernel machines along lines, what is left of them far away, and what far bases add."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.svm import SVC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from harness.seeds import Seeds

STEP = 0.05  # of the grids on which signs are read, in widths; zeros that are nearer to each other are missed

FAR, NEAR = 10.0, 5.0  # widths: how far from all centres a machine is read, and within what distance bases are kept

LEVEL = 0.5  # of the height of one bump, where a row of bumps is cut

HARD_MARGIN = 1e4  # box constraint, never active for Gaussians as far apart as the examples here

KERNELS = {  # of points and centres, shape (n_points, n_centres)
    "gaussian": lambda points, centres: np.exp(-cdist(points, centres, "sqeuclidean") / 2),
    "cosine": lambda points, centres: np.cos(points.sum(axis=1)[:, None] - centres.sum(axis=1)),
}


class Machine(NamedTuple):
    """f(x) = bias + sum_i coefficients_i K(x, centres_i); the unit of length is the width of the Gaussian."""

    centres: NDArray[np.float64]  # (k, d)
    coefficients: NDArray[np.float64]  # (k,)
    bias: float
    kernel: str

    def sums(self, points: NDArray[np.float64], beyond: float = 0) -> NDArray[np.float64]:
        """Return f - bias at each point, of the bases at a distance of `beyond` or more, shape (n_points,)."""
        counted = cdist(points, self.centres) >= beyond
        return (KERNELS[self.kernel](points, self.centres) * counted) @ self.coefficients


def on_axis(places: NDArray[np.float64], dimension: int) -> NDArray[np.float64]:
    """Return the points at these places of the first axis, shape (n, d); to a Gaussian all straight lines are alike."""
    return np.pad(places[:, None], ((0, 0), (0, dimension - 1)))


def row_of_bumps(bases: int, dimension: int, spacing: float, kernel: str) -> Machine:
    """Return equal bumps along the axis, cut at half of their height: two zeros each where they stand apart."""
    return Machine(on_axis(spacing * np.arange(bases), dimension), np.ones(bases), -LEVEL, kernel)


def random_machine(centres: NDArray[np.float64], draw: np.random.Generator, kernel: str) -> Machine:
    """Return a machine of normal coefficients, its bias a fraction of them so that many of its bumps cross zero."""
    return Machine(centres, draw.normal(size=len(centres)), float(draw.normal(scale=0.3)), kernel)


def trained_machine(examples: NDArray[np.float64], kernel: str) -> Machine:
    """Return the hard-margin support vector machine for labels that alternate from one example to the next."""
    gram = KERNELS[kernel](examples, examples)
    found = SVC(C=HARD_MARGIN, kernel="precomputed").fit(gram, np.arange(len(examples)) % 2)
    return Machine(examples[found.support_], found.dual_coef_[0], float(found.intercept_[0]), kernel)


def drawn(
    kind: str, bases: int, draw: np.random.Generator, kernel: str, *, dimension: int, spacing: float, scatter: float
) -> Machine:
    """Return one machine, its centres `spacing` widths apart on average, and scattered around the axis by so many widths.

    Raises:
        ValueError: `kind` is none of bumps, random and trained.
    """
    if kind == "bumps":
        return row_of_bumps(bases, dimension, spacing, kernel)
    places = np.cumsum(draw.uniform(0.5, 1.5, bases)) if kind == "trained" else draw.uniform(0, bases, bases)
    centres = on_axis(spacing * places, dimension)
    centres[:, 1:] += scatter * draw.normal(size=centres[:, 1:].shape)
    if kind == "trained":
        return trained_machine(centres, kernel)
    if kind == "random":
        return random_machine(centres, draw, kernel)
    raise ValueError(f"kind is {kind!r}; give 'bumps', 'random' or 'trained'")


def paths(machine: Machine, rays: int) -> Iterator[NDArray[np.float64]]:
    """Yield grids of points, each (n_points, d), that reach FAR beyond the centres.

    One along the axis; or `rays` from the first centre in directions of the plane, or in both of a line.
    """
    places, dimension = machine.centres[:, 0], machine.centres.shape[1]
    if not rays:
        yield on_axis(np.arange(places.min() - FAR, places.max() + FAR, STEP), dimension)
        return
    angles = 2 * np.pi * np.arange(rays) / rays
    directions = [[1.0], [-1.0]] if dimension == 1 else np.stack([np.cos(angles), np.sin(angles)], axis=1)
    for direction in directions:
        yield machine.centres[0] + np.arange(0, np.ptp(places) + FAR, STEP)[:, None] * direction


def sign_changes(values: NDArray[np.float64]) -> int:
    """Return how often the sign changes; a value of exactly zero, by underflow, has none and is passed over."""
    signs = np.sign(values[values != 0])
    return int(np.count_nonzero(signs[1:] != signs[:-1]))


def read(machine: Machine, rays: int) -> tuple[float, float, float]:
    """Return sign changes over twice the bases; and, per sum |coefficient|, |f - bias| far away and what far bases add."""
    zeros = sum(sign_changes(machine.bias + machine.sums(points)) for points in paths(machine, rays))
    (axis,), far = paths(machine, rays=0), np.arange(FAR, 2 * FAR, STEP)
    places = machine.centres[:, 0]
    outside = on_axis(np.concatenate([places.min() - far, places.max() + far]), axis.shape[1])
    left, forgotten = (np.abs(sums).max() for sums in (machine.sums(outside), machine.sums(axis, beyond=NEAR)))
    size = np.abs(machine.coefficients).sum()
    return zeros / (2 * len(machine.coefficients)), left / size, forgotten / size


def measure(
    arm: str, seeds: Seeds, *, bases: int, kind: str, kernel: str, rays: int, machines: int, **layout: float
) -> dict[str, NDArray[np.float64]]:
    """Return the largest value of each metric over the machines of a seed, shape (n_seeds,); `layout` is as drawn() has it."""
    rows = []
    for seed in seeds:
        draw = seed.numpy("machines")
        rows.append(np.max([read(drawn(kind, bases, draw, kernel, **layout), rays) for _ in range(machines)], axis=0))
    names = ("zeros_over_bound", "far_value", "change_after_forgetting")
    return dict(zip(names, np.transpose(rows), strict=True))
