"""What pictures.py may draw of a training: one seed's trained network, and its error rate epoch by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from harness.pictures import Curves, Line
from harness.training.ensembles import Observer, error_rate
from harness.training.supervised_learning import GIVEN, handed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    import numpy as np
    from torch import Tensor

    from harness.seeds import Seed
    from harness.training.ensembles import Ensemble
    from harness.training.supervised_learning import Split

AXES = {"train": "training error (fraction)", "test": "test error (fraction)"}
"""What is looked at, by the part of a split."""


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


def trained(experiment: ModuleType, seed: Seed, settings: Mapping[str, Any]) -> tuple[Split, Ensemble]:
    """Return the examples and the trained network of one seed, in an experiment made by `supervised`.

    Args:
        experiment: has `examples`, `fit` and `score`.
        seed: the one that is drawn.
        settings: those of an arm.
    """
    given = handed({name: getattr(experiment, name) for name in GIVEN}, settings)
    split = experiment.examples((seed,), **given.examples)
    return split, experiment.fit((seed,), split, given.recipe, **given.fit)


def learning_curves(
    experiment: ModuleType,
    seed: Seed,
    arms: Mapping[str, Mapping[str, Any]],
    *,
    part: Literal["train", "test"],
    title: str,
    log: str = "",
) -> Curves:
    """Return how each arm's error rate falls, epoch by epoch, in an experiment made by `supervised`.

    Args:
        experiment: has `examples`, `fit` and `score`, and its `fit` takes an `observer` by keyword.
        seed: the one that is drawn.
        arms: the settings of each arm.
        part: of the split, whose error rate is noted, without dropout.
        title: what the curves show.
        log: axes that are logarithmic.
    """
    lines = []
    for arm, settings in arms.items():
        given = handed({name: getattr(experiment, name) for name in GIVEN}, settings)
        split = experiment.examples((seed,), **given.examples)
        steps = given.recipe.steps_in_an_epoch(split.train[0].shape[1])
        inputs, targets = getattr(split, part)
        curve = LearningCurve(inputs, targets, steps)
        experiment.fit((seed,), split, given.recipe, observer=curve.observer, **given.fit)
        lines.append(curve.line(arm.replace("_", " ")))
    return Curves(title, "epoch", AXES[part], lines, log=log)
