"""Which project's claims a session of pytest is about, if it is about claims at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECT: pytest.StashKey[Path] = pytest.StashKey()
"""The project whose claims a session is about; lacking in every other session."""

CLAIMS = "claims"
"""The folder of a project's claims."""


def is_claim(folder: Path) -> bool:
    """Whether a folder, claims/DOCUMENT/CLAIM, holds a claim and its test."""
    near = folder.parent.parent.name == CLAIMS
    return near and (folder / "claim.yaml").is_file() and (folder / "test_claim.py").is_file()


def project_of(config: pytest.Config) -> Path | None:
    """Return the project whose claims the arguments of pytest name, None if they name none."""
    if config.getoption("claims_wanted"):
        return config.invocation_params.dir
    return next((folder.parent for folder in _named(config) if any(map(is_claim, folder.glob("*/*")))), None)


def _named(config: pytest.Config) -> Iterator[Path]:
    """Yield the folders called `claims` that an argument of pytest names, or something in them."""
    for argument in config.args:
        path = config.invocation_params.dir / str(argument).split("::")[0]
        yield from (folder for folder in (path, *path.parents) if folder.name == CLAIMS)
