"""The command line: what each command does stands in `harness.cli`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._text import block, escape_unprintable
from harness.cli import (
    aa,
    check,
    completion,
    coverage,
    doctor,
    fetch,
    new,
    plan,
    prove,
    questions,
    results,
    run,
    specifications,
    stores,
)
from harness.cli.arguments import ABOUT, Overview, Parser, commands_of, near
from harness.errors import ClaimsError, UsageError
from harness.running.exit_code import AS_EXPECTED, USAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

COMMANDS = (
    run,
    new,
    specifications,
    check,
    coverage,
    plan,
    aa,
    prove,
    results,
    questions,
    stores,
    fetch,
    doctor,
    completion,
)
"""Each has `add_commands(commands)`, which gets the subparsers."""

COMPLETING = "_ARGCOMPLETE"
"""The variable by which a shell asks for the words that may come next."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    try:
        options = parse(list(sys.argv[1:] if arguments is None else arguments))
        command: Callable[[argparse.Namespace], int] = options.command
        code = command(options)
        sys.stdout.flush()
    except ClaimsError as error:
        print(block(error), file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        # Whoever read this has seen enough, as `head` does. What Python still holds for them goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return AS_EXPECTED
    return code


def parse(arguments: list[str]) -> argparse.Namespace:
    """Return the options of a command line.

    Raises:
        UsageError: no such command or option, or a value that does not fit.
    """
    parser = build_parser()
    if COMPLETING in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser)
    known = commands_of(parser).choices
    at = _command_at(arguments)
    named = arguments[at : at + 1]
    for name in named:
        _refuse_unknown(name, known)
    end = arguments.index("--") if named == ["run"] and "--" in arguments else len(arguments)
    options, extra = parser.parse_known_args(arguments[:end])
    options.verbatim = arguments[end + 1 :]
    _add_extra(options, extra, known[named[0]] if named else parser)
    return options


def _command_at(arguments: list[str]) -> int:
    """Return the position of the command: the first word that is neither an option nor the value of --root."""
    found = (i for i, word in enumerate(arguments) if not word.startswith("-") and arguments[i - 1 : i] != ["--root"])
    return next(found, len(arguments))


def _refuse_unknown(name: str, known: Iterable[str]) -> None:
    if name not in known:
        raise UsageError(
            f"no command {name!r}; {near(name, known, 'nothing here is like it.')} `claims --help` lists them"
        )


def _add_extra(options: argparse.Namespace, extra: list[str], command: argparse.ArgumentParser) -> None:
    """Take ids that come after options for what they are; refuse the rest, or keep it for pytest."""
    if hasattr(options, "to_pytest"):
        options.to_pytest += [word for word in extra if word.startswith("-")]
        extra = [word for word in extra if not word.startswith("-")]
    unknown = [word for word in extra if word.startswith("-") or not hasattr(options, "ids")]
    if unknown:
        help_ = f"`{command.prog} --help` lists what it takes"
        options_ = command._option_string_actions
        raise UsageError(f"{command.prog}: does not know {unknown[0]!r}; {near(unknown[0], options_, help_)}")
    if extra:
        options.ids += extra


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = Overview(prog="claims", description=ABOUT)
    root: dict[str, Any] = {
        "type": Path,
        "metavar": "FOLDER",
        "help": "the project: the folder that holds claims/ (default: this one)",
    }
    parser.add_argument("--root", default=Path(), **root)
    parser.add_argument("--version", action=_Version, nargs=0, help="say which version this is, and stop")
    parser.set_defaults(command=_overview)
    commands = parser.add_subparsers(metavar="COMMAND", parser_class=Parser)
    for module in COMMANDS:
        module.add_commands(commands)
    helps = {choice.dest: choice.help for choice in commands._choices_actions}
    for name, command in commands.choices.items():
        words = helps.get(name) or ""
        command.description = command.description or f"{words[:1].upper()}{words[1:]}."
        # After the command it means the same; it is absent unless given, or it would hide one before the command.
        command.add_argument("--root", default=argparse.SUPPRESS, **root)
    return parser


class _Version(argparse.Action):
    """Prints the installed version, which is looked up only when somebody asks for it."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"claims-harness {version('claims-harness')}")
        parser.exit()


def _overview(options: argparse.Namespace) -> int:
    """Print what there is to do, and where one stands."""
    print(build_parser().format_help(), end="")
    root: Path = options.root / "claims"
    number = sum(1 for _ in root.glob("*/*/claim.yaml"))
    here = f"{number} claims in {root.resolve()}" if number else f"no claims in {options.root.resolve()}"
    print(f"\n{escape_unprintable(here)}")
    return AS_EXPECTED
