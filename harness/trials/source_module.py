"""A module from its file, as the file is now."""

from __future__ import annotations

import ast
import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


class _FromSource(SourceFileLoader):
    """Reads and writes no bytecode: Python trusts it by second and size, and an edit may keep both."""

    def path_stats(self, path: Any) -> NoReturn:
        """Say nothing that bytecode could be known by."""
        raise OSError(f"{path}: no bytecode is read")


def module_of(path: Path, name: str) -> ModuleType:
    """Run a file as a module of a name, which stands in sys.modules from then on: a dataclass looks its module up.

    Whatever the file raises comes through.
    """
    spec = importlib.util.spec_from_loader(name, _FromSource(name, str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def unwritten(path: Path) -> int | None:
    """Return the line of a measure() that only says that it has yet to be written, as `claims new` leaves it."""
    defined = (node for node in ast.parse(path.read_bytes()).body if isinstance(node, ast.FunctionDef))
    measure = next((node for node in defined if node.name == "measure"), None)
    if measure is None:
        return None
    *docstring, last = measure.body
    stub = isinstance(last, ast.Raise) and "NotImplementedError" in ast.unparse(last)
    return last.lineno if stub and all(isinstance(part, ast.Expr) for part in docstring) else None
