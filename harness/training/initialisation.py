"""Initial weights: one draw per seed, the same on every device, in every precision and beside any neighbours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast, get_args

import torch
from torch import Tensor, nn

from harness.errors import UsageError
from harness.training.architecture import state_of
from harness.training.local_connections import LocallyConnected2d

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.seeds import Seed, Seeds

Initialiser = Literal["uniform", "he", "xavier", "xavier_sigmoid", "orthogonal", "saturated"]

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.LayerNorm, nn.GroupNorm)
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
_PRODUCTS = (nn.Linear, LocallyConnected2d, *_CONVOLUTIONS)
_KNOWN = (*_PRODUCTS, nn.Embedding, nn.RNNBase, *_NORMALISATIONS)

FLAT_SIDE = -10.0
"""The biases of "saturated": a rectifier is off there, and tanh has the slope zero in float32."""


@dataclass(frozen=True)
class Gaussian:
    """Normal weights of variance `weight_variance` / fan in and normal biases of variance `bias_variance`.

    These are the two numbers that decide how signals spread through a deep network (Poole et al. 2016, sec. 2; Schoenholz
    et al. 2017, eq. 1). The draws are the same for all variances: networks of one seed differ by scale alone.

    Raises:
        UsageError: a variance that is no number from zero up.
    """

    weight_variance: float
    bias_variance: float

    def __post_init__(self) -> None:
        for name in ("weight_variance", "bias_variance"):
            given = getattr(self, name)
            _require(_is_number(given) and given >= 0, f"initialiser: {name}: {given!r}: give a number from zero up")


def as_factors(given: object) -> tuple[float, ...]:
    """Return what settings say of `layer_factors`.

    Raises:
        UsageError: it is no list of numbers.
    """
    listed = isinstance(given, Sequence) and all(_is_number(own) for own in given)
    _require(listed, f"layer_factors: {given!r}: give a list of numbers, one per linear or convolutional layer")
    return tuple(cast("Sequence[float]", given))


def _is_number(given: object) -> bool:
    return isinstance(given, (int, float)) and math.isfinite(given)


def initial_weights(
    module: nn.Module,
    seeds: Seeds,
    initialiser: Initialiser | Gaussian,
    start: Mapping[str, Tensor] | None = None,
    factors: Sequence[float] = (),
    *,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> dict[str, Tensor]:
    """Return initial parameters and buffers by (first) name, (n_seeds, *shape) each, drawn from each seed's role "weights".

    They are drawn in float32 on the CPU and then converted, so that precision and device do not change the draw.

    Args:
        module: the architecture.
        seeds: one per network.
        initialiser: the rule for linear and convolutional layers; `Recipe` names them. Recurrent layers are uniform on
            +-1/sqrt(hidden units) and embeddings standard normal, a padding word's zero, as torch has them, whatever the
            rule; but "orthogonal" makes what hidden states are multiplied by orthogonal, gate by gate. Tied weights are
            drawn once, as the first of their parts has it.
        start: values by name in place of the draws.
        factors: what the weights, not the biases, of each linear or convolutional layer are multiplied by, in their
            order; none leaves them all as they are drawn.
        device: where the result goes.
        dtype: of the floating-point values.

    Raises:
        UsageError: an unknown rule or name, a shape or a number of factors that does not fit, a part of unknown kind without
            a start value.
    """
    named = isinstance(initialiser, Gaussian) or initialiser in get_args(Initialiser)
    _require(named, f"initialiser: {initialiser!r}: one of {get_args(Initialiser)} or gaussian with its two variances")
    layers = [part for part in module.modules() if isinstance(part, _PRODUCTS)]
    _require(len(factors) in (0, len(layers)), f"layer_factors: {len(factors)} for {len(layers)} layers: one for each")
    scales: dict[nn.Module, float] = dict(zip(layers, factors, strict=False))
    given = dict(start or {})
    state = state_of(module)
    _require(set(given) <= set(state), f"start: unknown names; the network has {list(state)}")
    drawn = {name: _zeros(like, len(seeds)) for name, like in state.items()}
    for number, seed in enumerate(seeds):
        _draw(module, seed, initialiser, scales, set(given), {name: values[number] for name, values in drawn.items()})
    for name, values in given.items():
        shape = (len(seeds), *state[name].shape)
        own = torch.as_tensor(values).detach()
        _require(own.shape == shape, f"start: {name}: shape {tuple(own.shape)} does not fit")
        drawn[name] = own.clone()
    return {
        name: values.to(device, dtype if values.is_floating_point() else values.dtype) for name, values in drawn.items()
    }


def _zeros(like: Tensor, number: int) -> Tensor:
    return torch.zeros((number, *like.shape), dtype=torch.float32 if like.is_floating_point() else like.dtype)


def _draw(
    module: nn.Module,
    seed: Seed,
    initialiser: Initialiser | Gaussian,
    scales: Mapping[nn.Module, float],
    given: set[str],
    values: dict[str, Tensor],
) -> None:
    """Draw one seed's values, zero so far; a part with start values is drawn too, so that the others' draws stay the same."""
    generator = seed.torch("weights")
    for path, part in module.named_modules():
        for name, _ in [*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)]:
            full = f"{path}.{name}" if path else name
            if full not in values:  # drawn already, under another name
                continue
            if _has_rule(part, name):
                _draw_one(part, name, values[full], generator, initialiser)
                if name == "weight" and part in scales:
                    values[full].mul_(scales[part])
            elif full not in given:
                kind = type(part).__name__
                raise UsageError(f"train: {full}: no rule to initialise this part of a {kind}; give it by `start`")


def _has_rule(part: nn.Module, name: str) -> bool:
    """Whether a parameter or buffer is one that layers of its kind have: a subclass or a hook may bring others."""
    if isinstance(part, nn.RNNBase):
        return name in part._flat_weights_names
    names = ("weight", "bias", *(_STATISTICS if isinstance(part, _NORMALISATIONS) else ()))
    return isinstance(part, _KNOWN) and name in names


def _draw_one(
    part: nn.Module, name: str, fresh: Tensor, generator: torch.Generator, initialiser: Initialiser | Gaussian
) -> None:
    """Draw one parameter or buffer in place."""
    if isinstance(part, _NORMALISATIONS):
        fresh.fill_(1.0 if name in ("weight", "running_var") else 0.0)
    elif isinstance(part, nn.Embedding):
        fresh.normal_(generator=generator)
        if part.padding_idx is not None:
            fresh[part.padding_idx] = 0.0
    elif isinstance(part, nn.RNNBase):
        if initialiser == "orthogonal" and name.startswith("weight_hh"):
            _draw_orthogonal(torch.unflatten(fresh, 0, (-1, part.hidden_size)), generator)
        else:
            fresh.uniform_(-1.0, 1.0, generator=generator).div_(math.sqrt(part.hidden_size))
    elif isinstance(part, LocallyConnected2d):
        _draw_product(part.weight[0, 0], name, fresh, generator, initialiser)
    else:
        _draw_product(cast("Tensor", part.weight), name, fresh, generator, initialiser)


def _draw_product(
    weight: Tensor, name: str, fresh: Tensor, generator: torch.Generator, initialiser: Initialiser | Gaussian
) -> None:
    """Draw a weight, or a bias, of a linear or convolutional layer with the weight's shape, at one of its places."""
    fan_in, fan_out = weight[0].numel(), weight[:, 0].numel()
    if isinstance(initialiser, Gaussian):
        variance = initialiser.bias_variance if name == "bias" else initialiser.weight_variance / fan_in
        fresh.normal_(generator=generator).mul_(math.sqrt(variance))
    elif initialiser == "saturated" and name == "bias":
        fresh.fill_(FLAT_SIDE)
    elif initialiser in ("uniform", "saturated"):
        fresh.uniform_(-1.0, 1.0, generator=generator).div_(math.sqrt(fan_in))
    elif name == "bias":
        return
    elif initialiser == "he":
        fresh.normal_(generator=generator).mul_(math.sqrt(2.0 / fan_in))
    elif initialiser == "orthogonal":
        _draw_orthogonal(fresh.reshape(-1, len(weight), fan_in), generator)
    else:
        reach = math.sqrt(6.0 / (fan_in + fan_out)) * (4.0 if initialiser == "xavier_sigmoid" else 1.0)
        fresh.uniform_(-reach, reach, generator=generator)


def _draw_orthogonal(matrices: Iterable[Tensor], generator: torch.Generator) -> None:
    """Draw each matrix uniformly among those with orthonormal rows, or columns if it has fewer (Saxe et al. 2014)."""
    for own in matrices:
        nn.init.orthogonal_(own, generator=generator)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise UsageError(f"train: {message}")
