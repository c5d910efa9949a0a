"""A network tried once before it is trained: the shape of its outputs, and that it does nothing that no seed governs."""

from __future__ import annotations

import contextlib
import copy
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from harness.errors import UsageError
from harness.seeds import Seed
from harness.training.architecture import call
from harness.training.draws import Streams
from harness.training.dropout import require_seeded, seed_layers
from harness.training.precision import arithmetic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from harness.training.precision import Precision

REHEARSAL = (Seed(0, "rehearsal", 0),)


def rehearse(module: nn.Module, state: dict[str, Tensor], inputs: Tensor, precision: Precision) -> torch.Size:
    """Return the shape of what a network in training makes of a batch, (batch, *out).

    Args:
        module: the architecture.
        state: parameters and buffers of one seed; they stay as they are.
        inputs: a batch of that seed, (batch, *shape).
        precision: of the arithmetic.

    Raises:
        UsageError: it draws from a global generator, changes its inputs in place, or returns no tensor.
    """
    require_seeded(module)
    acting, own = copy.deepcopy(module).train(), inputs.clone()
    seed_layers(acting, Streams(REHEARSAL, inputs.device))
    version, before = own._version, global_states(inputs.device)
    with arithmetic(inputs.device, precision), _meta_in_words():
        outputs = call(acting, {name: values.clone() for name, values in state.items()}, own)
    require_undrawn(before, inputs.device)
    if own._version != version:
        raise UsageError(
            "train: the network changes its inputs in place, and with them the examples of every further step: leave "
            "out inplace=True in its first layer, or let it work on a copy"
        )
    if not isinstance(outputs, torch.Tensor):
        raise UsageError(f"train: the network returns a {type(outputs).__name__}; it must return one tensor")
    return outputs.shape


@contextlib.contextmanager
def _meta_in_words() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if "meta" not in str(error):
            raise
        raise UsageError(
            "train: the network uses a tensor of its own that has no numbers, since it is built on the meta device: make it "
            f"with device='cpu', or a buffer with a `start` value ({' '.join(str(error).split())})"
        ) from error


def global_states(device: torch.device) -> dict[str, Any]:
    """Return the state of every generator that all seeds would share: whose -> state."""
    words = np.random.get_state()  # noqa: NPY002 - read, to see that nobody draws from it
    states = {"torch's": torch.get_rng_state().numpy().tobytes(), "numpy's": str(words), "Python's": random.getstate()}
    if device.type == "cuda":
        states["torch's (on the GPU)"] = torch.cuda.get_rng_state(device).numpy().tobytes()
    return states


def require_undrawn(before: dict[str, Any], device: torch.device) -> None:
    """Refuse a network that has drawn from a global generator since its states were `before`.

    Raises:
        UsageError: it has.
    """
    for whose, state in global_states(device).items():
        if state != before[whose]:
            raise UsageError(
                f"train: the network draws from {whose} global generator: use nn.Dropout, or a module without randomness "
                "of its own; no seed governs those draws"
            )
