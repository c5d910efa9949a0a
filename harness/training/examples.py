"""The examples of every seed, as its network takes them: converted, on the device, and refused where they do not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from harness.errors import UsageError
from harness.training.architecture import leaf_layers
from harness.training.losses import class_numbers

if TYPE_CHECKING:
    import numpy as np

    from harness.training.losses import Measure


def as_inputs(inputs: Tensor | np.ndarray, module: nn.Module, storage: torch.dtype, device: str) -> Tensor:
    """Return inputs on the device: whole numbers for a network that looks them up, else floating-point ones.

    Raises:
        UsageError: fractions, or words that the network has no vector for, which would be looked up elsewhere.
    """
    looked_up = any(isinstance(part, nn.Embedding) for part in module.modules())
    values = torch.as_tensor(inputs)
    shared = len(values) > 1 and values.stride(0) == 0
    # What the seeds share is converted once, and stays shared.
    given = values[:1] if shared else values
    if looked_up:
        _require_words(given, module)
    return given.to(device, torch.int64 if looked_up else storage).expand_as(values)


def _require_words(given: Tensor, module: nn.Module) -> None:
    if given.is_floating_point() and not torch.equal(given, given.round()):
        raise UsageError("inputs: fractions, but the network looks its inputs up (nn.Embedding): give whole numbers")
    words = [part.num_embeddings for _, part in leaf_layers(module) if isinstance(part, nn.Embedding)]
    if not words or not given.numel():
        return
    # All seeds' vectors stand in one table in training: a word beyond its own would be looked up at a neighbour's.
    least, most = (int(value) for value in torch.aminmax(given))
    if least < 0 or most >= min(words):
        found = least if least < 0 else most
        raise UsageError(f"inputs: word {found}: the network has vectors for 0 to {min(words) - 1} (nn.Embedding)")


def as_targets(targets: Tensor | np.ndarray, measure: Measure, storage: torch.dtype, device: str, whose: str) -> Tensor:
    """Return targets on the device: values for "squared_error", else classes; a message begins with `whose`.

    Raises:
        UsageError: classes that are no whole numbers.
    """
    answers = torch.as_tensor(targets, device=device)
    return answers.to(storage) if measure == "squared_error" else class_numbers(answers, whose)


def require_fit(whose: str, inputs: Tensor, targets: Tensor, number: int) -> None:
    """Refuse examples that are not those of `number` seeds, each with a target for every input.

    Raises:
        UsageError: they are not, or there are none.
    """
    shapes = f"{whose}inputs {tuple(inputs.shape)}, targets {tuple(targets.shape)} and {number} seeds do not fit"
    if min(inputs.ndim, targets.ndim) < 2 or not number == len(inputs) == len(targets):
        raise UsageError(f"train: {shapes}")
    if not inputs.shape[1] == targets.shape[1] > 0:
        raise UsageError(f"train: {shapes}")
