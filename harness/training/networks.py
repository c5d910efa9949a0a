"""The networks of some seeds in training, by the strategies that `harness.training.strategy` chooses among."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Protocol, cast

import torch
from torch import Tensor, nn
from torch.func import vmap

from harness.training.architecture import assign, bare, call, children, sequences, state_of
from harness.training.dropout import seed_layers
from harness.training.layers import products, stack
from harness.training.strategy import convolves

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness.training.draws import Streams

Weights = dict[str, Tensor]

MAX_POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d)


class Network(Protocol):
    """The networks of some seeds in training.

    Attributes:
        trained: parameters by name, leaves of autograd, each with or without a first dimension for the seeds.
        streams: what layers draw that do so in training.
    """

    trained: Weights
    streams: Streams

    def forward(self, inputs: Tensor, training: bool) -> Tensor:
        """Return the outputs (n_seeds, batch, *out) for inputs (n_seeds, batch, *shape)."""
        ...

    def weights(self) -> Weights:
        """Return parameters and buffers as they are, (n_seeds, *shape)."""
        ...


class Stacked:
    """Networks whose weights are stacked, each layer one operation for all seeds.

    Weights that activations are multiplied by are kept as (n_seeds, in, out) meanwhile: the batched product yields their
    gradient so, and to copy it into another layout at each step would take longer than the product.
    """

    def __init__(self, module: nn.Module, first: Weights, frozen: Collection[str], streams: Streams) -> None:
        self._products, self.streams = products(module), streams
        laid_out = {name: own.mT.contiguous() if name in self._products else own for name, own in first.items()}
        self.trained = _leaf_tensors(module, laid_out, frozen)
        self._forward = stack(module, laid_out, streams)
        # Detached: what autograd keeps of a view belongs to the queue it was taken in, and a recording has its own.
        self._state = {n: own.detach().mT if n in self._products else own for n, own in laid_out.items()}

    def forward(self, inputs: Tensor, training: bool) -> Tensor:
        """Return the outputs, (n_seeds, batch, *out)."""
        return self._forward(inputs, training)

    def weights(self) -> Weights:
        """Return parameters and buffers, (n_seeds, *shape)."""
        return self._state


class VmappedNetworks:
    """Networks whose weights are stacked, the architecture mapped over them by torch.func; without dropout."""

    def __init__(self, module: nn.Module, first: Weights, frozen: Collection[str], streams: Streams) -> None:
        self.trained, self.streams = _leaf_tensors(module, first, frozen), streams
        self._state = first
        self._module = module
        self._forward = vmap(lambda own, inputs: call(module, own, inputs))

    def forward(self, inputs: Tensor, training: bool) -> Tensor:
        """Return the outputs, (n_seeds, batch, *out)."""
        self._module.train(training)
        return self._forward(self._state, inputs)

    def weights(self) -> Weights:
        """Return parameters and buffers, (n_seeds, *shape)."""
        return self._state


class SingleNetwork:
    """One seed's network, an ordinary module."""

    def __init__(self, module: nn.Module, first: Weights, frozen: Collection[str], streams: Streams) -> None:
        assign(module, {name: values[0] for name, values in first.items()})
        if convolves(module):
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            pool_first(module)
        self.trained = _leaf_tensors(module, dict(module.named_parameters()), frozen)
        seed_layers(module.train(), streams)
        self._module, self.streams = module, streams

    def forward(self, inputs: Tensor, training: bool) -> Tensor:
        """Return the outputs, (1, batch, *out)."""
        if self._module.training != training:
            self._module.train(training)
        return cast("Tensor", self._module(inputs[0]))[None]

    def weights(self) -> Weights:
        """Return parameters and buffers, (1, *shape)."""
        return {name: values[None] for name, values in state_of(self._module).items()}


def pool_first(module: nn.Module) -> None:
    """Let maxima be taken before rectifiers wherever the one follows the other in a Sequential.

    The two commute, in values and in gradients (where all of a window is negative both orders give zero), and a
    rectifier has a quarter of the work after pooling by two. Neither has weights, so no name changes. A Sequential within
    a module of another kind is left alone: that module may use what stands between its layers.
    """
    for part in sequences(module):
        for (one, first), (other, second) in pairwise(children(part)):
            if type(first) is nn.ReLU and type(second) in MAX_POOLS and bare(first) and bare(second):
                part._modules[one], part._modules[other] = second, first


def _leaf_tensors(module: nn.Module, values: Weights, frozen: Collection[str]) -> Weights:
    """Return those of `values` that are trained, and have autograd follow them and no others."""
    parameters = {name for name, own in module.named_parameters() if own.requires_grad}
    for name, own in values.items():
        own.requires_grad_(name in parameters and name not in frozen)
    return {name: own for name, own in values.items() if own.requires_grad}
