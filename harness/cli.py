"""The command line: what each command does stands in `harness.commands`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.commands import catalogue, data, noise, outlook, reports, retrospect, run, stores
from harness.errors import ClaimsError
from harness.outcome import AS_EXPECTED, USAGE
from harness.plaintext import block

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COMMANDS = (run, catalogue, outlook, noise, reports, retrospect, stores, data)
"""Each has `add_commands(commands)`, which gets the subparsers."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    given, rest = _split_run(list(sys.argv[1:] if arguments is None else arguments))
    options = _parser().parse_args(given)
    options.rest = rest
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        code = command(options)
        sys.stdout.flush()
    except ClaimsError as error:
        print(block(error), file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        # Whoever read this has seen enough, as `head` does. What Python still holds for them goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return AS_EXPECTED
    return code


def _split_run(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Split `run ID ... --option value ...` before its first option: from there on all belongs to pytest."""
    if "run" not in arguments:
        return arguments, []
    after = arguments.index("run") + 1
    before = arguments[: after - 1]
    if any(not word.startswith("-") and "--root" not in before[i - 1 : i] for i, word in enumerate(before)):
        # `run` is a value that another command is given.
        return arguments, []
    options = [
        i for i, word in enumerate(arguments) if i >= after and word.startswith("-") and word not in ("-h", "--help")
    ]
    return (arguments[: options[0]], arguments[options[0] :]) if options else (arguments, [])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="claims", description="Documented statements about machine learning, held against evidence."
    )
    parser.add_argument(
        "--root", type=Path, default=Path(), help="the project: the folder that holds claims/ (default: this one)"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.add_commands(commands)
    return parser
