"""Dropout by a seed's own generator, and what would draw from a global one instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from harness.errors import UsageError
from harness.training.architecture import bare, children

if TYPE_CHECKING:
    from collections.abc import Sequence


class SeededDropout(nn.Module):
    """`nn.Dropout`, drawing from a generator of its own instead of the global one."""

    def __init__(self, probability: float, generator: torch.Generator) -> None:
        super().__init__()
        self.probability = probability
        self.generator = generator

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the inputs, in training masked and scaled."""
        return drop(inputs[None], self.probability, [self.generator])[0] if self.training else inputs


def drop(inputs: Tensor, probability: float, generators: Sequence[torch.Generator]) -> Tensor:
    """Return `inputs`, (n_seeds, ...), each seed masked by its own generator and scaled to keep the expectation."""
    mask = torch.empty_like(inputs, memory_format=torch.contiguous_format)
    for own, generator in zip(mask, generators, strict=True):
        own.bernoulli_(1.0 - probability, generator=generator)
    # Where all is dropped there is no expectation to keep, and no scale.
    return inputs * (mask.div_(1.0 - probability) if probability < 1.0 else mask)


def seed_dropout(module: nn.Module, generator: torch.Generator) -> None:
    """Let every dropout layer of `module` draw from `generator`."""
    for name, child in children(module):
        if type(child) is nn.Dropout:
            setattr(module, name, SeededDropout(child.p, generator))
        else:
            seed_dropout(child, generator)


def require_seeded(module: nn.Module) -> None:
    """Refuse a network with a part that draws from a global generator in training, whatever the device.

    Raises:
        UsageError: there is one; `rehearse` finds those that draw without being a part of such a kind.
    """
    for path, part in module.named_modules(remove_duplicate=False):
        if _draws(part):
            raise UsageError(
                f"train: {path or 'the network'}: {type(part).__name__} draws from torch's global generator, which no "
                "seed governs: use nn.Dropout, or a module of your own without randomness"
            )


def _draws(part: nn.Module) -> bool:
    if isinstance(part, _DropoutNd):
        return part.p > 0 and not (type(part) is nn.Dropout and bare(part))
    if isinstance(part, nn.RNNBase):
        return part.dropout > 0 and part.num_layers > 1
    if isinstance(part, nn.MultiheadAttention):
        return bool(part.dropout > 0)
    if isinstance(part, nn.RReLU):
        return part.lower < part.upper
    return isinstance(part, (nn.FractionalMaxPool2d, nn.FractionalMaxPool3d))
