"""What trials rest on besides their settings and seed: noted with each trial, and looked at again before it is reused."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import re
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.specification.globs import matches
from harness.trials.provenance import canonical, digest_of, digest_of_file, digest_of_module
from harness.trials.reach import ABSENT, digest_of_names, is_counted_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from harness.trials.reach import Seen

NOT_KNOWN = "it is not known what they read"
"""Of trials whose inputs nobody noted."""

NOT_INSTALLED = "not installed"


@dataclass(frozen=True)
class Inputs:
    """What a trial rests on.

    Attributes:
        code: file of its code -> digest.
        data: data set -> SHA-256 of its content.
        declared: file that the claim declares as an input -> SHA-256.
        files: file that was read -> SHA-256.
        modules: imported file of Python that lies elsewhere than its code -> digest.
        folders: folder that was listed -> SHA-256 of the names in it.
        packages: installed package -> its version, and what else names its code.
        commands: commands that were started.
    """

    code: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    declared: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)
    folders: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    commands: Collection[str] = ()

    @functools.cached_property
    def text(self) -> str:
        """The same for the same inputs, as JSON."""
        return canonical({**asdict(self), "commands": sorted(self.commands)})

    @functools.cached_property
    def digest(self) -> str:
        """The SHA-256 of that, by which the store names them."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @classmethod
    def of(cls, value: Any) -> Inputs:
        """Return the inputs that plain values stand for.

        Raises:
            ValueError: they stand for none.
        """
        given = value if isinstance(value, dict) else {}
        for name in cls.__dataclass_fields__:
            part = given.get(name)
            texts = [*part, *part.values()] if isinstance(part, dict) else part
            if not isinstance(part, list if name == "commands" else dict) or any(
                not isinstance(t, str) for t in texts or ()
            ):
                raise ValueError(f"{name}: is not what it should be")
        return cls(**{**{name: given[name] for name in cls.__dataclass_fields__}, "commands": tuple(given["commands"])})


def inputs_of(seen: Seen, fixed: Inputs) -> Inputs:
    """Return the inputs of trials: what was fixed beforehand, and what a process saw them read."""
    files = {path: digest for path, digest in seen.files.items() if path not in fixed.declared}
    packages = _versions(seen.packages, seen.loaded, _installation())
    return Inputs(
        fixed.code,
        fixed.data,
        fixed.declared,
        files,
        seen.modules,
        seen.folders,
        packages,
        tuple(sorted(seen.commands)),
    )


@functools.lru_cache(maxsize=256)
def _versions(imported: tuple[str, ...], loaded: tuple[str, ...], _installed: object) -> dict[str, str]:
    """Return package -> what names its code, of those imported and of those that they need and the process holds."""
    held = {_normalised(name) for name in _distributions(loaded)}
    return {name: identity(name) for name in _required(_distributions(imported), held)}


def declared(patterns: Iterable[str], project: Path) -> dict[str, dict[str, str]]:
    """Return what a claim's `inputs` name: glob -> file -> SHA-256; nothing for a glob that matches no file.

    Args:
        patterns: globs relative to the project; `**` stands for any folders. Hidden files are matched by name alone.
        project: folder that holds `claims/`.
    """
    return {
        pattern: {path: digest_of_file(project / path) for path in matches(pattern, project)} for pattern in patterns
    }


def changes(inputs: Inputs, fixed: Inputs, experiment: Path, project: Path) -> list[str]:
    """Return what of a trial's inputs is otherwise today, in words; nothing if all is as it was.

    Args:
        inputs: as the trial's were.
        fixed: code, data and declared files of today.
        experiment: path of experiment.py.
        project: folder that holds `claims/`.
    """
    found = [
        f"{name} changed"
        for part in ("code", "data", "declared")
        for name in _differing(getattr(inputs, part), getattr(fixed, part))
    ]
    found += [f"{path} {_what(then)}" for path, then in inputs.files.items() if _file(project / path) != then]
    found += [f"{path} changed" for path, then in inputs.modules.items() if _file(project / path, code=True) != then]
    found += [
        f"the files in {path} changed"
        for path, then in inputs.folders.items()
        if _folder(project / path, experiment, project) != then
    ]
    versions = {name: (then, identity(name)) for name, then in inputs.packages.items()}
    found += [f"{name} changed from {then} to {now}" for name, (then, now) in versions.items() if then != now]
    return list(dict.fromkeys(found))


def _differing(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [name for name in {**then, **now} if then.get(name) != now.get(name)]


def _what(then: str) -> str:
    return "arrived" if then == ABSENT else "changed"


def _file(path: Path, *, code: bool = False) -> str:
    try:
        return digest_of_module(path) if code else digest_of_file(path)
    except OSError:
        return ABSENT


def _folder(path: Path, experiment: Path, project: Path) -> str:
    try:
        names = [entry.name for entry in path.iterdir()]
    except OSError:
        return ABSENT
    return digest_of_names(name for name in names if is_counted_name(name, path, experiment, project))


def identity(name: str) -> str:
    """Return what names the code of an installed package: its version, and what else changes where that does not."""
    return _identity(name, _installation())


def _installation() -> tuple[tuple[str, int], ...]:
    """Return what changes whenever a package is installed, removed or replaced."""
    places = ((path, _changed(path)) for path in dict.fromkeys(sys.path))
    return tuple(place for place in places if _descriptions(*place))


@functools.lru_cache(maxsize=256)
def _descriptions(path: str, _changed: int) -> tuple[Path, ...]:
    """Return the folders in which a place describes what is installed there."""
    return tuple(sorted(Path(path or ".").glob("*.dist-info")))


def _changed(path: str) -> int:
    try:
        return Path(path or ".").stat().st_mtime_ns
    except OSError:
        return 0


@functools.lru_cache(maxsize=4096)
def _identity(name: str, _installed: object) -> str:
    try:
        found = importlib.metadata.distribution(name)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return NOT_INSTALLED
    origin = _origin(found.read_text("direct_url.json"))
    commit = origin.get("vcs_info", {}).get("commit_id")
    if commit:
        return f"{found.version} at {commit[:12]}"
    if origin.get("url", "").startswith("file:") and not origin.get("dir_info", {}).get("editable"):
        # Built from a folder, it may have kept its version although its code changed; this lists what was installed.
        return f"{found.version} of {digest_of(found.read_text('RECORD'))[:12]}"
    return str(found.version)


def _origin(text: str | None) -> dict[str, Any]:
    """Return where a package was installed from, as PEP 610 has it; nothing for one from an index."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _distributions(imported: Iterable[str]) -> set[str]:
    """Return the packages that hold what is imported under some names; Python's own modules are of none."""
    found: set[str] = set()
    for name in imported:
        found.update(_by_import(_installation()).get(name) or ([name] if identity(name) != NOT_INSTALLED else []))
    return found


@functools.lru_cache(maxsize=2)
def _by_import(installed: tuple[tuple[str, int], ...]) -> dict[str, list[str]]:
    """Return name of import -> packages that hold it, by the folders that describe what is installed."""
    found: dict[str, list[str]] = {}
    for place in installed:
        for folder in _descriptions(*place):
            for top in _tops(folder):
                found.setdefault(top, []).append(folder.name.split("-", 1)[0])
    return found


def _tops(folder: Path) -> set[str]:
    """Return the modules at the top of an installed package, as it lists them itself, or else its files."""
    listed, files = folder / "top_level.txt", folder / "RECORD"
    if listed.is_file():
        return set(listed.read_text(encoding="utf-8").split())
    lines = files.read_text(encoding="utf-8").splitlines() if files.is_file() else []
    firsts = {line[: end if (end := line.find("/")) > 0 else line.find(",")] for line in lines}
    return {first.split(".")[0] for first in firsts if not first.endswith((".dist-info", ".pth")) and first[:1] != "."}


def _required(packages: Iterable[str], loaded: Collection[str]) -> list[str]:
    """Return packages with those that they say they need, as far as these were loaded."""
    found, pending = dict[str, str](), list(packages)
    while pending:
        name = pending.pop()
        if _normalised(name) not in found:
            found[_normalised(name)] = name
            pending += [need for need in _requirements(name, _installation()) if _normalised(need) in loaded]
    return sorted(found)


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@functools.lru_cache(maxsize=4096)
def _requirements(name: str, _installed: object) -> list[str]:
    """Return what a package needs, without what it needs for extras."""
    lines = importlib.metadata.requires(name) or []
    needed = (re.match(r"[A-Za-z0-9._-]+", line) for line in lines if not re.search(r";.*\bextra\b", line))
    return [match.group() for match in needed if match]
