"""The parts of a network and the names of its tensors, as torch's containers hold them: repeats and ties included."""

from __future__ import annotations

import copy
from itertools import chain
from typing import cast

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules import module as torch_modules
from torch.nn.modules.batchnorm import _BatchNorm

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def bare(part: nn.Module) -> bool:
    """Whether calling a part is calling the forward of its class and nothing else: neither hooks nor a forward of its own."""
    hooked = any(getattr(part, name) for name in _HOOKS) or torch_modules._has_any_global_hook()  # type: ignore[no-untyped-call]
    return not hooked and "forward" not in vars(part)


def is_sequence(module: nn.Module) -> bool:
    """Whether a module calls its layers one after the other: a Sequential, and not a subclass, which may do otherwise."""
    return type(module) is nn.Sequential and bare(module)


def leaf_layers(module: nn.Module, path: str = "") -> list[tuple[str, nn.Module]]:
    """Return the layers of a sequence, those of sequences within included, by the prefix of their weights' names.

    A layer that stands at several places comes several times.
    """
    if not is_sequence(module):
        return [(path, module)]
    # `named_children` would leave out repeats.
    return [leaf for name, child in children(module) for leaf in leaf_layers(child, f"{path}{name}.")]


def sequences(module: nn.Module) -> list[nn.Module]:
    """Return the sequence that a module is and those within it; none if it calls its layers in its own way."""
    if not is_sequence(module):
        return []
    return [module, *(inner for _, child in children(module) for inner in sequences(child))]


def children(module: nn.Module) -> list[tuple[str, nn.Module]]:
    """Return every child under each of its names."""
    return [(name, child) for name, child in module._modules.items() if child is not None]


def state_of(module: nn.Module) -> dict[str, Tensor]:
    """Return parameters and buffers by name; a tensor that has several names, of tied weights, stands under the first."""
    return dict(chain(module.named_parameters(), module.named_buffers()))


def tied(module: nn.Module) -> bool:
    """Whether a parameter or buffer has several names."""
    every = chain(module.named_parameters(remove_duplicate=False), module.named_buffers(remove_duplicate=False))
    return len(list(every)) > len(state_of(module))


def mixes_examples(module: nn.Module) -> bool:
    """Whether what a module makes of an example depends on those beside it also when nothing is trained."""
    return any(isinstance(part, _BatchNorm) and part.running_mean is None for part in module.modules())


def by_batch_statistics(module: nn.Module) -> nn.Module:
    """Return a module whose batch normalisation keeps no running statistics, and so goes by those of the batch also in evaluation."""
    own = copy.deepcopy(module)
    for part in own.modules():
        if isinstance(part, _BatchNorm):
            part.running_mean = part.running_var = None
    return own


def places(module: nn.Module) -> dict[str, str]:
    """Return where a module keeps tensors, one name for each attribute, and what stands there by its first name.

    `torch.func.functional_call` knows ties itself, but leaves a layer that stands at two places with the tensors that it was
    given: it puts them there twice, and the second time takes the first for what was there before. With these names and
    `tie_weights=False` every attribute is set and set back once.
    """
    first = {id(own): name for name, own in state_of(module).items()}
    return {
        f"{path}.{name}" if path else name: first[id(own)]
        for path, part in module.named_modules()
        for name, own in _own(part)
    }


def call(module: nn.Module, state: dict[str, Tensor], inputs: Tensor) -> Tensor:
    """Return what a module makes of `inputs` with other tensors for its own, by name as `state_of` has them."""
    everywhere = {place: state[name] for place, name in places(module).items()}
    return cast("Tensor", functional_call(module, everywhere, (inputs,), tie_weights=False))


def assign(module: nn.Module, values: dict[str, Tensor]) -> None:
    """Put tensors in the place of a module's own, by name as `state_of` has them; what was tied stays tied."""
    fresh = {}
    for name, own in state_of(module).items():
        parameter = isinstance(own, nn.Parameter)
        fresh[id(own)] = nn.Parameter(values[name], own.requires_grad) if parameter else values[name]
    # By `setattr`, of which recurrent layers take note; the tensors' ids stay theirs while `held` keeps them alive.
    held = [(part, name, own) for part in module.modules() for name, own in _own(part)]
    with torch.no_grad():
        for part, name, own in held:
            setattr(part, name, fresh[id(own)])


def _own(part: nn.Module) -> list[tuple[str, Tensor]]:
    pairs = chain(part._parameters.items(), part._buffers.items())
    return [(name, own) for name, own in pairs if own is not None]
