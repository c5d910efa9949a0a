"""The error rate of a network while it is trained, noted once an epoch: a curve for `illustrate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pictures import Line
from harness.training.ensembles import Observer, error_rate

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from harness.training.ensembles import Ensemble


class LearningCurve:
    """Notes the error rate of one seed's network, once an epoch, as the observer of `train`.

    Args:
        inputs: the examples looked at, (1, n, *shape).
        targets: their classes, (1, n).
        steps: updates in an epoch.
    """

    def __init__(self, inputs: Tensor | np.ndarray, targets: Tensor | np.ndarray, steps: int) -> None:
        self._examples = inputs, targets
        self._steps = steps
        self._epochs: list[float] = []
        self._errors: list[float] = []

    @property
    def observer(self) -> Observer:
        """What `train` is given."""
        return Observer(self._steps, self._look)

    def _look(self, taken: int, networks: Ensemble) -> None:
        self._epochs.append(taken / self._steps)
        self._errors.append(float(error_rate(networks, *self._examples)[0]))

    def line(self, name: str) -> Line:
        """Return the error rates (fractions) over epochs."""
        return Line(name, self._epochs, self._errors)
