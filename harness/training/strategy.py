"""How an ensemble is trained fastest: a rule of layer kinds, sizes and device, never a stopwatch at run time."""

from __future__ import annotations

from typing import Literal, get_args

from torch import Tensor, nn
from torch.func import vmap

from harness.errors import UsageError
from harness.training.architecture import call, state_of
from harness.training.layers import CONVOLUTIONS, stackable
from harness.training.noise import SeededNoise

Strategy = Literal["stacked", "vmap", "loop"]

STACKED_AT_MOST = 500_000

_NEVER_MAPPED = (nn.Dropout, SeededNoise, nn.RNNBase, nn.Embedding, nn.EmbeddingBag)
"""Layers that vmap would give every seed the same draws, that it cannot batch, or that it would let look up a word which
they do not have at the neighbouring seed's."""


def choose_strategy(module: nn.Module, example: Tensor, batch_size: int, device: str = "cpu") -> Strategy:
    """Return how networks like `module` are trained fastest; the number of seeds plays no part.

    "stacked" trains all seeds by one batched operation per layer; it serves an `nn.Sequential` of the layers that
    `harness.training.layers` knows, by exact type, without hooks and without weights used twice. "vmap" has torch.func do the same for other networks. "loop" trains one seed after the
    other. The first two save the cost of starting each operation, a third of a millisecond per step and seed on a CPU,
    and lose there once what a step of one seed touches no longer stays in the processor's cache: the parameters plus
    four numbers per hidden unit and example, counted against 500,000 (2 MB). docs/performance.md has the figures. On a
    CPU convolutions go one after the other too: grouped by seed they leave the fast kernels. On a GPU launching an
    operation costs more than most of ours compute, so there all is stacked that can be.

    Args:
        module: the architecture, on the meta device.
        example: one batch of one seed on the meta device.
        batch_size: examples per step.
        device: where it will be trained.
    """
    if device == "cpu" and (convolves(module) or working_set(module, batch_size) > STACKED_AT_MOST):
        return "loop"
    if stackable(module):
        return "stacked"
    return "vmap" if _mappable(module, example) else "loop"


def require_possible(strategy: Strategy, module: nn.Module) -> None:
    """Refuse a strategy that somebody asks for and that would train another network than `module`.

    Raises:
        UsageError: an unknown strategy, or one that does not serve the network.
    """
    if strategy not in get_args(Strategy):
        raise UsageError(f"train: strategy: {strategy!r}: take one of {get_args(Strategy)}, or leave it out")
    looking_up = any(isinstance(part, (nn.Embedding, nn.EmbeddingBag)) for part in module.modules())
    if (strategy == "stacked" and not stackable(module)) or (strategy == "vmap" and looking_up):
        raise UsageError(f"train: strategy: {strategy!r} does not serve this network; leave it out")


def working_set(module: nn.Module, batch_size: int) -> int:
    """Return how many numbers a step of one seed touches: its parameters, and four per hidden unit and example."""
    units = sum(layer.out_features for layer in module.modules() if isinstance(layer, nn.Linear))
    return sum(p.numel() for p in module.parameters()) + 4 * batch_size * units


def convolves(module: nn.Module) -> bool:
    """Whether a network has a convolution."""
    return any(isinstance(part, CONVOLUTIONS) for part in module.modules())


def _mappable(module: nn.Module, example: Tensor) -> bool:
    """Whether vmap can run the network: tried on tensors without numbers, so that the answer is the same everywhere."""
    if any(isinstance(part, _NEVER_MAPPED) for part in module.modules()):
        return False
    state = {name: values.detach()[None] for name, values in state_of(module).items()}
    try:
        vmap(lambda own, inputs: call(module, own, inputs))(state, example[None])
    except (RuntimeError, TypeError, ValueError):
        return False
    return True
