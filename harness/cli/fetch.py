"""The command `claims fetch`: full data sets into the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness._text import visible
from harness.running.exit_code import AS_EXPECTED

if TYPE_CHECKING:
    import argparse


def add_commands(commands: Any) -> None:
    """Add `claims fetch`; `commands` are the subparsers."""
    fetch = commands.add_parser("fetch", help="download a full data set into the cache")
    fetch.add_argument("data", choices=["mnist"], help="the data set")
    fetch.set_defaults(command=_fetch)


def _fetch(options: argparse.Namespace) -> int:
    from harness.cli.loaders import loader_of

    print(visible(loader_of(options.root.resolve(), options.data).fetch()))
    return AS_EXPECTED
