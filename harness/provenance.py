"""What a stranger needs in order to repeat a run."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

NUMERIC_PACKAGES = {"numpy": "numpy", "scipy": "scipy", "sklearn": "scikit-learn", "torch": "torch"}
"""Packages whose version can change a number: import name -> distribution."""

GPUS = Path("/proc/driver/nvidia/gpus")
"""Here the driver of NVIDIA GPUs has a folder for each."""

SOURCES = ("", "src")
"""Folders of a project, from its root, where modules of its own may lie."""


@dataclass(frozen=True)
class Code:
    """The code that a trial runs.

    Attributes:
        digest: SHA-256 over the experiment and every project module that it imports.
        modules: those modules, as paths relative to the project: of `fixtures`, of the project's own packages, of `harness`.
        packages: numeric packages among their imports, as distribution names.
    """

    digest: str
    modules: tuple[str, ...]
    packages: tuple[str, ...]


def code_of(experiment: Path, project: Path) -> Code:
    """Return the code of an experiment, found by following its imports.

    What counts is the syntax tree without docstrings: comments, layout and
    documentation do not make a trial another trial. Of other files in the
    experiment's folder every byte counts.
    """
    pending, seen, imported = [experiment], dict[Path, str](), set[str]()
    while pending:
        path = pending.pop()
        if path in seen:
            continue
        tree = _parsed(path, path.stat().st_mtime_ns)
        seen[path] = _digest_of_tree(path, path.stat().st_mtime_ns)
        for name in _imports(tree):
            imported.add(name.split(".")[0])
            pending += _module_files(name, project)
        pending += _siblings(tree, path)
    seen |= {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in _beside(experiment) if path not in seen}
    parts = sorted((_relative(path, project), digest) for path, digest in seen.items())
    packages = sorted(NUMERIC_PACKAGES[name] for name in imported & NUMERIC_PACKAGES.keys())
    return Code(digest_of(parts), tuple(name for name, _ in parts), tuple(packages))


def _beside(experiment: Path) -> list[Path]:
    """Return the files in a claim's folder that its experiment may read: tables, images; not what is about the claim."""
    if not (experiment.parent / "claim.yaml").is_file():
        return []
    files = [path for path in sorted(experiment.parent.rglob("*")) if path.is_file()]
    return [path for path in files if not any(_about(part) for part in path.relative_to(experiment.parent).parts)]


def _about(name: str) -> bool:
    """Whether a file or folder of this name says something of a claim, and enters no trial."""
    hidden = name.startswith((".", "__pycache__"))
    return hidden or name == "claim.yaml" or name.endswith(".md") or (name.startswith("test_") and name.endswith(".py"))


@lru_cache(maxsize=512)
def _parsed(path: Path, _changed: int) -> ast.Module:
    # Bytes, since a file may begin with a mark of its order, or name its encoding.
    return ast.parse(path.read_bytes())


@lru_cache(maxsize=512)
def _digest_of_tree(path: Path, changed: int) -> str:
    tree = ast.parse(ast.unparse(_parsed(path, changed)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _imports(tree: ast.Module) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _module_files(name: str, project: Path) -> list[Path]:
    """Return the files of a dotted project module, its packages' __init__ included."""
    parts = name.split(".")
    # The harness may be installed elsewhere than the project whose claims it runs.
    homes = [Path(__file__).parents[1]] if parts[0] == "harness" else [project / folder for folder in SOURCES]
    return [path for home in homes for path in _files_along(home, parts)]


def _siblings(tree: ast.Module, path: Path) -> list[Path]:
    """Return the files of what a module imports relative to itself: `from . import a`, `from ..b import c`."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and node.level <= len(path.parents):
            parts = node.module.split(".") if node.module else []
            for last in ([], *([alias.name] for alias in node.names)):
                found += _files_along(path.parents[node.level - 1], [*parts, *last])
    return found


def _files_along(home: Path, parts: list[str]) -> list[Path]:
    packages = [home.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
    modules = [home.joinpath(*parts).with_suffix(".py")] if parts else []
    return [path for path in [*packages, *modules] if path.is_file()]


def _relative(path: Path, project: Path) -> str:
    for home in (project, Path(__file__).parents[1]):
        if path.is_relative_to(home):
            return str(path.relative_to(home))
    return str(path)


def environment(packages: Iterable[str], device: str, precision: str | None) -> dict[str, str]:
    """Return what, besides code, settings and data, can change a trial's numbers."""
    import importlib.metadata

    versions = {name: importlib.metadata.version(name) for name in packages}
    return {"device": device, "precision": precision or "as written", **versions}


def canonical(value: Any) -> str:
    """Return JSON that is the same for the same value: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def trial_key(**parts: Any) -> str:
    """Return the SHA-256 that names a trial; the band is no part of it, the seed is."""
    return digest_of(parts)


def digest_of(value: Any) -> str:
    """Return the SHA-256 of plain values."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def machine(project: Path) -> dict[str, Any]:
    """Return commit, versions, processor and time zone-free facts of this machine for the record."""
    names = ("torch", "numpy", "scipy", "scikit-learn", "pytest", "claims-harness")
    return {
        "commit": _git(project, "rev-parse", "HEAD"),
        "uncommitted_changes": _dirty(project),
        "python": platform.python_version(),
        "packages": {name: version for name in names if (version := _version(name))},
        "platform": platform.platform(),
        "processor": processor(),
        "cores": cores(),
        "gpus": gpus(),
    }


def gpus() -> list[str]:
    """Return the model names of the NVIDIA GPUs, as their driver gives them; none where there is no driver."""
    lines = [line for path in sorted(GPUS.glob("*/information")) for line in path.read_text().splitlines()]
    return [line.split(":", 1)[1].strip() for line in lines if line.startswith("Model:")]


def arithmetic() -> dict[str, Any]:
    """Return what torch is told about threads and determinism, as it stands in this process; nothing without torch.

    Trials run on one thread each, whatever this process may use.
    """
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return {}
    return {
        "threads_per_worker": 1,
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
        "cudnn_deterministic": torch.backends.cudnn.deterministic,
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
    }


def _version(name: str) -> str | None:
    import importlib.metadata

    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def top_of(project: Path) -> Path | None:
    """Return the folder of the repository that a project lies in, None outside of one."""
    top = _git(project, "rev-parse", "--show-toplevel")
    return Path(top) if top else None


def _dirty(project: Path) -> bool | None:
    status = _git(project, "status", "--porcelain")
    return None if status is None else bool(status)


def _git(project: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(project), *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def processor() -> str:
    """Return the model name of the CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def cores() -> int:
    """Return the number of CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
