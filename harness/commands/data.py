"""The command `claims fetch`: full data sets into the cache."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from harness.outcome import AS_EXPECTED
from harness.plaintext import visible

if TYPE_CHECKING:
    import argparse


def add_commands(commands: Any) -> None:
    """Add `claims fetch`; `commands` are the subparsers."""
    fetch = commands.add_parser("fetch", help="download a full data set into the cache")
    fetch.add_argument("data", choices=["mnist"], help="the data set")
    fetch.set_defaults(command=_fetch)


def _fetch(options: argparse.Namespace) -> int:
    # The loaders belong to the project, not to the harness, and are found by path.
    sys.path.insert(0, str(options.root.resolve()))
    import importlib

    print(visible(importlib.import_module(f"fixtures.{options.data}").fetch()))
    return AS_EXPECTED
