"""What a stranger needs in order to repeat a run."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
import subprocess
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.trials.modules import HARNESS, imports_in, modules_of, parsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NUMERIC_PACKAGES = {"numpy": "numpy", "scipy": "scipy", "sklearn": "scikit-learn", "torch": "torch"}
"""Packages whose version can change a number: import name -> distribution."""

GPUS = Path("/proc/driver/nvidia/gpus")
"""Here the driver of NVIDIA GPUs has a folder for each."""

PICTURES = "pictures.py"
"""What draws a claim's pictures, beside its experiment: code of its own, which no trial rests on."""

ABOUT = ("claim.yaml", "sabotage.yaml", PICTURES)
"""What a claim's folder holds besides tests and pages that no trial reads."""


@dataclass(frozen=True)
class Code:
    """The code that a trial runs.

    Attributes:
        digest: SHA-256 over the experiment and every project module that it imports.
        modules: those modules, as paths relative to the project: of `fixtures`, of the project's own packages, of `harness`.
        packages: numeric packages among their imports, as distribution names.
        parts: module -> its own digest.
        imports: dotted names that they import, be it inside a function.
        dynamic: whether one of them imports by a name that only a run knows.
    """

    digest: str
    modules: tuple[str, ...]
    packages: tuple[str, ...]
    parts: Mapping[str, str] = field(default_factory=dict)
    imports: tuple[str, ...] = ()
    dynamic: bool = False


def code_of(experiment: Path, project: Path, pictures: Path | None = None, folder: Path | None = None) -> Code:
    """Return the code of an experiment, found by following its imports; with `pictures`, that of what is drawn of it.

    `folder` is the claim's, where the experiment lies elsewhere. What counts is the syntax tree without docstrings: comments, layout and
    documentation do not make a trial another trial. Of other files in the
    folder every byte counts.
    """
    reached = modules_of([experiment, *([pictures] if pictures else [])], project)
    seen = {path: _digest_of_tree(path, path.stat().st_mtime_ns) for path in reached}
    found = {path: imports_in(path) for path in reached}
    late = {name.split(".")[0] for one in found.values() for name in one.anywhere}
    # What this tool imports inside a function, an experiment may well never ask for.
    own = {path for path in reached if path.is_relative_to(HARNESS)}
    imported = {name for path, one in found.items() for name in (one.at_the_top if path in own else one.anywhere)}
    dynamic = any(one.by_name for path, one in found.items() if path not in own)
    seen |= {path: digest_of_file(path) for path in _beside(folder or experiment.parent) if path not in seen}
    parts = sorted((_relative(path, project), digest) for path, digest in seen.items())
    packages = sorted(NUMERIC_PACKAGES[name] for name in late & NUMERIC_PACKAGES.keys())
    return Code(digest_of(parts), tuple(dict(parts)), tuple(packages), dict(parts), tuple(sorted(imported)), dynamic)


def digest_of_module(path: Path) -> str:
    """Return the SHA-256 of a module's code, whatever its comments and documentation; of its bytes if it is no Python."""
    try:
        return _digest_of_tree(path, path.stat().st_mtime_ns)
    except (SyntaxError, ValueError):
        return digest_of_file(path)


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of a file; one that is as it was, by its times and size, is not read again."""
    found = path.stat()
    return _digest_of_bytes(path, (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino))


@lru_cache(maxsize=65_536)
def _digest_of_bytes(path: Path, _signature: tuple[int, ...]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _beside(folder: Path) -> list[Path]:
    """Return the files in a claim's folder that its experiment may read: tables, images; not what is about the claim."""
    if not (folder / "claim.yaml").is_file():
        return []
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path for path in files if not any(is_about(part) for part in path.relative_to(folder).parts)]


def is_about(name: str) -> bool:
    """Whether a file or folder of this name says something of a claim, and enters no trial."""
    hidden = name.startswith((".", "__pycache__"))
    return hidden or name in ABOUT or name.endswith(".md") or (name.startswith("test_") and name.endswith(".py"))


@lru_cache(maxsize=512)
def _digest_of_tree(path: Path, changed: int) -> str:
    tree = ast.parse(ast.unparse(parsed(path, changed)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _relative(path: Path, project: Path) -> str:
    for home in (project, HARNESS.parent):
        if path.is_relative_to(home):
            return str(path.relative_to(home))
    return str(path)


def environment(packages: Iterable[str], device: str, precision: str | None) -> dict[str, str]:
    """Return what, besides code, settings and data, can change a trial's numbers."""
    import importlib.metadata

    versions = {name: importlib.metadata.version(name) for name in packages}
    around = {"device": device, "precision": precision or "as written", "python": platform.python_version()}
    return {**around, **versions}


def canonical(value: Any) -> str:
    """Return JSON that is the same for the same value: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


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
