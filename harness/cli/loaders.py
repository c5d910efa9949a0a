"""A project's own loaders of data: they belong to the project, not to the harness, and are found by path."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

from harness.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


def loader_of(project: Path, data: str) -> ModuleType:
    """Return the module `fixtures/<data>.py` of a project, which has a function `fetch()`.

    Raises:
        UsageError: there is none.
    """
    path = project / "fixtures" / f"{data}.py"
    if not path.is_file():
        raise UsageError(
            f"{path}: no such file; what is fetched, and from where, is said by a project's own loader: "
            f"a module with fetch() there. Where claims load their data by themselves, nothing needs to be fetched"
        )
    # What it imports in its turn is found from the project, as when an experiment imports it.
    sys.path.insert(0, str(project))
    # By path, since another package may be called `fixtures` too.
    spec = importlib.util.spec_from_file_location(f"fixtures.{data}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    if not callable(getattr(module, "fetch", None)):
        raise UsageError(f"{path}: has no function fetch(), which downloads the data and returns where they are")
    return module
