"""Initial weights: one draw per seed, the same on every device, in every precision and beside any neighbours."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, cast, get_args

import torch
from torch import Tensor, nn

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.seeds import Seed, Seeds

Initialiser = Literal["uniform", "he", "xavier", "xavier_sigmoid"]

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.LayerNorm, nn.GroupNorm)
_KNOWN = (nn.Linear, nn.Embedding, nn.RNNBase, *_CONVOLUTIONS, *_NORMALISATIONS)


def initial_weights(
    module: nn.Module,
    seeds: Seeds,
    initialiser: Initialiser,
    start: Mapping[str, Tensor] | None = None,
    *,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> dict[str, Tensor]:
    """Return initial parameters and buffers by name, (n_seeds, *shape) each, drawn from each seed's role "weights".

    They are drawn in float32 on the CPU and then converted, so that precision and device do not change the draw.

    Args:
        module: the architecture.
        seeds: one per network.
        initialiser: the rule for linear and convolutional layers; `train` names them. Recurrent layers are uniform on
            +-1/sqrt(hidden units) and embeddings standard normal, as torch has them, whatever the rule.
        start: values by name in place of the draws.
        device: where the result goes.
        dtype: of the floating-point values.

    Raises:
        UsageError: an unknown rule or name, a shape that does not fit, a part of unknown kind without a start value.
    """
    _require(initialiser in get_args(Initialiser), f"initialiser: {initialiser!r}: one of {get_args(Initialiser)}")
    given = dict(start or {})
    _require(
        set(given) <= set(module.state_dict()), f"start: unknown names; the network has {list(module.state_dict())}"
    )
    drawn = [_draw(module, seed, initialiser, set(given)) for seed in seeds]
    weights = {}
    for name, like in module.state_dict().items():
        values = given[name] if name in given else torch.stack([own[name] for own in drawn])
        _require(values.shape == (len(seeds), *like.shape), f"start: {name}: shape {tuple(values.shape)} does not fit")
        kind = dtype if like.is_floating_point() else like.dtype
        weights[name] = values.detach().to(device=device, dtype=kind, copy=True)
    return weights


def _draw(module: nn.Module, seed: Seed, initialiser: Initialiser, given: set[str]) -> dict[str, Tensor]:
    """Return one seed's values by name; a part with start values is drawn too, so that the others' draws stay the same."""
    generator = seed.torch("weights")
    values: dict[str, Tensor] = {}
    for path, part in module.named_modules():
        for name, like in [*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)]:
            full = f"{path}.{name}" if path else name
            if isinstance(part, _KNOWN):
                values[full] = _draw_one(part, name, like, generator, initialiser)
            elif full not in given:
                kind = type(part).__name__
                raise UsageError(f"train: {full}: no rule to initialise this part of a {kind}; give it by `start`")
    return values


def _draw_one(part: nn.Module, name: str, like: Tensor, generator: torch.Generator, initialiser: Initialiser) -> Tensor:
    fresh = torch.zeros(like.shape, dtype=torch.float32 if like.is_floating_point() else like.dtype)
    if isinstance(part, _NORMALISATIONS):
        return fresh.fill_(1.0) if name in ("weight", "running_var") else fresh
    if isinstance(part, nn.Embedding):
        return fresh.normal_(generator=generator)
    if isinstance(part, nn.RNNBase):
        return fresh.uniform_(-1.0, 1.0, generator=generator).div_(math.sqrt(part.hidden_size))
    weight = cast("Tensor", part.weight)
    fan_in, fan_out = weight[0].numel(), weight[:, 0].numel()
    if initialiser == "uniform":
        return fresh.uniform_(-1.0, 1.0, generator=generator).div_(math.sqrt(fan_in))
    if name == "bias":
        return fresh
    if initialiser == "he":
        return fresh.normal_(generator=generator).mul_(math.sqrt(2.0 / fan_in))
    reach = math.sqrt(6.0 / (fan_in + fan_out)) * (4.0 if initialiser == "xavier_sigmoid" else 1.0)
    return fresh.uniform_(-reach, reach, generator=generator)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise UsageError(f"train: {message}")
