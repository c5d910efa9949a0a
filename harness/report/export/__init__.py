"""`claims export`: what a store holds, for other tools."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from harness.store.store import Store


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add to the parser of `claims export` where to, one of which has to be given."""
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--sqlite", type=Path, metavar="FILE", help="a copy of the store, whoever is using it; `claims import` reads it"
    )
    where.add_argument(
        "--tensorboard", type=Path, metavar="DIR", help="event files for TensorBoard, a folder for each run"
    )
    where.add_argument(
        "--mlflow", metavar="URI", help="runs in MLflow: a server's http(s) address, or sqlite:/// and a file"
    )


def export(options: argparse.Namespace, store: Store) -> tuple[dict[str, Any], str]:
    """Export a store to where the options say; return what was written, as plain values and in one line.

    What is exported twice is there once.

    Raises:
        UsageError: what it needs is not installed, or nothing can be written there.
    """
    if options.sqlite is not None:
        store.save_copy(options.sqlite)
        counts = store.counts()
        return {"file": str(options.sqlite), "rows": counts}, f"{options.sqlite}: {counted(counts)}"
    if options.tensorboard is not None:
        from harness.report.export.tensorboard import export as to_tensorboard

        written = to_tensorboard(store, options.tensorboard)
        return {"folder": str(options.tensorboard), "written": written}, f"{options.tensorboard}: {written}"
    from harness.report.export.mlflow import export as to_mlflow

    written = to_mlflow(store, options.mlflow)
    return {"uri": options.mlflow, "written": written}, f"{options.mlflow}: {written}"


def counted(counts: dict[str, int]) -> str:
    """Return `runs 3, trials 690, ...`."""
    from harness.store.database import ROWS

    return ", ".join(f"{ROWS[table]} {number}" for table, number in counts.items())


def needed(module: str, extra: str) -> Any:
    """Return a module of an optional package.

    Raises:
        UsageError: it is not installed, or broken; the message says what installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(
            f'--{extra}: needs the package {extra} ({error}); pip install "claims-harness[{extra}]"'
        ) from None
