"""Dropout by a seed's own draws, and what would draw from a global generator instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from harness.errors import UsageError
from harness.training.architecture import bare, children
from harness.training.noise import SeededNoise

if TYPE_CHECKING:
    from harness.training.draws import Draws, Streams


class SeededDropout(nn.Module):
    """`nn.Dropout`, by draws of its own instead of the global generator's."""

    def __init__(self, probability: float, draws: Draws) -> None:
        super().__init__()
        self.probability = probability
        self.draws = draws

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the inputs, in training masked and scaled."""
        return drop(inputs[None], self.probability, self.draws)[0] if self.training else inputs


def drop(inputs: Tensor, probability: float, draws: Draws) -> Tensor:
    """Return `inputs`, (n_seeds, ...), each seed masked by its own draws and scaled to keep the expectation."""
    if probability == 0.0:
        return inputs
    mask = draws.coins(inputs, 1.0 - probability)
    # Where all is dropped there is no expectation to keep, and no scale.
    return inputs * (mask.div_(1.0 - probability) if probability < 1.0 else mask)


def seed_layers(module: nn.Module, streams: Streams, path: str = "") -> None:
    """Let every layer of `module` that draws have draws of its own, by its name."""
    for name, child in children(module):
        if type(child) in (nn.Dropout, SeededNoise):
            setattr(module, name, _seeded(child, streams.of(path + name)))
        else:
            seed_layers(child, streams, f"{path}{name}.")


def _seeded(layer: nn.Module, draws: Draws) -> nn.Module:
    if isinstance(layer, SeededNoise):
        return SeededNoise(layer.shift, layer.factor, layer.jitter, draws)
    return SeededDropout(cast("nn.Dropout", layer).p, draws)


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
