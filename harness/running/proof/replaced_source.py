"""Another text in the place of a module's: how a broken version of an experiment is run without a copy of the project."""

from __future__ import annotations

from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import CodeType


def replace_source(path: Path, text: str) -> None:
    """Have Python run `text` wherever it would import the module at `path`, for as long as this process lives.

    The file is left as it is, and so is its bytecode; what is imported already stays what it was.
    """
    whole = path.resolve()
    original = SourceFileLoader.get_code

    def get_code(loader: Any, name: str) -> CodeType | None:
        if Path(loader.path).resolve() == whole:
            return compile(text, loader.path, "exec", dont_inherit=True)
        return original(loader, name)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign, assignment]
