"""What a project has already that a folder of claims would meet: packages of the same names, builds that look around."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOTS = ("", "src")
"""Folders of a project, from its root, where packages of its own may lie."""


def refuse_namesake(project: Path) -> None:
    """Refuse a project that has a package of this tool's own name.

    Raises:
        UsageError: it has; whichever of the two Python finds first hides the other.
    """
    for place in _packages(project, "harness"):
        if not place.samefile(Path(__file__).parents[1]):
            raise UsageError(
                f"{place}: is a package of the name of this tool's own, and Python finds but one of the two; nothing was "
                "written. Rename it, or keep the claims in a project and an environment of their own (claims init FOLDER)"
            )


def notes(project: Path) -> Iterator[str]:
    """Yield what whoever begins claims in a project should know, one line each; nothing in most projects."""
    for place in _packages(project, "claims"):
        if place.parent == project:
            yield (
                f"note: {place} is a package of this project: it will hold the claims, too, and a build takes them along; "
                "its own tests stay pytest's, and `claims run` runs none of them"
            )
        else:
            yield (
                f"note: {place} is a package of this project: `import claims` means that package, as before; "
                f"{project / 'claims'} is no package, so put no __init__.py there"
            )
    for place in _packages(project, "fixtures"):
        yield (
            f"note: {place} is a package of this project: claims may import it, and what they import is part of their "
            "trials' keys; `claims fetch` looks for loaders of data there"
        )
    if _looks_around(project):
        yield (
            f"note: {project / 'pyproject.toml'}: setuptools looks for packages by itself here and will refuse claims/ and "
            "reports/ beside yours (`Multiple top-level packages`); name yours: [tool.setuptools] packages = [...]"
        )


def _packages(project: Path, name: str) -> Iterator[Path]:
    """Yield where a project has a package or a module of a name."""
    for root in ROOTS:
        folder = project / root / name
        if (folder / "__init__.py").is_file():
            yield folder
        elif folder.with_suffix(".py").is_file():
            yield folder.with_suffix(".py")


def _looks_around(project: Path) -> bool:
    """Whether setuptools finds a project's packages by itself, and not below src/."""
    try:
        said: dict[str, Any] = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    built = said.get("build-system", {}).get("build-backend", "setuptools.build_meta")
    named = {"packages", "py-modules", "package-dir"} & said.get("tool", {}).get("setuptools", {}).keys()
    older = any((project / name).is_file() for name in ("setup.py", "setup.cfg"))
    ours = "setuptools" in str(built) and "project" in said
    return ours and not named and not older and not (project / "src").is_dir()
