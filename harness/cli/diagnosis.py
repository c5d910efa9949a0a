"""What a report of a fault needs: versions, machine, torch, data, store, folders, commit; and what is wrong, with its remedy.

Each part is looked at by itself, so that one that is broken (torch above all) hides none of the others.
"""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._text import message_of
from harness.errors import ClaimsError
from harness.store.database import ROWS, SCHEMA_VERSION, TABLES
from harness.trials.data_sets import known, record_of
from harness.trials.provenance import cores, gpus, machine

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES = (
    "claims-harness", "torch", "numpy", "scipy", "scikit-learn", "mlxtend", "pydantic", "pyyaml", "pytest",
    "pytest-benchmark", "pytest-xdist", "threadpoolctl", "pooch", "platformdirs", "rich", "argcomplete",
)  # fmt: skip

OPTIONAL = {"pytest-xdist"}
"""Packages that may be missing."""

OLDEST_PYTHON = (3, 11)

LITTLE_DISK = 1e9
"""Bytes; with less, a store or full MNIST may not fit."""

LITTLE_MEMORY = 2e9
"""Bytes that one process with torch and the embedded digits needs, with room to train."""


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
    looks: dict[str, Callable[[], Finding]] = {
        "python": _python,
        "packages": _packages,
        "machine": _machine,
        "torch": _torch,
        "project": lambda: _project(project),
        "data": lambda: _data(project),
        "store": lambda: _store(store),
        "disk": lambda: _disk(project, store),
        "settings": _settings,
    }
    return [_looked(name, look) for name, look in looks.items()]


def _looked(name: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except Exception as error:
        return Finding(name, wrong=[f"cannot be looked at: {type(error).__name__}: {message_of(error)}"])


def _python() -> Finding:
    found = Finding(
        "python", {"version": platform.python_version(), "executable": sys.executable, "prefix": sys.prefix}
    )
    if sys.version_info < OLDEST_PYTHON:
        found.wrong.append(f"Python {platform.python_version()} is too old; take 3.11 or later")
    return found


def _packages() -> Finding:
    found = Finding("packages")
    for name in PACKAGES:
        try:
            found.facts[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found.facts[name] = None
            # Of torch its own part says which version is wanted.
            missing = found.notes if name in OPTIONAL else found.wrong
            missing += [] if name == "torch" else [f"{name} is not installed; `pip install {name}`"]
    return found


def _machine() -> Finding:
    facts = machine(Path())
    found = Finding("machine", {name: facts[name] for name in ("platform", "processor", "cores", "gpus")})
    total, free = _memory()
    found.facts |= {"memory_bytes": total, "memory_free_bytes": free}
    if free is not None and free < LITTLE_MEMORY:
        found.wrong.append(f"{free / 1e9:.1f} GB of memory are free; end other programs, or run with --workers 1")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    found.facts["load"] = round(load, 1)
    if load > cores() + 0.5:
        found.notes.append(f"{load:.1f} programs want {cores()} cores: durations measured now mean little")
    return found


def _memory() -> tuple[int | None, int | None]:
    """Return the bytes of memory, all and free; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None, None
    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.endswith("kB")}
    return sizes.get("MemTotal"), sizes.get("MemAvailable")


def _torch() -> Finding:
    found = Finding("torch")
    try:
        torch: Any = importlib.import_module("torch")
    except Exception as error:
        found.wrong.append(
            f"cannot be imported ({type(error).__name__}: {message_of(error)}); install the version that pyproject.toml "
            "pins, `pip install torch==VERSION`"
        )
        return found
    found.facts = {
        "version": torch.__version__,
        "threads": torch.get_num_threads(),
        "bfloat16": _bfloat16(torch),
        "cuda_build": torch.version.cuda,
        "cuda_available": torch.cuda.is_available(),
        "devices": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        "computes": _computes(torch),
    }
    if not found.facts["computes"]:
        found.wrong.append("1 + 1 is not 2; reinstall torch")
    if gpus() and not found.facts["cuda_available"]:
        found.wrong.append(
            f"the driver knows {', '.join(gpus())}, but torch cannot use it; install a CUDA build of torch, or run with --device cpu"
        )
    return found


def _computes(torch: Any) -> bool:
    return bool((torch.ones(2) + torch.ones(2)).sum().item() == 4.0)


def _bfloat16(torch: Any) -> str:
    """Return how this processor computes in bfloat16: with tiles (AMX), with vectors, or slowly, by conversion."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        flags = ""
    fast = [words for flag, words in (("amx_bf16", "AMX tiles"), ("avx512_bf16", "AVX-512")) if flag in flags]
    one = torch.ones(2, 2, dtype=torch.bfloat16)
    return " and ".join(fast) or ("by conversion, slowly" if (one @ one).sum().item() == 8.0 else "not at all")


def _project(project: Path) -> Finding:
    facts = machine(project)
    folders = len(list((project / "claims").glob("*/*/claim.yaml")))
    found = Finding("project", {"folder": str(project.resolve()), "claims": folders, "commit": facts["commit"]})
    found.facts["uncommitted_changes"] = facts["uncommitted_changes"]
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
    return found


def _data(project: Path) -> Finding:
    found = Finding("data")
    names = {"data": "CLAIMS_DATA_DIR", "cache": "CLAIMS_CACHE_DIR"}
    found.facts |= {name: os.environ.get(variable) for name, variable in names.items()}
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
    return found


def _store(path: Path) -> Finding:
    found = Finding("store", {"path": str(path), "sqlite": sqlite3.sqlite_version})
    if not path.is_file():
        found.notes.append("there is no store yet; `claims run` makes one")
        return found
    found.facts["bytes"] = path.stat().st_size
    try:
        # Read only: a diagnosis neither repairs nor migrates.
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0)) as database:
            _look_into(database, found)
    except sqlite3.Error as error:
        found.wrong.append(
            f"cannot be read ({message_of(error)}); move it away and put a sound copy there, or give another with --store"
        )
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        found.wrong.append("cannot be written; mend its permissions, or give another with --store")
    return found


def _look_into(database: sqlite3.Connection, found: Finding) -> None:
    schema = database.execute("PRAGMA user_version").fetchone()[0]
    found.facts["schema"] = schema
    found.facts["integrity"] = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found.facts["integrity"] != "ok":
        found.wrong.append(
            "is damaged; `claims export --jsonl FILE` saves what can still be read, then `claims import` it into a new one"
        )
    if schema > SCHEMA_VERSION:
        found.wrong.append(
            f"was written by a later version (schema {schema}, this is {SCHEMA_VERSION}); upgrade claims-harness"
        )
    elif schema < SCHEMA_VERSION:
        found.notes.append(f"has schema {schema}; the next run brings it to {SCHEMA_VERSION}")
    there = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for table in TABLES:
        if table in there:
            found.facts[ROWS[table].replace(" ", "_")] = database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
        elif schema >= SCHEMA_VERSION:
            found.wrong.append(f"has no table {table}, so it is no store; give another with --store")


def _disk(project: Path, store: Path) -> Finding:
    found = Finding("disk")
    for name, folder in (("project", project), ("store", store.parent)):
        at = folder.resolve()
        while not at.exists():
            at = at.parent
        free = shutil.disk_usage(at).free
        found.facts[f"{name}_free_bytes"] = free
        if free < LITTLE_DISK:
            found.wrong.append(
                f"{free / 1e9:.2f} GB are free at {at}; make room, or put the store elsewhere with --store"
            )
    return found


def _settings() -> Finding:
    """Return the variables of the environment that change a run."""
    names = (
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "CUDA_VISIBLE_DEVICES",
        "NO_COLOR",
        "CI",
        "PYTEST_ADDOPTS",
        "PYTHONPATH",
        "TERM",
    )
    found = Finding("settings", {name: os.environ[name] for name in names if name in os.environ})
    if os.environ.get("PYTEST_ADDOPTS"):
        found.notes.append("PYTEST_ADDOPTS adds options to every run")
    return found
