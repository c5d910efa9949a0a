"""What a duration was measured by: seconds of different processors, or of one that others used too, are no one quantity."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from harness.trials.provenance import canonical, cores, gpus, processor

GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
"""Here Linux says how the first core's frequency is chosen."""


@dataclass(frozen=True)
class Clock:
    """What a trial's durations were measured by, as the process that measured it saw it.

    Attributes:
        processor: model name of the CPU, and of the GPU where the trial ran on one.
        governor: how the CPU's frequency is chosen, None where the system does not say.
        cores: CPU cores that the process might use.
        alone: whether no other trial was measured on the machine meanwhile.
    """

    processor: str
    governor: str | None
    cores: int
    alone: bool

    def text(self) -> str:
        """Return the clock as it is stored."""
        return canonical(asdict(self))


def clock_here(device: str, *, alone: bool) -> Clock:
    """Return the clock of a trial that this process measures on a device."""
    names = [_processor(), *(gpus()[:1] if device == "cuda" else [])]
    return Clock(" with ".join(names), _governor(), cores(), alone)


@lru_cache(maxsize=1)
def _processor() -> str:
    return processor()


def _governor() -> str | None:
    try:
        return GOVERNOR.read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def clock_of(text: str | None) -> Clock | None:
    """Return a stored clock, None where nobody noted one, or what was noted is none."""
    try:
        found = json.loads(text or "null")
        return Clock(str(found["processor"]), found["governor"], int(found["cores"]), found["alone"] is True)
    except (ValueError, TypeError, KeyError):
        return None


def keeps_time(clock: Clock | None, device: str) -> bool:
    """Whether durations by a clock may stand beside those that are measured alone here on a device."""
    return clock == clock_here(device, alone=True)
