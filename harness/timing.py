"""Timing that waits for the device: GPU work is asynchronous, and a clock alone would miss it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def synchronise(device: str) -> None:
    """Wait until all work queued on `device` is done."""
    if device == "cuda":
        import torch

        torch.cuda.synchronize()


def synchronised(work: Callable[[], object], device: str) -> Callable[[], object]:
    """Return `work` with a synchronisation before and after it."""

    def timed() -> object:
        synchronise(device)
        result = work()
        synchronise(device)
        return result

    return timed
