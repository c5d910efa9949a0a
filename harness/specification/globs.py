"""Files that a specification names by a pattern."""

from __future__ import annotations

from glob import glob
from pathlib import Path


def matches(pattern: str, project: Path) -> list[str]:
    """Return the files that a glob names, as it names them; `**` stands for any folders.

    Hidden files are matched by name alone, and compiled Python not at all.
    """
    # Unlike a Path's, it takes absolute patterns and `..` too.
    found = sorted(glob(pattern, root_dir=project, recursive=True))  # noqa: PTH207
    return [path for path in found if (project / path).is_file() and "__pycache__" not in Path(path).parts]
