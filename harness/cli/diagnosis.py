"""What a report of a fault needs: versions, machine, torch, data, store, folders, commit; and what is wrong, with its remedy.

Each part is looked at by itself, so that one that is broken (torch above all) hides none of the others.
"""

from __future__ import annotations

import importlib
import os
import platform
import re
import shutil
import sqlite3
import sys
import sysconfig
from contextlib import closing
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._text import message_of
from harness.errors import ClaimsError, UsageError
from harness.store.database import ROWS
from harness.store.store import Store
from harness.trials.data_sets import known, record_of
from harness.trials.memory import available
from harness.trials.provenance import cores, gpus, machine

if TYPE_CHECKING:
    from collections.abc import Callable

OWN = "claims-harness"

LITTLE_DISK = 1e9
"""Bytes; with less, a store or full MNIST may not fit."""

LITTLE_MEMORY = 2e9
"""Bytes that one process with torch and the embedded digits needs, with room to train."""

VARIABLES = (
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "NO_COLOR", "CI", "PYTEST_ADDOPTS", "PYTHONPATH", "TERM",
    "CLAIMS_DATA_DIR", "CLAIMS_CACHE_DIR",
)  # fmt: skip
"""Variables of the environment that change a run."""


@dataclass
class Finding:
    """One part of the diagnosis.

    Attributes:
        name: what was looked at.
        facts: what was found.
        wrong: what is wrong, each with its remedy; nothing if all is well.
        notes: what may surprise, and is not wrong.
    """

    name: str
    facts: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def diagnose(project: Path, store: Path) -> list[Finding]:
    """Look at everything that a run depends on; a look that fails is itself a finding."""
    looks: dict[str, Callable[[Finding], None]] = {
        "python": _python,
        "packages": _packages,
        "machine": _machine,
        "torch": _torch,
        "project": lambda found: _project(found, project),
        "data": lambda found: _data(found, project),
        "store": lambda found: _store(found, store),
        "disk": lambda found: _disk(found, project=project, store=store.parent),
        "settings": _settings,
    }
    return [_looked(Finding(name), look) for name, look in looks.items()]


def _looked(found: Finding, look: Callable[[Finding], None]) -> Finding:
    try:
        look(found)
    except Exception as error:
        found.wrong.append(f"cannot be looked at: {type(error).__name__}: {message_of(error)}")
    return found


def _python(found: Finding) -> None:
    """Say which interpreter this is, and whose `claims` the shell would call."""
    own, first = Path(sysconfig.get_path("scripts")) / "claims", shutil.which("claims")
    found.facts = {"version": platform.python_version(), "executable": sys.executable, "claims_command": first}
    if first is None or Path(first).resolve() != own.resolve():
        other = f"is {first}, of another installation" if first else "is not on the PATH"
        found.notes.append(f"the command `claims` {other}; this one's is {own}")
    commands = metadata.entry_points(group="console_scripts", name="claims")
    others = {command.dist.name for command in commands if command.dist} - {OWN}
    found.wrong += [f"{name} installs a command `claims` too; `pip uninstall {name}`" for name in sorted(others)]


def _packages(found: Finding) -> None:
    for line in [OWN, *(metadata.requires(OWN) or [])]:
        name, optional = re.split(r"[^\w.-]", line, maxsplit=1)[0], "extra ==" in line
        try:
            found.facts[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            # Of torch its own part says which version is wanted.
            if not optional and name != "torch":
                found.wrong.append(f"{name} is not installed; `pip install {name}`")


def _machine(found: Finding) -> None:
    facts, free = machine(Path()), available()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    found.facts = {name: facts[name] for name in ("platform", "processor", "cores", "gpus")}
    found.facts |= {"memory_free_bytes": free, "load": round(load, 1)}
    if free is not None and free < LITTLE_MEMORY:
        found.wrong.append(f"{free / 1e9:.1f} GB of memory are free; end other programs, or run with --workers 1")
    if load > cores() + 0.5:
        found.notes.append(f"{load:.1f} programs want {cores()} cores: durations measured now mean little")


def _torch(found: Finding) -> None:
    try:
        torch: Any = importlib.import_module("torch")
    except Exception as error:
        found.wrong.append(
            f"cannot be imported ({type(error).__name__}: {message_of(error)}); install the version that pyproject.toml "
            "pins, `pip install torch==VERSION`"
        )
        return
    found.facts = {
        "version": torch.__version__,
        "threads": torch.get_num_threads(),
        "cuda_build": torch.version.cuda,
        "devices": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        "computes": bool((torch.ones(2) + torch.ones(2)).sum().item() == 4.0),
    }
    if not found.facts["computes"]:
        found.wrong.append("1 + 1 is not 2; reinstall torch")
    if gpus() and not torch.cuda.is_available():
        found.wrong.append(
            f"the driver knows {', '.join(gpus())}, but torch cannot use it; install a CUDA build of torch, or run with --device cpu"
        )


def _project(found: Finding, project: Path) -> None:
    facts = machine(project)
    folders = len(list((project / "claims").glob("*/*/claim.yaml")))
    found.facts = {"folder": str(project.resolve()), "claims": folders}
    found.facts |= {name: facts[name] for name in ("commit", "uncommitted_changes")}
    if not (project / "claims").is_dir():
        found.wrong.append(
            "there is no claims/ here; go to a project (cd), give --root, or begin one with `claims init`"
        )
    elif not folders:
        found.wrong.append("claims/ holds no claim; `claims new` begins one")
    if facts["commit"] is None:
        found.notes.append("no git repository: records will not say which commit they are of")
    elif facts["uncommitted_changes"]:
        found.notes.append("there are uncommitted changes: the commit alone does not say what was run")


def _data(found: Finding, project: Path) -> None:
    described = known(project)
    if not described:
        found.notes.append("fixtures/ describes no data set (record()); the claims bring their own data")
    for name in described:
        try:
            record = record_of(name, project.resolve())
        except ClaimsError as error:
            found.wrong.append(message_of(error))
        else:
            found.facts[name] = f"{record.name}, {record.size} examples, {record.source}, sha256 {record.sha256}"


def _store(found: Finding, path: Path) -> None:
    found.facts = {"path": str(path), "sqlite": sqlite3.sqlite_version}
    if not path.is_file():
        found.notes.append("there is no store yet; `claims run` makes one")
        return
    found.facts["bytes"] = path.stat().st_size
    try:
        # A copy: a diagnosis repairs nothing.
        with closing(Store.copy_of(path)) as store:
            found.facts["integrity"] = store.integrity()
            if found.facts["integrity"] != "ok":
                found.wrong.append("is damaged; put a sound copy there, or save what is left with `sqlite3 .recover`")
            found.facts |= {re.sub(r"\W+", "_", ROWS[table]): number for table, number in store.counts().items()}
            found.wrong += store.unsound()
    except UsageError as error:
        found.wrong.append(message_of(error).removeprefix(f"{path}: "))
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        found.wrong.append("cannot be written; mend its permissions, or give another with --store")


def _disk(found: Finding, **folders: Path) -> None:
    for name, folder in folders.items():
        at = next(place for place in (folder.resolve(), *folder.resolve().parents) if place.exists())
        free = found.facts[f"{name}_free_bytes"] = shutil.disk_usage(at).free
        if free < LITTLE_DISK:
            found.wrong.append(
                f"{free / 1e9:.2f} GB are free at {at}; make room, or put the store elsewhere with --store"
            )


def _settings(found: Finding) -> None:
    found.facts = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    if os.environ.get("PYTEST_ADDOPTS"):
        found.notes.append("PYTEST_ADDOPTS adds options to every run")
