"""Timing that waits for the device: GPU work is asynchronous, and a clock alone would miss it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


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


def timed(work: Callable[[], T], device: str) -> tuple[T, float]:
    """Return what `work` returns, and its seconds: of processor time on the CPU, of the clock on a GPU.

    Waiting for other programs is no part of processor time; work that is spread over processes has none here.
    """
    clock = time.perf_counter if device == "cuda" else time.process_time
    synchronise(device)
    start = clock()
    result = work()
    synchronise(device)
    return result, clock() - start
