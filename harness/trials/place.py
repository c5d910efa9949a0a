"""Where a trial ran, as the process that ran it saw it, and the part of that by which durations are measured."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.trials.memory import installed
from harness.trials.provenance import canonical, cores, digest_of, gpus, processor

GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
"""Here Linux says how the first core's frequency is chosen."""

NODE = "CLAIMS_NODE"
"""Variable of the environment: what whoever shares out trials over machines calls this one."""

MIG = " MIG "
"""In the name that CUDA gives a part of a GPU this stands before the part's size."""


Count = Annotated[int, Field(ge=0, le=2**53)]
"""A number of things, no larger than what every reader of JSON keeps exactly."""


class _Seen(BaseModel):
    """What a process saw of itself; such values can be keys."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True)


class Gpu(_Seen):
    """The GPU that a process computes on."""

    model: str
    uuid: str | None
    memory: Count
    """bytes"""
    mig: str | None
    """size of the part that the process has, such as 1g.10gb; null: it has the whole"""
    driver: str | None
    power_limit: float | None
    """watts"""


class Torch(_Seen):
    """What torch is, and is told, in a process; while it trains networks on a GPU, cuDNN is told more (docs/gpu.md)."""

    version: str
    cuda: str | None
    """that it was built for; null: none"""
    cudnn: int | None
    """null: none is loaded"""
    deterministic_algorithms: bool
    cudnn_benchmark: bool
    cudnn_deterministic: bool
    cudnn_tf32: bool
    float32_matmul_precision: str


class Clock(NamedTuple):
    """What durations were measured by: seconds of different processors, or of one that others used too, are no one quantity.

    Of the GPU it holds the model, and which part of one; all else is as in a place.
    """

    processor: str
    gpu: str | None
    governor: str | None
    cores: int
    alone: bool

    @property
    def model(self) -> str:
        """What computed, by the names that makers give."""
        return " with ".join(filter(None, (self.processor, self.gpu)))


class Place(_Seen):
    """Where a trial ran. No key holds it: what changes numbers, besides the last bits, is the environment."""

    host: str
    node: str | None
    """what the machine is called by whoever shares out trials; null: it is the machine of the run"""
    processor: str
    governor: str | None
    """how the CPU's frequency is chosen; null: the system does not say"""
    cores: Count
    """that the process might use"""
    memory: Count | None
    """bytes that the machine has"""
    gpu: Gpu | None
    torch: Torch | None
    """null: it was not loaded"""
    threads: Count
    """that a call computes on"""
    alone: bool
    """whether no other trial was measured on the machine meanwhile"""
    attempt: Count
    """of how many, this one included, the trial was begun by; earlier ones were lost with their machine"""

    @property
    def clock(self) -> Clock:
        """What durations were measured by here."""
        gpu = MIG.join(filter(None, (self.gpu.model, self.gpu.mig))) if self.gpu else None
        return Clock(self.processor, gpu, self.governor, self.cores, self.alone)

    @property
    def text(self) -> str:
        """The same for the same place, as JSON."""
        return canonical(self.model_dump())

    @property
    def digest(self) -> str:
        """The SHA-256 of that, by which the store names it."""
        return digest_of(self.model_dump())

    @classmethod
    def of(cls, value: Any) -> Place:
        """Return the place that plain values stand for.

        Raises:
            ValueError: they stand for none.
        """
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"])) or "all of it"
            raise ValueError(f"{where}: is not what it should be") from None


def place_here(device: str, *, alone: bool, attempt: int = 1) -> Place:
    """Return the place of a trial that this process has just run on a device."""
    torch = sys.modules.get("torch")
    return Place(
        host=platform.node(),
        node=os.environ.get(NODE) or None,
        processor=_processor(),
        governor=_governor(),
        cores=cores(),
        memory=installed(),
        gpu=_gpu_of(torch) if device == "cuda" else None,
        torch=_told(torch),
        threads=torch.get_num_threads() if torch else _threads(),
        alone=alone,
        attempt=attempt,
    )


def keeps_time(place: Place | None, device: str) -> bool:
    """Whether durations of a place may stand beside those that are measured alone here on a device.

    Of a part of a GPU they may not: which part it will be is not known before.
    """
    gpu = next(iter(gpus()), None) if device == "cuda" else None
    return place is not None and place.clock == Clock(_processor(), gpu, _governor(), cores(), alone=True)


@lru_cache(maxsize=1)
def _processor() -> str:
    return processor()


def _governor() -> str | None:
    try:
        return GOVERNOR.read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


@lru_cache(maxsize=1)
def _threads() -> int:
    from threadpoolctl import threadpool_info

    return max((int(pool["num_threads"]) for pool in threadpool_info()), default=1)


def _told(torch: Any) -> Torch | None:
    if torch is None:
        return None
    cudnn = torch.backends.cudnn
    return Torch(
        version=str(torch.__version__),
        cuda=torch.version.cuda,
        cudnn=cudnn.version() if torch.cuda.is_initialized() else None,
        deterministic_algorithms=torch.are_deterministic_algorithms_enabled(),
        cudnn_benchmark=cudnn.benchmark,
        cudnn_deterministic=cudnn.deterministic,
        cudnn_tf32=cudnn.allow_tf32,
        float32_matmul_precision=torch.get_float32_matmul_precision(),
    )


def _gpu_of(torch: Any) -> Gpu | None:
    """Return the GPU that torch computes on, None where it has not used one. Never raises: a trial may have broken it."""
    try:
        return _gpu(torch, torch.cuda.current_device()) if torch and torch.cuda.is_initialized() else None
    except Exception:
        return None


@lru_cache(maxsize=16)
def _gpu(torch: Any, number: int) -> Gpu:
    found = torch.cuda.get_device_properties(number)
    model, _, part = found.name.partition(MIG)
    uuid = f"GPU-{found.uuid}" if hasattr(found, "uuid") else None
    driver, power = _of_driver(uuid)
    return Gpu(model=model, uuid=uuid, memory=found.total_memory, mig=part or None, driver=driver, power_limit=power)


def _of_driver(uuid: str | None) -> tuple[str | None, float | None]:
    """Return the version of a GPU's driver and the watts that it allows, None for what its own tool does not say."""
    asked = ["nvidia-smi", f"--id={uuid}", "--query-gpu=driver_version,power.limit", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=True)
        driver, power = (part.strip() for part in done.stdout.split(","))
    except (OSError, subprocess.SubprocessError, ValueError):
        return None, None
    return driver, float(power) if power.replace(".", "", 1).isdigit() else None
