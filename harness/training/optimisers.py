"""What one step of training does: the optimiser, and how its learning rate changes along a run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, get_args

import torch

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Method = Literal["sgd", "adam"]
Schedule = Literal["constant", "cosine", "linear", "step"]

BETAS = (0.9, 0.999)
EPSILON = 1e-8
"""Of "adam", as Kingma & Ba (2015, algorithm 1) set them."""


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
        parameters = list(parameters)
        # What a step counts lies on the GPU then, so that the step can be recorded there.
        on_gpu = {"capturable": True} if parameters[0].is_cuda else {}
        return torch.optim.AdamW(
            parameters, self.learning_rate, BETAS, EPSILON, weight_decay=self.weight_decay, fused=True, **on_gpu
        )

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


class Descent(Protocol):
    """Steps of an optimiser on the parameters of an ensemble.

    On a GPU whatever differs from step to step is in tensors, so that one step can be recorded and replayed as the next.
    """

    def step(self) -> None:
        """Take the next step along the gradients, and forget them."""
        ...

    def state(self) -> list[torch.Tensor]:
        """Return what a step changes besides the parameters; zero before the first."""
        ...


def make_stepper(optimisers: Sequence[Optimiser], parameters: list[torch.Tensor], steps: int) -> Descent:
    """Return the steps of a run of `steps` on `parameters`, (n_seeds, *shape) each.

    Args:
        optimisers: one for every seed alike, or one per seed.
        parameters: what is trained.
        steps: of the whole run, for the schedules.

    Raises:
        UsageError: optimisers of different methods, which no single update can follow.
    """
    if len({each.method for each in optimisers}) > 1:
        raise UsageError("optimiser: method: one per seed may differ in numbers and schedule, not in method")
    # A rate that changes would be a number of the host's in torch's own.
    recordable = optimisers[0].schedule == "constant" or not parameters[0].is_cuda
    if all(each == optimisers[0] for each in optimisers) and recordable:
        return _SharedOptimiser(optimisers[0], parameters, steps)
    return (_Sgd if optimisers[0].method == "sgd" else _Adam)(optimisers, parameters, steps)


class _SharedOptimiser:
    """torch's own optimiser: its updates are elementwise, so seeds of one optimiser may share tensors."""

    def __init__(self, optimiser: Optimiser, parameters: list[torch.Tensor], steps: int) -> None:
        self._optimiser, self._steps, self._taken = optimiser, steps, 0
        self._built = optimiser.build(parameters)

    def step(self) -> None:
        if self._optimiser.schedule != "constant":
            for group in self._built.param_groups:
                group["lr"] = self._optimiser.learning_rate * self._optimiser.factor(self._taken, self._steps)
        self._taken += 1
        self._built.step()
        self._built.zero_grad(set_to_none=True)

    def state(self) -> list[torch.Tensor]:
        return [kept for own in self._built.state.values() for kept in own.values() if isinstance(kept, torch.Tensor)]


class _PerSeed:
    """Optimisers of one method whose numbers differ from seed to seed: torch's formulas with a column of numbers."""

    def __init__(self, optimisers: Sequence[Optimiser], parameters: list[torch.Tensor], steps: int) -> None:
        self._parameters = parameters
        self._rates = parameters[0].new_tensor(
            [[each.learning_rate * each.factor(step, steps) for each in optimisers] for step in range(steps)]
        )
        self._taken = torch.zeros(1, dtype=torch.int64, device=parameters[0].device)
        self._momentum = self._columns([each.momentum for each in optimisers])
        self._decay = self._columns([each.weight_decay for each in optimisers])
        self._first = [torch.zeros_like(own) for own in parameters]
        self._second = [torch.zeros_like(own) for own in parameters]

    def _columns(self, numbers: list[float]) -> list[torch.Tensor]:
        """Return one number per seed, shaped to multiply each parameter."""
        return [_column(own.new_tensor(numbers), own) for own in self._parameters]

    @torch.no_grad()
    def step(self) -> None:
        rates = self._rates.index_select(0, self._taken)
        for index, parameter in enumerate(self._parameters):
            if parameter.grad is None:  # the network does not use it
                continue
            self._update(index, parameter, parameter.grad, _column(rates, parameter))
            parameter.grad = None
        self._taken.add_(1)

    def state(self) -> list[torch.Tensor]:
        return [self._taken, *self._first, *self._second]

    def _update(self, index: int, parameter: torch.Tensor, gradient: torch.Tensor, rate: torch.Tensor) -> None:
        raise NotImplementedError


def _column(numbers: torch.Tensor, parameter: torch.Tensor) -> torch.Tensor:
    """Return one number per seed, shaped to multiply a parameter, (n_seeds, *shape)."""
    return numbers.view(-1, *(1,) * (parameter.ndim - 1))


class _Sgd(_PerSeed):
    def _update(self, index: int, parameter: torch.Tensor, gradient: torch.Tensor, rate: torch.Tensor) -> None:
        velocity = self._first[index]
        velocity.mul_(self._momentum[index]).add_(gradient).addcmul_(self._decay[index], parameter)
        parameter.sub_(rate * velocity)


class _Adam(_PerSeed):
    """AdamW (Loshchilov & Hutter 2019, algorithm 2) with torch's betas and epsilon."""

    def __init__(self, optimisers: Sequence[Optimiser], parameters: list[torch.Tensor], steps: int) -> None:
        super().__init__(optimisers, parameters, steps)
        counts = range(1, steps + 1)
        self._of_first = parameters[0].new_tensor([1.0 - BETAS[0] ** count for count in counts])
        self._of_second = parameters[0].new_tensor([math.sqrt(1.0 - BETAS[1] ** count) for count in counts])

    def _update(self, index: int, parameter: torch.Tensor, gradient: torch.Tensor, rate: torch.Tensor) -> None:
        first, second = self._first[index], self._second[index]
        parameter.mul_(1.0 - rate * self._decay[index])
        first.lerp_(gradient, 1.0 - BETAS[0])
        second.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1.0 - BETAS[1])
        scale = second.sqrt().div_(self._of_second.index_select(0, self._taken)).add_(EPSILON)
        parameter.sub_(rate / self._of_first.index_select(0, self._taken) * first / scale)


def _one_of(field: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UsageError(f"optimiser: {field}: {value!r} is unknown; take one of {', '.join(allowed)}")


def _within(field: str, value: float, low: float, high: float) -> None:
    if not low <= value < high:
        raise UsageError(f"optimiser: {field}: {value} is outside [{low}, {high}); correct the number")
