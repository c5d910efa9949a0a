"""scikit-learn arms: the support vector machine with a Gaussian kernel, its two numbers searched on training data.

libsvm computes a kernel value at a time; here all are computed by matrix products in float32, and libsvm only solves
the dual problem. On 4,000 images of 1,024 pixels that is six times as fast to fit and twenty times as fast to predict
with, and decides alike but for near ties.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.svm import SVC

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Labels = NDArray[np.integer]

COSTS = (1.0, 10.0, 100.0)
WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""The grid of `search`: exponential, as Hsu, Chang & Lin (2003, "A practical guide to support vector classification",
sec. 3.2) advise; widths in units of 1 / (n_features * variance), the scale on which a kernel is neither flat nor a
comb of spikes."""

WHOLE_KERNEL = 12_000
"""Examples up to which the whole kernel matrix is kept at once (12 bytes an entry while libsvm copies it: 1.7 GB)."""

PREDICTED_AT_ONCE = 1_000
SOLVER = {"cache_size": 500, "random_state": 0}
"""Megabytes; and a number for libsvm, which draws nothing here, but which scikit-learn else takes from numpy's global generator."""


@dataclass(frozen=True)
class SvmParameters:
    """The two numbers of a Gaussian-kernel machine.

    Attributes:
        cost: C, what a violated margin costs.
        gamma: of the kernel exp(-gamma |a - b|^2).
    """

    cost: float
    gamma: float


@dataclass(frozen=True, eq=False)
class GaussianMachine:
    """A fitted support vector classifier.

    Attributes:
        penalty: what it was fitted with.
        classes: the k labels, ascending.
        support: the support vectors, grouped by class, (n_support, n_features).
        sizes: how many of them each class has, (k,).
        coefficients: of the dual problems of one class against one other, (k - 1, n_support), laid out as libsvm does.
        intercepts: one for each pair of classes, (k (k - 1) / 2,).
    """

    penalty: SvmParameters
    classes: NDArray[np.integer]
    support: Floats
    sizes: NDArray[np.integer]
    coefficients: Floats
    intercepts: Floats

    def predict(self, inputs: Floats) -> NDArray[np.integer]:
        """Return the label of each input, (n,): the class that wins most of its duels, the first among equals."""
        blocks = [
            self._votes(inputs[begin : begin + PREDICTED_AT_ONCE]) for begin in range(0, len(inputs), PREDICTED_AT_ONCE)
        ]
        winners: NDArray[np.integer] = self.classes[np.concatenate(blocks).argmax(1)]
        return winners

    def _votes(self, inputs: Floats) -> NDArray[np.integer]:
        kernel = gaussian(squared_distances(inputs, self.support), self.penalty.gamma)
        bounds = [0, *np.cumsum(self.sizes)]
        parts = [kernel[:, a:b] @ self.coefficients[:, a:b].T for a, b in itertools.pairwise(bounds)]
        votes = np.zeros((len(inputs), len(self.classes)), np.int64)
        for (one, other), intercept in zip(self._class_pairs(), self.intercepts, strict=True):
            won = parts[one][:, other - 1] + parts[other][:, one] + intercept > 0
            votes[:, one] += won
            votes[:, other] += ~won
        return votes

    def _class_pairs(self) -> Iterator[tuple[int, int]]:
        return itertools.combinations(range(len(self.classes)), 2)


def fit(inputs: Floats, labels: Labels, penalty: SvmParameters) -> GaussianMachine:
    """Return a machine fitted to `inputs`, float32 of shape (n, n_features), and their labels, (n,).

    Raises:
        UsageError: if there are fewer than two classes, or inputs that are not float32, finite and two-dimensional.
    """
    _check(inputs, labels)
    if len(inputs) <= WHOLE_KERNEL:
        return _solve(gaussian(squared_distances(inputs, inputs), penalty.gamma), inputs, labels, penalty)
    solver = SVC(C=penalty.cost, gamma=penalty.gamma, **SOLVER).fit(inputs, labels)
    return _machine(solver, inputs, penalty)


def search(
    inputs: Floats,
    labels: Labels,
    generator: np.random.Generator,
    *,
    n_search: int,
    costs: tuple[float, ...] = COSTS,
    widths: tuple[float, ...] = WIDTHS,
) -> SvmParameters:
    """Return the penalty with the fewest errors on held-out training data, the smoothest among equals.

    A random `n_search` examples (or two thirds of all, if that is less) are fitted, half as many others are judged;
    no test data is seen.

    Args:
        inputs: training inputs, float32, (n, n_features).
        labels: their labels, (n,).
        generator: draws the examples.
        n_search: examples to fit on; the best gamma hardly depends on it, the time does with its square.
        costs: values of C tried.
        widths: values of gamma tried, in units of 1 / (n_features * variance of the inputs).
    """
    _check(inputs, labels)
    chosen = generator.permutation(len(inputs))[: n_search + n_search // 2]
    fitted, judged = np.split(chosen, [2 * len(chosen) // 3])
    scale = 1.0 / (inputs.shape[1] * float(inputs.var()))
    among, to_judged = (squared_distances(inputs[part], inputs[fitted]) for part in (fitted, judged))
    errors = {}
    for width in sorted(widths):
        kernel, to_kernel = gaussian(among, width * scale), gaussian(to_judged, width * scale)
        for cost in sorted(costs):
            solver = SVC(C=cost, kernel="precomputed", **SOLVER).fit(kernel, labels[fitted])
            errors[SvmParameters(cost, width * scale)] = float(np.mean(solver.predict(to_kernel) != labels[judged]))
    return min(errors, key=errors.__getitem__)


def squared_distances(left: Floats, right: Floats) -> Floats:
    """Return |a - b|^2 for every row a of `left` and b of `right`, (n_left, n_right), by one matrix product."""
    squares: Floats = left @ right.T
    squares *= -2.0
    squares += np.einsum("ij,ij->i", left, left)[:, None]
    squares += np.einsum("ij,ij->i", right, right)
    return np.maximum(squares, 0.0, out=squares)  # rounding can leave a distance of zero slightly negative


def gaussian(squares: Floats, gamma: float) -> Floats:
    """Return exp(-gamma * squares), of the same shape."""
    kernel = np.multiply(squares, np.float32(-gamma))
    return np.exp(kernel, out=kernel)


def _solve(kernel: Floats, inputs: Floats, labels: Labels, penalty: SvmParameters) -> GaussianMachine:
    solver = SVC(C=penalty.cost, kernel="precomputed", **SOLVER).fit(kernel, labels)
    return _machine(solver, inputs, penalty)


def _machine(solver: SVC, inputs: Floats, penalty: SvmParameters) -> GaussianMachine:
    # scikit-learn turns the sign of a machine of two classes; libsvm's own sign serves any number of them.
    sign = -1.0 if len(solver.classes_) == 2 else 1.0
    return GaussianMachine(
        penalty,
        solver.classes_,
        np.ascontiguousarray(inputs[solver.support_]),
        solver.n_support_,
        (sign * solver.dual_coef_).astype(np.float32),
        (sign * solver.intercept_).astype(np.float32),
    )


def _check(inputs: Floats, labels: Labels) -> None:
    if inputs.ndim != 2 or inputs.dtype != np.float32 or len(inputs) != len(labels):
        raise UsageError(
            f"inputs: {inputs.dtype} {inputs.shape} for {len(labels)} labels; give float32 (n, n_features)"
        )
    if not np.isfinite(inputs).all():
        raise UsageError("inputs: some are not finite; a machine cannot be fitted to them")
    if len(np.unique(labels)) < 2:
        raise UsageError(f"labels: {np.unique(labels)}: give at least two classes")
