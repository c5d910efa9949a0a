"""What commands share: the project that they work in, its claims, its store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from harness.report import Run
    from harness.store import Store

STORE = Path(".claims/store.sqlite3")
"""Where the trials of a project are, relative to it."""


def add_ids(command: Any, more: str = "all by default") -> None:
    """Let a command take the claims that it is about."""
    command.add_argument("ids", nargs="*", metavar="ID", help=f"ids of claims; {more}")


def add_store(command: Any) -> None:
    """Let a command take the store that it reads or writes."""
    command.add_argument("--store", type=Path, default=STORE, help=f"SQLite file of trials (default {STORE})")


def add_json(command: Any) -> None:
    """Let a command print JSON."""
    command.add_argument("--json", action="store_true", help="as JSON")


def root_of(options: argparse.Namespace) -> Path:
    """Return the folder of the claims.

    Raises:
        UsageError: there is none.
    """
    root: Path = options.root / "claims"
    if not root.is_dir():
        raise UsageError(f"{root}: no such folder; run this where claims/ lies, or give --root")
    return root.resolve()


def chosen(options: argparse.Namespace) -> list[Path]:
    """Return the folders of the claims that are named, of all if none is.

    Raises:
        UsageError: there is none of that name.
    """
    from harness.catalogue import claim_folders
    from harness.validation import suggestion

    folders = {path.name: path for path in claim_folders(root_of(options))}
    for name in options.ids:
        if name not in folders:
            raise UsageError(f"no claim {name!r}; {suggestion(name, folders)}")
    return [folders[name] for name in options.ids or folders]


def store_of(options: argparse.Namespace) -> Store:
    """Return the store that a command reads.

    Raises:
        UsageError: there is none.
    """
    from harness.store import Store

    path = options.root / options.store
    if not path.is_file():
        raise UsageError(f"{path}: no such store; `claims run` makes one, or give another with --store")
    return Store(path)


def latest_run(options: argparse.Namespace) -> Run | None:
    """Return the last run in the store, None if there is no store or no run in it."""
    from harness.report import run_of
    from harness.store import Store

    path = options.root / options.store
    if not path.is_file():
        return None
    store = Store(path)
    latest = store.latest_run()
    return run_of(store, latest) if latest else None


def short_names(error: UsageError) -> UsageError:
    """Return an error about options by the names that they have here; where pytest reads them they have longer ones."""
    return UsageError(str(error).replace("--claims-", "--"))
