"""How much memory a piece of work takes at its height, and how many such pieces fit side by side."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTEXT = 2**29
"""Bytes of a GPU that a process takes before its first tensor: some 500 MB for CUDA and torch's kernels."""

CLEAR = Path("/proc/self/clear_refs")
"""Writing 5 here makes the kernel forget the largest resident size so far (proc(5), Linux 4.0 and later)."""

MEMINFO = Path("/proc/meminfo")
"""Here MemTotal says what the machine has, MemAvailable what new work can have without swapping (proc(5), Linux 3.14)."""

STATUS = Path("/proc/self/status")
"""Here the line VmHWM says the largest resident size since then."""


def affordable(workers: int, peak: int | None) -> int:
    """Return how many of `workers` processes that take `peak` bytes each fit in the memory that is free, at least one.

    Where nobody knows one or the other, all of them.
    """
    free = available()
    return workers if not peak or free is None else max(1, min(workers, free // peak))


def affordable_on_gpus(workers: int, peak: int | None, memory: int | None, gpus: int) -> int:
    """Return how many of `workers` processes that take `peak` bytes each fit on GPUs of `memory` bytes, one on each at least.

    Where nobody knows one or the other, all of them.
    """
    fitting = workers if not peak or memory is None else gpus * max(1, memory // (peak + CONTEXT))
    return max(1, min(workers, fitting))


def available() -> int | None:
    """Return the bytes that new work can have, None where the system does not say."""
    return _kilobytes(MEMINFO, "MemAvailable:")


def installed() -> int | None:
    """Return the bytes that the machine has, None where the system does not say."""
    return _kilobytes(MEMINFO, "MemTotal:")


@contextlib.contextmanager
def at_most(gigabytes: float | None) -> Iterator[None]:
    """Let this process allocate at most so many gigabytes more inside; what asks for more gets a MemoryError.

    The limit is on private writable memory (setrlimit(2), RLIMIT_DATA, Linux 4.7 and later); where the system does not
    know it, there is none.
    """
    held = _kilobytes(STATUS, "VmData:")
    if gigabytes is None or held is None:
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (held + int(gigabytes * 1e9), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


class PeakMemory:
    """The most memory that this process holds from now on.

    On the CPU that is the process's resident size, what it held before included; on a GPU
    the memory that torch has given out there. Never raises: where the system does not say,
    there is no number.
    """

    def __init__(self, device: str) -> None:
        self._on_gpu = device == "cuda"
        self._begun = _begin_on_gpu() if self._on_gpu else _begin()

    def bytes(self) -> int | None:
        """Return the most bytes held since this object was made, None where the system does not say."""
        if not self._begun:
            return None
        return _largest_on_gpu() if self._on_gpu else _largest()


def _begin() -> bool:
    try:
        CLEAR.write_text("5")
    except OSError:
        return False
    return True


def _largest() -> int | None:
    return _kilobytes(STATUS, "VmHWM:")


def _kilobytes(path: Path, name: str) -> int | None:
    """Return the bytes that a line such as `VmHWM: 1024 kB` says."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))
    except (OSError, ValueError, IndexError, StopIteration):
        return None


def _begin_on_gpu() -> bool:
    # A torch that is not imported, or has not used the GPU, holds nothing there yet.
    torch: Any = sys.modules.get("torch")
    try:
        if torch and torch.cuda.is_initialized():
            torch.cuda.reset_peak_memory_stats()
    except Exception:
        return False
    return True


def _largest_on_gpu() -> int | None:
    torch: Any = sys.modules.get("torch")
    try:
        return int(torch.cuda.max_memory_allocated()) if torch and torch.cuda.is_initialized() else None
    except Exception:
        return None
