"""One network trained as anybody would, by torch's own pieces: the oracle of the engine."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from harness.training.draws import Draws
from harness.training.initialisation import initial_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.seeds import Seed


class PlainDropout(nn.Module):
    """Dropout by the words that a seed draws for a layer, written out."""

    def __init__(self, probability: float, draws: Draws) -> None:
        super().__init__()
        self.probability, self.draws = probability, draws

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return inputs
        kept = (self.draws.words(*inputs.shape)[0].long() + 2**31) / 2**32 < 1 - self.probability
        return inputs * kept / (1 - self.probability)


def plain_loop(
    build: Callable[[], nn.Module],
    inputs: torch.Tensor,
    targets: torch.Tensor,
    seed: Seed,
    *,
    steps: int,
    batch_size: int,
    method: str = "sgd",
    rate: float = 0.1,
    momentum: float = 0.0,
    decay: float = 0.0,
    schedule: Callable[[float], float] = lambda _: 1.0,
    masks: dict[str, torch.Tensor] | None = None,
    frozen: tuple[str, ...] = (),
    loss: Callable[..., torch.Tensor] = nn.functional.cross_entropy,
    after: Callable[[int, nn.Module], bool] = lambda *_: False,
) -> nn.Module:
    """Return one seed's network after its steps, or after the first for which `after` says that it is enough."""
    module = build().to(inputs.dtype if inputs.is_floating_point() else torch.float64)
    first = initial_weights(module, (seed,), "uniform", dtype=next(module.parameters()).dtype)
    module.load_state_dict({name: values[0] for name, values in first.items()})
    for path, child in list(module.named_modules()):
        if isinstance(child, nn.Dropout):
            module.set_submodule(path, PlainDropout(child.p, Draws.of((seed,), f"layer {path}")))
    trained = [own for name, own in module.named_parameters() if name not in frozen]
    optimiser: Any = (
        torch.optim.SGD(trained, rate, momentum, weight_decay=decay)
        if method == "sgd"
        else torch.optim.AdamW(trained, rate, weight_decay=decay)
    )
    orders, step = seed.torch("batches"), 0
    _mask(module, masks)
    while step < steps:
        order = torch.randperm(len(inputs), generator=orders) if batch_size < len(inputs) else torch.arange(len(inputs))
        for batch in order.split(batch_size):
            if step == steps:
                break
            optimiser.param_groups[0]["lr"] = rate * schedule(step / steps)
            optimiser.zero_grad()
            loss(module(inputs[batch]), targets[batch]).backward()
            optimiser.step()
            _mask(module, masks)
            step += 1
            if after(step, module):
                return module
    return module


def cosine(progress: float) -> float:
    """Return the factor of a cosine schedule."""
    return 0.5 * (1 + math.cos(math.pi * progress))


def _mask(module: nn.Module, masks: dict[str, torch.Tensor] | None) -> None:
    for name, mask in (masks or {}).items():
        module.get_parameter(name).data.mul_(mask)
