"""What was read on behalf of a module, and how a file is told from another."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field

Signature = tuple[int, ...]
"""Times, size and inode of a file; empty for one that was not there."""


@dataclass
class Notes:
    """What was read on behalf of one module.

    Attributes:
        files: file -> its signatures when it was read.
        modules: files of Python that were imported, or read as text.
        folders: folder -> the names found there.
        packages: names under which installed packages are imported.
        commands: commands that were started, in order.
    """

    files: dict[str, set[Signature]] = field(default_factory=dict)
    modules: set[str] = field(default_factory=set)
    folders: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)
    packages: set[str] = field(default_factory=set)
    commands: dict[str, None] = field(default_factory=dict)


def signature_of(path: str) -> Signature:
    """Return what changes when a file does; empty where there is none."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return ()
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, stat.S_ISREG(found.st_mode))
