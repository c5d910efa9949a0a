"""How precisely networks are computed: the type of what is stored, and of the arithmetic."""

from __future__ import annotations

import contextlib
from typing import Literal

import torch

Precision = Literal["float32", "bfloat16", "float64"]
"""Of the arithmetic; weights are float32 under "bfloat16"."""


def storage(precision: Precision) -> torch.dtype:
    """Return the type of weights, losses and what is predicted."""
    return torch.float64 if precision == "float64" else torch.float32


def exact(device: torch.device) -> contextlib.AbstractContextManager[object]:
    """Return the context in which a GPU computes convolutions as precisely as asked, and twice the same; for CPUs nothing.

    cuDNN would else round float32 to ten bits (TF32) without being asked, and try at run time which of its kernels is
    fastest.
    """
    if device.type != "cuda":
        return contextlib.nullcontext()
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)


def arithmetic(device: torch.device, precision: Precision) -> contextlib.AbstractContextManager[object]:
    """Return the context in which networks are computed."""
    if precision != "bfloat16":
        return contextlib.nullcontext()
    return torch.autocast(device.type, torch.bfloat16)
