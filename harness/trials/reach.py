"""What the trials of an experiment rest on: all that its code leads to, of what this process saw being read."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.trials.callers import kind_of, package_of
from harness.trials.modules import HARNESS, imports_of, parsed
from harness.trials.notes import signature_of
from harness.trials.provenance import PICTURES, digest_of, digest_of_file, digest_of_module, is_about
from harness.trials.witness import deaf, imported, notes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.trials.notes import Signature
    from harness.trials.provenance import Code

ABSENT = "absent"
"""Stands for the digest of a file that was asked for and was not there."""

UNSETTLED = "changed while it was read"
"""Stands for the digest of a file of which nobody can say what was read: it equals none."""


@dataclass(frozen=True)
class Seen:
    """What the trials of an experiment have read, as far as this process saw.

    Paths are relative to the project, or absolute for what lies elsewhere.

    Attributes:
        files: file -> SHA-256 of its bytes, ABSENT or UNSETTLED.
        modules: imported file of Python beside the experiment's own code -> SHA-256 of its code.
        folders: folder that was listed -> SHA-256 of the names found there.
        packages: names under which installed packages are imported.
        commands: commands that were started.
        loaded: names of all installed packages that the process holds, whoever imported them.
    """

    files: dict[str, str]
    modules: dict[str, str]
    folders: dict[str, str]
    packages: tuple[str, ...]
    commands: tuple[str, ...]
    loaded: tuple[str, ...] = ()


def seen(experiment: Path, project: Path, code: Code) -> Seen:
    """Return what the trials of an experiment rest on besides their own code, as far as this process saw it.

    Args:
        experiment: path of experiment.py.
        project: folder that paths are given relative to.
        code: the experiment's code, as `provenance.code_of` finds it.
    """
    with deaf():
        name, root = os.path.abspath(experiment), os.path.abspath(project)
        return _reach(name, root, code.digest, imported(), _Held(code)).seen()


class _Held:
    """Code as the key of a cache holds it, whose digest says already what it is."""

    def __init__(self, code: Code) -> None:
        self.code = code

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)

    def __hash__(self) -> int:
        return 0


@functools.lru_cache(maxsize=64)
def _reach(experiment: str, project: str, _digest: str, _imported: tuple[int, int], held: _Held) -> _Reach:
    return _Reach(Path(experiment), Path(project), held.code)


class _Reach:
    """All that an experiment's code leads to: modules from elsewhere, packages, and what was read for any of them."""

    def __init__(self, experiment: Path, project: Path, code: Code) -> None:
        self._experiment, self._project = experiment, project
        self._own = {self._path(module) for module in code.modules}
        self._owners = {str(self._experiment), *self._own}
        self._modules: set[str] = set()
        self._packages: set[str] = set()
        self._follow(code.imports)
        if code.dynamic:
            self._follow(list(sys.modules))
        pending = list(self._owners)
        for owner in pending:
            for module in sorted(notes_of(owner).modules - self._owners):
                self._module(module)
            pending += [one for one in self._owners if one not in pending]
        for owner in self._owners:
            self._packages |= notes_of(owner).packages
        self._packages = _with_theirs(self._packages)
        self._loaded = tuple(sorted({package for _, file in _loaded() if (package := _package(file))}))

    def _path(self, module: str) -> str:
        """Return where a module of the code lies; this tool may be installed elsewhere than the project."""
        places = (self._project / module, HARNESS.parent / module)
        return str(next((place for place in places if place.is_file()), places[0]))

    def _follow(self, names: Iterable[str]) -> None:
        """Add the modules that dotted names stand for, as far as they are loaded."""
        for name in names:
            for part in {name, name.split(".")[0]}:
                file = getattr(sys.modules.get(part), "__file__", None)
                path = os.path.abspath(file) if file else ""
                kind = kind_of(path) if file else None
                if kind == "site" and (package := package_of(path)):
                    self._packages.add(package)
                elif kind == "own" and path not in self._owners:
                    self._module(path)

    def _module(self, path: str) -> None:
        """Add a module that is no part of the experiment's code: its file, and what it imports in turn."""
        if path in self._owners or self._is_apart(path):
            return
        self._owners.add(path)
        self._modules.add(path)
        if not Path(path).is_relative_to(self._project):
            self._packages |= {name.split(".")[0] for name, file in _loaded() if file == path}
        with contextlib.suppress(OSError, SyntaxError, ValueError):
            self._follow(
                list(imports_of(parsed(Path(path), os.stat(path).st_mtime_ns))) if path.endswith(".py") else []
            )

    def _is_apart(self, path: str) -> bool:
        """Whether a module is another claim's, one of tests or one that draws: code that no experiment runs."""
        name, folder = os.path.basename(path), Path(path).parent
        own = folder == self._experiment.parent
        other = not own and (folder / "claim.yaml").is_file()
        about = name == "conftest.py" or (name.startswith("test_") and name.endswith(".py"))
        return other or about or (own and name == PICTURES)

    def seen(self) -> Seen:
        """Return all of it, digested."""
        files: dict[str, set[Signature]] = {}
        folders: dict[str, set[tuple[str, ...]]] = {}
        noted = {owner: notes_of(owner) for owner in sorted(self._owners)}
        for owner, notes in noted.items():
            for path, signatures in notes.files.items():
                if self._counts(path, owner):
                    files.setdefault(path, set()).update(signatures)
            for path, listings in notes.folders.items():
                if self._counts(path, owner):
                    folders.setdefault(path, set()).update(tuple(self._named(path, names)) for names in listings)
        return Seen(
            {self._shown(path): _settled(path, signatures) for path, signatures in sorted(files.items())},
            {self._shown(path): digest_of_module(Path(path)) for path in sorted(self._modules) if os.path.exists(path)},
            {self._shown(path): _names_digest(listings) for path, listings in sorted(folders.items())},
            tuple(sorted(self._packages)),
            tuple(dict.fromkeys(line for notes in noted.values() for line in notes.commands)),
            self._loaded,
        )

    def _shown(self, path: str) -> str:
        return "." if path == str(self._project) else path.removeprefix(f"{self._project}{os.sep}")

    def _counts(self, path: str, owner: str) -> bool:
        """Whether a file or folder is one that trials rest on."""
        shown = self._shown(path)
        hidden = (shown.startswith(".") and shown != ".") or f"{os.sep}." in shown or "__pycache__" in shown
        if hidden or path in self._own or path.endswith(".pyc"):
            return False
        folder = f"{self._experiment.parent}{os.sep}"
        if path.startswith(folder) and any(is_about(part) for part in path.removeprefix(folder).split(os.sep)):
            return False
        return owner == str(self._experiment) or not self._is_of_another_claim(path)

    def _is_of_another_claim(self, path: str) -> bool:
        """Whether a file that shared code read belongs to another claim, which told it where to look."""
        above = _claim_above(os.path.dirname(path))
        if above is None or above == self._experiment.parent:
            return False
        # A shared module that looks into a claim's folder by itself has to name it.
        name = above.name.encode()
        return not any(name in Path(module).read_bytes() for module in self._own if os.path.isfile(module))

    def _named(self, folder: str, names: Iterable[str]) -> Iterator[str]:
        return (name for name in names if is_counted_name(name, Path(folder), self._experiment, self._project))


@functools.lru_cache(maxsize=4096)
def _claim_above(folder: str) -> Path | None:
    """Return the claim's folder that a folder is, or lies in; None if it lies in none."""
    path = Path(folder)
    return next((place for place in (path, *path.parents) if (place / "claim.yaml").is_file()), None)


def is_counted_name(name: str, folder: Path, experiment: Path, project: Path) -> bool:
    """Whether a name in a listed folder says anything to a trial: not what runs leave, nor what is about the claim."""
    if name.startswith(".") or name == "__pycache__" or name.endswith((".pyc", ".egg-info")):
        return False
    return not (folder == project and name == "reports") and not (folder == experiment.parent and is_about(name))


def digest_of_names(names: Iterable[str]) -> str:
    """Return the SHA-256 of the names in a folder."""
    return digest_of(sorted(names))


def _names_digest(listings: set[tuple[str, ...]]) -> str:
    return digest_of_names(next(iter(listings))) if len(listings) == 1 else UNSETTLED


def _settled(path: str, signatures: set[Signature]) -> str:
    """Return the digest of a file that is as it was whenever it was read."""
    if signatures != {signature_of(path)}:
        return UNSETTLED
    if not any(signatures):
        return ABSENT
    try:
        return digest_of_file(Path(path)) if os.path.isfile(path) else ABSENT
    except OSError:
        return UNSETTLED


def _with_theirs(packages: set[str]) -> set[str]:
    """Return packages with all that was read on their behalf, packages themselves."""
    found, pending = set(packages), list(packages)
    while pending:
        more = notes_of(f"site:{pending.pop()}").packages - found
        found |= more
        pending += more
    return found


def _loaded() -> list[tuple[str, str]]:
    """Return the modules that the process holds, each with its file."""
    modules = [(name, getattr(module, "__file__", None)) for name, module in list(sys.modules.items())]
    return [(name, file) for name, file in modules if isinstance(file, str)]


def _package(file: str) -> str | None:
    return package_of(file) if kind_of(file) == "site" else None
