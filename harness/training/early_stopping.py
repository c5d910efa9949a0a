"""When a seed has trained enough: a rule that each seed follows by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import torch
from torch import Tensor

from harness.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

Metric = Literal["loss", "error_rate"]


@dataclass(frozen=True, eq=False)
class EarlyStopping:
    """Stop a seed by how it does on examples of its own, and keep the weights of its best look (Prechelt 1998).

    Attributes:
        inputs: the examples looked at, (n_seeds, n, *shape): held-out ones, or the training set for "until it fits".
        targets: their targets, as `train` takes them; for "error_rate" classes, (n_seeds, n), whatever the loss.
        every: steps from one look to the next.
        patience: looks without a new least value after which a seed stops; None: never for that reason.
        enough: a seed stops at the first look with at most this value; None: never for that reason.
        metric: what is looked at: the training loss's formula, or the "error_rate".

    Raises:
        UsageError: for a number out of its range, or a rule that can never stop.
    """

    inputs: Tensor | np.ndarray
    targets: Tensor | np.ndarray
    every: int
    patience: int | None = None
    enough: float | None = None
    metric: Metric = "loss"

    def __post_init__(self) -> None:
        _require(self.metric in get_args(Metric), f"metric: {self.metric!r}: take one of {get_args(Metric)}")
        _require(self.every >= 1, f"every: {self.every}: give a number of steps, at least 1")
        _require(self.patience is None or self.patience >= 1, f"patience: {self.patience}: at least 1, or leave it out")
        _require(self.patience is not None or self.enough is not None, "patience and enough: give at least one of them")


class StoppingState:
    """The looks at an ensemble in training: who has stopped, and the weights of everyone's best look.

    Attributes:
        best: the weights of the best look of each seed, by name, (n_seeds, *shape); empty before the first.
        steps: how many steps those weights had taken, (n_seeds,).
    """

    def __init__(self, rule: EarlyStopping, number: int, device: torch.device) -> None:
        self._rule = rule
        self._least = torch.full((number,), math.inf, dtype=torch.float64, device=device)
        self._missed = torch.zeros(number, dtype=torch.int64, device=device)
        self._stopped = torch.zeros(number, dtype=torch.bool, device=device)
        self.best: dict[str, Tensor] = {}
        self.steps = torch.zeros(number, dtype=torch.int64, device=device)

    def due(self, step: int) -> bool:
        """Whether to look after `step` steps."""
        return step % self._rule.every == 0

    def look(self, step: int, values: Tensor, weights: dict[str, Tensor]) -> bool:
        """Take note of a look and return whether every seed has stopped.

        Args:
            step: steps taken so far.
            values: the metric of each seed, (n_seeds,); one that is not a number is no improvement.
            weights: present ones, by name, (n_seeds, *shape).
        """
        better = (values < self._least) & ~self._stopped
        if not self.best:
            self.best = {name: own.detach().clone() for name, own in weights.items()}
            self.steps.fill_(step)
        for name, kept in self.best.items():
            kept[better] = weights[name].detach()[better]
        self.steps[better] = step
        self._least = torch.where(better, values.double(), self._least)
        self._missed = torch.where(better, 0, self._missed + 1)
        if self._rule.patience is not None:
            self._stopped |= self._missed >= self._rule.patience
        if self._rule.enough is not None:
            self._stopped |= self._least <= self._rule.enough
        return bool(self._stopped.all())


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise UsageError(f"stopping: {message}")
