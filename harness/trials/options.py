"""What a user can choose for a run, and where each choice came from."""

from __future__ import annotations

import argparse
import os
import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.errors import INSTALL_TRAINING, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TODAY = "today"
"""The base seed that changes every night: the date in UTC."""

DEVICES = ("auto", "cpu", "cuda")

PROGRESS = ("auto", "live", "plain")

EXECUTORS = ("processes", "ray")

ADDRESSES = ("auto", "local")

INSTALL_RAY = "`pip install 'claims-harness[ray]'`"


def base_seed(text: str) -> int | str:
    """Return a base seed, or the word `today`."""
    if text == TODAY:
        return text
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a whole number nor `{TODAY}`") from None


class Flag(NamedTuple):
    """An option of a run as it is written: `--claims-NAME` for pytest, also `--NAME` for `claims run`.

    Attributes:
        name: its name without dashes before it.
        help: what it does, for both.
        metavar: what its value is called; None if it takes none.
        kind: turns its text into a value.
    """

    name: str
    help: str
    metavar: str | None = None
    kind: Callable[[str], Any] = str

    @property
    def settings(self) -> dict[str, Any]:
        """Keywords of `add_argument`."""
        takes = {"metavar": self.metavar, "type": self.kind} if self.metavar else {"action": "store_true"}
        return {"default": None, "help": self.help, **takes}


FLAGS = (
    Flag("profile", "scale: smoke, quick (default) or paper", "NAME"),
    Flag(
        "base-seed",
        "enters every random draw (default 0); `today` is the date and joins the evidence of earlier nights",
        "N",
        base_seed,
    ),
    Flag("accumulate", "judge all base seeds in the store together, as far as code, data and environment are the same"),
    Flag("store", "SQLite file of trials (default .claims/store.sqlite3)", "PATH"),
    Flag("fresh", "measure everything again, reuse nothing"),
    Flag("device", "auto (default), cpu or cuda", "NAME"),
    Flag(
        "workers",
        "processes of one thread each, on the cores and again on GPUs (default: one per core, one per GPU)",
        "N",
        int,
    ),
    Flag(
        "executor", "where trials run: processes of this machine (default), or ray, the nodes of a Ray cluster", "NAME"
    ),
    Flag(
        "ray-address",
        "the cluster: auto (default: the one of this node), local (one of this machine alone) or HOST:PORT",
        "WHERE",
    ),
    Flag(
        "max-seconds",
        "run the cheapest claims first, and begin nothing that is not expected to end within this time",
        "S",
        float,
    ),
    Flag("report", "where reports go (default reports/latest)", "DIR"),
    Flag("annotations", "print annotations for GitHub, as is done in its Actions without being asked"),
    Flag("traceback", "show tracebacks of failed trials"),
    Flag(
        "progress",
        "plain: a line for every batch; live: one view that is kept up to date; auto: live where `claims run` writes to a terminal",
        "HOW",
    ),
)
"""The options of a run."""


@dataclass(frozen=True)
class Options:
    """Options of a run.

    Attributes:
        profile: the scale: smoke, quick or paper.
        base_seed: enters every random draw.
        accumulate: join the evidence of earlier base seeds in the store.
        store: path of the SQLite file.
        fresh: measure everything again instead of reusing trials.
        device: auto, cpu or cuda.
        workers: processes of one thread each, on the cores and again on GPUs; 0 chooses one per core, one per GPU.
        max_seconds: no new batch is begun after this time; None for no limit.
        executor: where trials run: processes, or ray.
        ray_address: the cluster: auto, local or HOST:PORT.
        slots: device -> workers that a cluster has room for; empty on this machine, which is asked itself.
        sources: option -> where its value came from (default, command line, ...).
    """

    profile: str = "quick"
    base_seed: int = 0
    accumulate: bool = False
    store: Path = Path(".claims/store.sqlite3")
    fresh: bool = False
    device: str = "auto"
    workers: int = 0
    max_seconds: float | None = None
    executor: str = EXECUTORS[0]
    ray_address: str = ADDRESSES[0]
    slots: Mapping[str, int] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.device not in DEVICES:
            raise UsageError(f"--claims-device: no device {self.device!r}; give one of {', '.join(DEVICES)}")
        if self.workers < 0:
            raise UsageError(
                f"--claims-workers: {self.workers} is no number of processes; give 1 or more, or 0 for one per core"
            )
        if self.max_seconds is not None and not self.max_seconds > 0:
            raise UsageError(
                f"--claims-max-seconds: {self.max_seconds:g} is no time to run; give a positive number of seconds"
            )
        self._check_executor()

    def _check_executor(self) -> None:
        if self.executor not in EXECUTORS:
            raise UsageError(f"--claims-executor: no executor {self.executor!r}; give one of {', '.join(EXECUTORS)}")
        if self.ray_address not in ADDRESSES and not re.fullmatch(r"[^\s:/]+:\d{1,5}", self.ray_address):
            raise UsageError(
                f"--claims-ray-address: {self.ray_address!r} is no address; give {', '.join(ADDRESSES)} or HOST:PORT"
            )
        if self.executor == "ray" and find_spec("ray") is None:
            raise UsageError(f"--claims-executor: ray is not installed; {INSTALL_RAY}")

    def record(self) -> dict[str, Any]:
        """Return the options as plain values."""
        return {
            "profile": self.profile,
            "base_seed": self.base_seed,
            "accumulate": self.accumulate,
            "store": str(self.store),
            "fresh": self.fresh,
            "device": self.device,
            "workers": self.workers,
            "max_seconds": self.max_seconds,
            "executor": self.executor,
            "ray_address": self.ray_address,
            "sources": self.sources,
        }


def resolve_device(wanted: str, slots: Mapping[str, int] | None = None) -> str:
    """Return `cpu` or `cuda`; auto takes the GPU if torch can use one here, or the cluster has one that `slots` are of.

    Raises:
        UsageError: cuda was asked for and there is none.
    """
    if slots and wanted != "cpu":
        if wanted == "cuda" and not slots.get("cuda"):
            raise UsageError("--claims-device: no node of the cluster has a GPU; give cpu or auto")
        return "cuda" if slots.get("cuda") else "cpu"
    if wanted == "cpu" or (wanted == "auto" and not _has_gpu_driver()):
        return "cpu"
    try:
        import torch
    except ModuleNotFoundError:
        if wanted == "auto":
            return "cpu"
        raise UsageError(f"--claims-device: cuda needs torch, which is not installed; {INSTALL_TRAINING}") from None
    if torch.cuda.is_available():
        return "cuda"
    if wanted == "cuda":
        raise UsageError("--claims-device: torch finds no CUDA device here; give cpu or auto")
    return "cpu"


def _has_gpu_driver() -> bool:
    """Tell, without importing torch, whether a GPU is possible at all."""
    return Path("/proc/driver/nvidia/version").exists() or Path("/dev/nvidia0").exists() or Path("/dev/dxg").exists()


def resolve_workers(options: Options, device: str) -> int:
    """Return the number of processes on a device: as many as are wanted, else one per core, on GPUs one for each."""
    # Late: every run of pytest reads the options, also where no claim is.
    from harness.trials.provenance import cores

    if options.slots:
        return options.workers or max(1, options.slots.get(device, 0))
    return options.workers or len(visible_gpus(device)) or cores()


def visible_gpus(device: str) -> tuple[str, ...]:
    """Return the GPUs that trials on a device may use, as CUDA_VISIBLE_DEVICES names them; none for the CPU."""
    if device != "cuda":
        return ()
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return tuple(name.strip() for name in named.split(",") if name.strip())
    import torch

    return tuple(str(number) for number in range(torch.cuda.device_count()))
