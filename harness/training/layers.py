"""Layers for all seeds at once: what a layer does to one network's batch, done to every network's in one operation.

Activations are (n_seeds, batch, *shape). A layer of torch and the stack of its weights, (n_seeds, *shape) each, become
a function of activations; no operation mixes seeds, so that a seed's values do not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.training.architecture import bare, is_sequence, leaf_layers, tied
from harness.training.dropout import drop
from harness.training.noise import SeededNoise

if TYPE_CHECKING:
    from harness.training.draws import Draws, Streams

Weights = Mapping[str, Tensor]
Forward = Callable[[Tensor, bool], Tensor]
"""From activations and whether this is training to activations."""

ELEMENTWISE = (nn.Identity, nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Tanh, nn.Softplus)
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
BATCH_NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
POOLS = (
    nn.MaxPool1d, nn.MaxPool2d, nn.AvgPool1d, nn.AvgPool2d,
    nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d,
)  # fmt: skip
DRAWING = (nn.Dropout, SeededNoise)
CONVOLVE = {nn.Conv1d: functional.conv1d, nn.Conv2d: functional.conv2d, nn.Conv3d: functional.conv3d}


class LastStep(nn.Module):
    """The last output of a recurrent layer, (batch, hidden) for inputs (batch, steps, features).

    torch's recurrent layers return a pair, which an `nn.Sequential` cannot pass on.
    """

    def __init__(self, recurrent: nn.RNNBase) -> None:
        super().__init__()
        self.recurrent = recurrent

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the output at the last step."""
        outputs: Tensor = self.recurrent(inputs)[0]
        return outputs[:, -1]


def stackable(module: nn.Module) -> bool:
    """Whether `stack` does to every seed what the module does to one: a sequence of known layers, no weight used twice."""
    return is_sequence(module) and not tied(module) and all(known(layer) for _, layer in leaf_layers(module))


def known(layer: nn.Module) -> bool:
    """Whether `stack` has an equivalent of this layer: of an exact type, since a subclass or a hook may do anything."""
    kind = type(layer)
    if kind not in KNOWN or not bare(layer):
        return False
    if isinstance(layer, nn.Flatten):
        return (layer.start_dim, layer.end_dim) == (1, -1)
    if isinstance(layer, BATCH_NORMALISATIONS):
        return layer.track_running_stats and layer.momentum is not None
    if isinstance(layer, CONVOLUTIONS):
        return layer.padding_mode == "zeros"
    if isinstance(layer, nn.Embedding):
        return layer.padding_idx is None and layer.max_norm is None and not layer.scale_grad_by_freq
    if isinstance(layer, LastStep):
        return type(layer.recurrent) in STEPS and bare(layer.recurrent) and _ordinary(layer.recurrent)
    return not getattr(layer, "return_indices", False)


def _ordinary(recurrent: nn.RNNBase) -> bool:
    return recurrent.batch_first and not any((recurrent.bidirectional, recurrent.dropout, recurrent.proj_size))


def products(module: nn.Module) -> set[str]:
    """Return the names of the weights that activations are multiplied by, (out, in) in torch's layers."""
    multiplying = {path: part for path, part in module.named_modules() if isinstance(part, (nn.Linear, nn.RNNBase))}
    return {
        f"{path}.{name}" for path, part in multiplying.items() for name, own in part.named_parameters() if own.ndim == 2
    }


def rounds_first(module: nn.Module) -> bool:
    """Whether autocast rounds the inputs before anything else is done to them; then that may as well be done once."""
    acting = [layer for _, layer in leaf_layers(module) if not (type(layer) is nn.Flatten and bare(layer))]
    return bool(acting) and type(acting[0]) in (nn.Linear, *CONVOLUTIONS) and bare(acting[0])


def stack(module: nn.Module, weights: Weights, streams: Streams) -> Forward:
    """Return the function of a Sequential of known layers for all seeds at once.

    Args:
        module: the architecture, `stackable`.
        weights: parameters and buffers by name, (n_seeds, *shape), but those of `products` (n_seeds, in, out); running
            statistics are updated in place.
        streams: what layers draw that do, by their names.
    """
    layers = []
    for path, layer in leaf_layers(module):
        own = {name.removeprefix(path): values for name, values in weights.items() if name.startswith(path)}
        layers.append(_drawing(layer, streams.of(path[:-1])) if isinstance(layer, DRAWING) else _stacked(layer, own))

    def forward(inputs: Tensor, training: bool) -> Tensor:
        for layer in layers:
            inputs = layer(inputs, training)
        return inputs

    return forward


def _drawing(layer: nn.Dropout | SeededNoise, draws: Draws) -> Forward:
    if isinstance(layer, SeededNoise):
        return lambda inputs, training: layer.of_all(inputs, draws) if training else inputs
    return lambda inputs, training: drop(inputs, layer.p, draws) if training else inputs


def _stacked(layer: nn.Module, weights: Weights) -> Forward:
    if isinstance(layer, nn.Linear):
        return _linear(weights)
    if isinstance(layer, nn.Flatten):
        return lambda inputs, _: inputs.flatten(2)
    if isinstance(layer, CONVOLUTIONS):
        return _convolution(layer, weights)
    if isinstance(layer, BATCH_NORMALISATIONS):
        return _batch_normalisation(layer, weights)
    if isinstance(layer, (nn.LayerNorm, nn.GroupNorm)):
        return _normalisation(layer, weights)
    if isinstance(layer, nn.Embedding):
        return _embedding(weights["weight"])
    if isinstance(layer, LastStep):
        return _last_step(layer.recurrent, weights)
    if isinstance(layer, POOLS):
        return lambda inputs, _: unfold(cast("Tensor", layer(fold(inputs))), len(inputs))
    return lambda inputs, _: layer(inputs)


def fold(inputs: Tensor) -> Tensor:
    """Return (n_seeds, batch, channels, ...) as (batch, n_seeds * channels, ...): seeds become groups of channels."""
    return inputs.transpose(0, 1).flatten(1, 2)


def unfold(folded: Tensor, number: int) -> Tensor:
    """Undo `fold` for `number` seeds."""
    return torch.unflatten(folded, 1, (number, -1)).transpose(0, 1)


def _linear(weights: Weights) -> Forward:
    # Views are taken anew at each step: autograd would rebuild those of a weight that was updated in place.
    weight, bias = weights["weight"], weights.get("bias")
    if bias is None:
        return lambda inputs, _: _per_row(inputs, lambda rows: torch.bmm(rows, weight))
    return lambda inputs, _: _per_row(inputs, lambda rows: torch.baddbmm(bias[:, None], rows, weight))


def _per_row(inputs: Tensor, product: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply a batched product to the last dimension, whatever stands between it and the batch."""
    if inputs.ndim == 3:
        return product(inputs)
    return torch.unflatten(product(inputs.flatten(1, -2)), 1, inputs.shape[1:-1])


def _convolution(layer: nn.Module, weights: Weights) -> Forward:
    assert isinstance(layer, CONVOLUTIONS)
    convolve: Callable[..., Tensor] = CONVOLVE[type(layer)]
    number = len(weights["weight"])
    places = (layer.stride, layer.padding, layer.dilation, number * layer.groups)

    def forward(inputs: Tensor, _: bool) -> Tensor:
        weight, bias = weights["weight"].flatten(0, 1), weights["bias"].flatten() if "bias" in weights else None
        return unfold(convolve(fold(inputs), weight, bias, *places), number)

    return forward


def _batch_normalisation(layer: nn.Module, weights: Weights) -> Forward:
    assert isinstance(layer, BATCH_NORMALISATIONS)
    mean, variance, steps = weights["running_mean"], weights["running_var"], weights["num_batches_tracked"]
    momentum, epsilon = cast("float", layer.momentum), layer.eps

    def forward(inputs: Tensor, training: bool) -> Tensor:
        if training:
            steps.add_(1)
        statistics = mean.view(-1), variance.view(-1)
        folded = functional.batch_norm(fold(inputs), *statistics, *_affine_of(weights), training, momentum, epsilon)
        return unfold(folded, len(inputs))

    return forward


def _affine_of(weights: Weights) -> tuple[Tensor | None, Tensor | None]:
    """Return scale and shift of all seeds in a row, as folded channels have them."""
    scale, shift = weights.get("weight"), weights.get("bias")
    return None if scale is None else scale.flatten(), None if shift is None else shift.flatten()


def _normalisation(layer: nn.LayerNorm | nn.GroupNorm, weights: Weights) -> Forward:
    if isinstance(layer, nn.GroupNorm):
        groups, epsilon = layer.num_groups, layer.eps
        return lambda inputs, _: unfold(
            functional.group_norm(fold(inputs), len(inputs) * groups, *_affine_of(weights), epsilon), len(inputs)
        )

    def forward(inputs: Tensor, _: bool) -> Tensor:
        outputs = functional.layer_norm(inputs, layer.normalized_shape, eps=layer.eps)
        between = (1,) * (inputs.ndim - 1 - len(layer.normalized_shape))
        scale, shift = (
            weights[name].reshape(len(inputs), *between, *layer.normalized_shape) if name in weights else None
            for name in ("weight", "bias")
        )
        outputs = outputs if scale is None else outputs * scale
        return outputs if shift is None else outputs + shift

    return forward


def _embedding(weight: Tensor) -> Forward:
    number, words = weight.shape[:2]
    offsets = torch.arange(number, device=weight.device) * words

    def forward(inputs: Tensor, _: bool) -> Tensor:
        return functional.embedding(inputs + offsets.view(-1, *(1,) * (inputs.ndim - 1)), weight.flatten(0, 1))

    return forward


def _last_step(recurrent: nn.RNNBase, weights: Weights) -> Forward:
    step = STEPS[type(recurrent)]
    tanh = getattr(recurrent, "nonlinearity", "tanh") == "tanh"
    activation = torch.tanh if tanh else torch.relu

    def parts(level: int) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        names = [f"recurrent.{name}_l{level}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        biases = [weights[name][:, None] if name in weights else None for name in names[2:]]
        return weights[names[0]], weights[names[1]], biases[0], biases[1]

    def forward(inputs: Tensor, _: bool) -> Tensor:
        for level in range(recurrent.num_layers):
            into, within, bias, inner_bias = parts(level)
            driven = torch.unflatten(_affine(inputs.flatten(1, 2), into, bias), 1, inputs.shape[1:3])
            states = (driven.new_zeros(*driven.shape[:2], recurrent.hidden_size),) * 2
            outputs = []
            for now in driven.unbind(2):
                states = step(now, _affine(states[0], within, inner_bias), states, activation)
                outputs.append(states[0])
            inputs = torch.stack(outputs, 2) if level + 1 < recurrent.num_layers else outputs[-1]
        return inputs

    return forward


def _affine(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return torch.bmm(inputs, weight) if bias is None else torch.baddbmm(bias, inputs, weight)


States = tuple[Tensor, Tensor]
Activation = Callable[[Tensor], Tensor]


def _simple_step(driven: Tensor, recalled: Tensor, _: States, activation: Activation) -> States:
    hidden = activation(driven + recalled)
    return hidden, hidden


def _lstm_step(driven: Tensor, recalled: Tensor, states: States, _: Activation) -> States:
    """Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000; gates in torch's order i, f, g, o."""
    enter, forget, candidate, leave = (driven + recalled).chunk(4, -1)
    cell = forget.sigmoid() * states[1] + enter.sigmoid() * candidate.tanh()
    return leave.sigmoid() * cell.tanh(), cell


def _gru_step(driven: Tensor, recalled: Tensor, states: States, _: Activation) -> States:
    """Cho et al. 2014; gates in torch's order r, z, n, the reset gate on the recalled term with its bias."""
    reset, update, candidate = driven.chunk(3, -1)
    reset_recalled, update_recalled, candidate_recalled = recalled.chunk(3, -1)
    keep = (update + update_recalled).sigmoid()
    fresh = (candidate + (reset + reset_recalled).sigmoid() * candidate_recalled).tanh()
    hidden = fresh + keep * (states[0] - fresh)
    return hidden, hidden


STEPS: dict[type[nn.RNNBase], Callable[[Tensor, Tensor, States, Activation], States]] = {
    nn.RNN: _simple_step,
    nn.LSTM: _lstm_step,
    nn.GRU: _gru_step,
}

KNOWN = (
    nn.Linear, nn.Flatten, nn.LayerNorm, nn.GroupNorm, nn.Embedding, LastStep,
    *DRAWING, *CONVOLUTIONS, *BATCH_NORMALISATIONS, *POOLS, *ELEMENTWISE,
)  # fmt: skip
"""The types of layers that `stack` may have an equivalent of."""
