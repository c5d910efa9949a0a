"""What one step of training does: the optimiser, and how its learning rate changes along a run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import TYPE_CHECKING, Literal, Protocol, cast, get_args

import torch
from torch.optim.adamw import adamw
from torch.optim.sgd import sgd

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import EllipsisType

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
    alike = [(own, len(list(row))) for own, row in groupby(optimisers)]
    # However many seeds there are: two formulas would round differently, and a seed notice its neighbours.
    if parameters[0].device.type == "cpu":
        return _Rows(alike, parameters, steps)
    # On a GPU a rate that changes would be a number of the host's in torch's own.
    if len(alike) == 1 and optimisers[0].schedule == "constant":
        return _SharedOptimiser(optimisers[0], parameters)
    return (_Sgd if optimisers[0].method == "sgd" else _Adam)(optimisers, parameters, steps)


class _Rows:
    """torch's own updates, one call for every row of seeds that share an optimiser.

    They are elementwise, so that seeds may share tensors. Called as functions: the book-keeping of `torch.optim`'s classes
    takes 30 microseconds a step, a twentieth of what a small network does.
    """

    def __init__(self, alike: Sequence[tuple[Optimiser, int]], parameters: list[torch.Tensor], steps: int) -> None:
        self._parameters, self._steps, self._taken = parameters, steps, 0
        ends = list(accumulate(number for _, number in alike))
        rows: list[slice | EllipsisType] = [
            slice(end - number, end) for (_, number), end in zip(alike, ends, strict=True)
        ]
        self._rows = [
            (own, row, _Moments([parameter.detach()[row] for parameter in parameters], own))
            # A parameter of one network alone has no dimension for seeds.
            for (own, _), row in zip(alike, rows if len(rows) > 1 else [...], strict=True)
        ]

    @torch.no_grad()
    def step(self) -> None:
        used = [index for index, own in enumerate(self._parameters) if own.grad is not None]
        for optimiser, row, moments in self._rows:
            rate = optimiser.learning_rate * optimiser.factor(self._taken, self._steps)
            moments.update([(index, cast("torch.Tensor", self._parameters[index].grad)[row]) for index in used], rate)
        self._taken += 1
        for own in self._parameters:
            own.grad = None

    def state(self) -> list[torch.Tensor]:
        return [kept for _, _, moments in self._rows for kept in moments.state()]


class _Moments:
    """Parameters of one optimiser, and what it keeps of their gradients; zero before the first update."""

    def __init__(self, parameters: list[torch.Tensor], optimiser: Optimiser) -> None:
        self._parameters, self._optimiser = parameters, optimiser
        adam = optimiser.method == "adam"
        self._first = [torch.zeros_like(own) for own in parameters] if adam or optimiser.momentum else []
        self._second = [torch.zeros_like(own) for own in parameters] if adam else []
        self._counts = [torch.zeros(()) for _ in parameters] if adam else []

    def update(self, gradients: Sequence[tuple[int, torch.Tensor]], rate: float) -> None:
        """Move the parameters at some places along their gradients."""
        of, own = [index for index, _ in gradients], self._optimiser
        moved, slopes = [self._parameters[index] for index in of], [slope for _, slope in gradients]
        if own.method == "sgd":
            kept: list[torch.Tensor | None] = [self._first[index] if own.momentum else None for index in of]
            sgd(
                moved, slopes, kept, fused=True, weight_decay=own.weight_decay, momentum=own.momentum, lr=rate,
                dampening=0.0, nesterov=False, maximize=False,
            )  # fmt: skip
            return
        first, second, counts = ([each[index] for index in of] for each in (self._first, self._second, self._counts))
        adamw(
            moved, slopes, first, second, [], counts, fused=True, amsgrad=False, beta1=BETAS[0], beta2=BETAS[1], lr=rate,
            weight_decay=own.weight_decay, eps=EPSILON, maximize=False,
        )  # fmt: skip

    def state(self) -> list[torch.Tensor]:
        return [*self._first, *self._second, *self._counts]


class _SharedOptimiser:
    """torch's own optimiser on a GPU, where a step is recorded: its updates are elementwise, so seeds may share tensors."""

    def __init__(self, optimiser: Optimiser, parameters: list[torch.Tensor]) -> None:
        self._built = optimiser.build(parameters)

    def step(self) -> None:
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
