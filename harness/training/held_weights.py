"""Weights that training does not move: whole parameters, some of their entries, and those that a mask holds at zero."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import torch
from torch import Tensor, nn

from harness.errors import UsageError

Held = tuple[Tensor, Tensor]
"""Which entries of a parameter do not move, and where they stay, (n_seeds, *shape) each."""


def held_weights(
    masks: Mapping[str, Tensor],
    frozen: Collection[str] | Mapping[str, Tensor],
    first: dict[str, Tensor],
    module: nn.Module,
) -> tuple[dict[str, Held], frozenset[str]]:
    """Return the entries that stay as they are, by parameter, and the names of the parameters that stay as a whole.

    Args:
        masks: zeros and ones by name, (n_seeds, *shape), which are applied to `first`: what is zero stays so.
        frozen: names of parameters, or by name truth values, (n_seeds, *shape), of the entries that keep their first values.
        first: the initial weights by name, (n_seeds, *shape).
        module: the architecture.

    Raises:
        UsageError: an unknown name, a shape that does not fit, values besides zero and one, or nothing left to train.
    """
    held: dict[str, Held] = {}
    for name, own in masks.items():
        mask = _marked("masks", name, own, first, module)
        first[name].mul_(mask)
        held[name] = ~mask, first[name]
    entries = frozen if isinstance(frozen, Mapping) else {}
    for name, own in entries.items():
        stays = _marked("frozen", name, own, first, module)
        held[name] = (stays | held[name][0] if name in held else stays), first[name]
    names = {name for name in frozen if name not in entries or bool(held[name][0].all())}
    _require_trainable(module, names)
    moving = {name: (where, values.clone()) for name, (where, values) in held.items() if name not in names}
    return moving, frozenset(names)


def _marked(given: str, name: str, values: Tensor, first: dict[str, Tensor], module: nn.Module) -> Tensor:
    """Return which entries of a parameter are marked by ones, as truth values where the parameter is."""
    parameters = [known for known, _ in module.named_parameters()]
    _require(name in parameters, f"{given}: {name!r}: the network has {parameters}")
    own = torch.as_tensor(values).to(first[name].device)
    _require(own.shape == first[name].shape, f"{given}: {name}: shape {tuple(own.shape)} does not fit")
    _require(bool(((own == 0) | (own == 1)).all()), f"{given}: {name}: has values besides zero and one")
    return own == 1


def _require_trainable(module: nn.Module, frozen: Collection[str]) -> None:
    parameters = [name for name, _ in module.named_parameters()]
    _require(set(frozen) <= set(parameters), f"frozen: {sorted(frozen)}: the network has {parameters}")
    trained = [name for name, own in module.named_parameters() if own.requires_grad and name not in frozen]
    _require(bool(trained), "frozen: nothing is left to train")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise UsageError(f"train: {message}")
