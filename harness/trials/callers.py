"""On whose behalf something happens: whose a file is, whose code stands on a call stack, and how a command reads."""

from __future__ import annotations

import functools
import os
import shlex
import sysconfig
from typing import TYPE_CHECKING, Any

from harness.trials.modules import HARNESS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType

_LONGEST_COMMAND = 80
_PYTHONS = tuple(
    f"{os.path.abspath(path)}{os.sep}"
    for name in ("stdlib", "platstdlib")
    if (path := sysconfig.get_paths().get(name))
)  # fmt: skip
_ENGINE = {
    "trials": ["executor", "experiment", "plan", "worker"],
    "store": ["claim_lock", "database", "store", "trials"],
    "running": ["claim_run", "measuring", "session"],
    "pytest_plugin": ["claim_fixture", "fixture", "hooks", "plugin"],
}
_RUNNERS = frozenset(str(HARNESS / folder / f"{name}.py") for folder, names in _ENGINE.items() for name in names)
"""Modules below which, on a call stack, nobody asks on behalf of an experiment."""


INQUIRING = ("platform.py", "ctypes/util.py", "uuid.py")
"""Modules of Python whose commands do."""

SYSTEM = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/", "/lib/", "/lib64/", "/bin/", "/sbin/", "/run/")
"""Where the system lies: of no project, whatever is read there."""


@functools.lru_cache(maxsize=65_536)
def kind_of(path: str) -> str | None:
    """Return `own` for a file of the user's, `site` for one of an installed package, None for what counts nowhere."""
    path += os.sep
    if "/site-packages/" in path or "/dist-packages/" in path:
        return "site"
    if (
        ".dist-info/" in path
        or path.startswith(_PYTHONS)
        or path.startswith(SYSTEM)
        or path.startswith(f"{HARNESS}{os.sep}")
    ):
        return None
    return "own"


@functools.lru_cache(maxsize=65_536)
def package_of(path: str) -> str | None:
    """Return the name under which a file of an installed package is imported, None for what only describes packages."""
    parts = path.replace("/dist-packages/", "/site-packages/").rpartition("/site-packages/")[2].split(os.sep)
    name = parts[1] if parts[0] == "__pycache__" and len(parts) > 1 else parts[0]
    return None if name.endswith((".dist-info", ".egg-info", ".pth")) else name.split(".")[0] or None


@functools.lru_cache(maxsize=65_536)
def _owner(filename: str) -> str | None:
    """Return under what the code of a file notes: its path, `site:` and the package, None for what notes nothing."""
    if filename.startswith("<"):
        return None
    path = os.path.abspath(filename)
    kind = kind_of(path)
    return f"site:{package_of(path)}" if kind == "site" else path if kind else None


def owners_of(frame: FrameType | None) -> set[str]:
    """Return all on whose behalf something happens, from the innermost frame out to where a trial begins."""
    found = set()
    while frame is not None and (filename := frame.f_code.co_filename) not in _RUNNERS:
        owner = _owner(filename)
        if owner is not None:
            found.add(owner)
        frame = frame.f_back
    return found


def is_of_import(frame: FrameType) -> bool:
    """Whether Python looks for a module, or for what describes a package."""
    return frame.f_code.co_filename.startswith("<frozen ") or "/importlib/metadata/" in frame.f_code.co_filename


def is_inquiry(frame: FrameType | None) -> bool:
    """Whether Python itself asks what the machine is."""
    while frame is not None and os.path.abspath(frame.f_code.co_filename).startswith(_PYTHONS):
        if frame.f_code.co_filename.endswith(INQUIRING):
            return True
        frame = frame.f_back
    return False


def modules_of(owners: Iterable[str]) -> Iterator[str]:
    """Yield the owners that are modules of the user's."""
    return (owner for owner in owners if not owner.startswith("site:"))


def line_of(words: Any) -> str:
    """Return a command in one short line."""
    listed = [words] if isinstance(words, str | bytes | os.PathLike) else list(words or ())
    texts = [os.fsdecode(word) for word in listed]
    line = " ".join((texts[0] if len(texts) == 1 else shlex.join([os.path.basename(texts[0]), *texts[1:]])).split())
    # Of a long one both ends: the command's name, and what it was given last.
    half = _LONGEST_COMMAND // 2
    return line if len(line) <= _LONGEST_COMMAND else f"{line[: half - 1]}…{line[-half:]}"
