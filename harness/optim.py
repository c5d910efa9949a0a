"""What one step of training does: the optimiser, and how its learning rate changes along a run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import torch

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

Method = Literal["sgd", "adam"]
Schedule = Literal["constant", "cosine", "linear", "step"]


@dataclass(frozen=True)
class Optimiser:
    """An optimiser and its schedule, as numbers that a specification can hold.

    Attributes:
        method: "sgd" (heavy-ball momentum) or "adam" (Kingma & Ba 2015, betas 0.9 and 0.999).
        learning_rate: of the first step; later ones are multiplied by `factor`.
        momentum: of "sgd"; "adam" has its own and takes none.
        weight_decay: for "sgd" the L2 penalty's coefficient; for "adam" decoupled (Loshchilov & Hutter 2019), because
            an L2 penalty inside Adam's normalised gradient is hardly a penalty at all.
        schedule: "constant"; "cosine" to zero (Loshchilov & Hutter 2017, eq. 5, without restarts); "linear" to zero;
            "step": a tenth from half of the run on, a hundredth from three quarters on (He et al. 2016).

    Raises:
        UsageError: for an unknown method or schedule, a number out of its range, or momentum for "adam".
    """

    method: Method
    learning_rate: float
    momentum: float = 0.0
    weight_decay: float = 0.0
    schedule: Schedule = "constant"

    def __post_init__(self) -> None:
        _one_of("method", self.method, get_args(Method))
        _one_of("schedule", self.schedule, get_args(Schedule))
        _within("learning_rate", self.learning_rate, 0.0, math.inf)
        _within("momentum", self.momentum, 0.0, 1.0)
        _within("weight_decay", self.weight_decay, 0.0, math.inf)
        if self.method == "adam" and self.momentum:
            raise UsageError(f"optimiser: momentum: {self.momentum}: 'adam' has its own; leave it out or take 'sgd'")

    def build(self, parameters: Iterable[torch.Tensor]) -> torch.optim.Optimizer:
        """Return the torch optimiser over `parameters`; all its updates are elementwise, so seeds may share a tensor."""
        if self.method == "sgd":
            return torch.optim.SGD(
                parameters, self.learning_rate, self.momentum, weight_decay=self.weight_decay, fused=True
            )
        return torch.optim.AdamW(parameters, self.learning_rate, weight_decay=self.weight_decay, fused=True)

    def factor(self, step: int, steps: int) -> float:
        """Return what the learning rate is multiplied by at `step` (from 0) of a run of `steps`."""
        progress = step / steps
        if self.schedule == "cosine":
            return 0.5 * (1.0 + math.cos(math.pi * progress))
        if self.schedule == "linear":
            return 1.0 - progress
        if self.schedule == "step":
            return 1.0 if progress < 0.5 else 0.1 if progress < 0.75 else 0.01
        return 1.0

    def set_rate(self, built: torch.optim.Optimizer, step: int, steps: int) -> None:
        """Give `built` the learning rate of `step`; a constant one is left alone."""
        if self.schedule != "constant":
            for group in built.param_groups:
                group["lr"] = self.learning_rate * self.factor(step, steps)


def _one_of(field: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UsageError(f"optimiser: {field}: {value!r} is unknown; take one of {', '.join(allowed)}")


def _within(field: str, value: float, low: float, high: float) -> None:
    if not low <= value < high:
        raise UsageError(f"optimiser: {field}: {value} is outside [{low}, {high}); correct the number")
