"""The command `claims run`: pytest on the claims that are named."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from harness.commands.project import add_ids, chosen, root_of

if TYPE_CHECKING:
    import argparse

CODES = "exit codes: 0 all as expected or waived, 1 a reading came out otherwise or a waiver has expired, 2 usage or specification, 3 inconclusive only, 4 errors in trials"


def add_commands(commands: Any) -> None:
    """Add `claims run`; `commands` are the subparsers."""
    run = commands.add_parser("run", help="run claims; options of pytest follow", epilog=CODES)
    add_ids(run)
    run.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    folders = chosen(options)
    targets = [str(folder) for folder in folders] if options.ids else [str(root_of(options))]
    flags = ["--import-mode=importlib", "--benchmark-skip", "-q", "-r", "fEx"]
    os.chdir(options.root)
    # pytest takes this process over, so that Ctrl-C and exit codes are its own.
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *flags, *targets, *options.rest])
