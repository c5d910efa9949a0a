"""Finding and loading the documents that claims come from."""

from __future__ import annotations

import contextlib
from functools import lru_cache
from typing import TYPE_CHECKING

from harness.errors import SpecError
from harness.specification.document import Document
from harness.specification.parsing import parse
from harness.specification.yaml12 import read_yaml

if TYPE_CHECKING:
    from pathlib import Path


def document_folders(root: Path) -> list[Path]:
    """Return the folders of `root` that hold a document.yaml, sorted by name."""
    return sorted(path.parent for path in root.glob("*/document.yaml"))


def load_document(folder: Path) -> Document:
    """Load document.yaml; its id must be its folder's name."""
    path = folder / "document.yaml"
    # Its claims share it; one that cannot be read says so itself.
    return _document(path, path.stat().st_mtime_ns if path.is_file() else 0)


@lru_cache(maxsize=256)
def _document(path: Path, _changed: int) -> Document:
    folder, file = path.parent, read_yaml(path)
    document = parse(Document, file)
    if document.id != folder.name:
        raise SpecError(
            [file.problem(("id",), f"is {document.id!r}, but the folder is {folder.name!r}; make them equal")]
        )
    return document


def load_documents(root: Path) -> list[Document]:
    """Load the documents below `root`, without those that are none: `claims check` says what is wrong with them."""
    found = []
    for folder in document_folders(root):
        with contextlib.suppress(SpecError):
            found.append(load_document(folder))
    return found
