"""How the command line reads its arguments and shows its help: short errors, commands in groups."""

from __future__ import annotations

import argparse
import difflib
import shutil
from typing import TYPE_CHECKING, Any, NoReturn

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GROUPS = {
    "begin": ("init", "new", "fetch", "doctor", "completion"),
    "read what is claimed": ("list", "show", "check", "coverage"),
    "run": ("run", "plan", "aa", "prove"),
    "see what was found": ("report", "judge", "history", "compare", "repro"),
    "trials and files": ("export", "import", "gc", "index", "schema"),
}
"""The commands as a newcomer meets them; one that is not named here comes last."""

ABOUT = "Documented statements about machine learning, held against evidence."

EXAMPLES = (
    ("claims list", "what is claimed here, and how it came out last"),
    ("claims run ID --profile smoke", "does it run at all? seconds, and no verdict"),
    ("claims run ID", "a verdict; interrupted, the same command goes on from there"),
)


class Paragraphs(argparse.HelpFormatter):
    """Shows text in the paragraphs that it is written in."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(super(Paragraphs, self)._fill_text(part, width, indent) for part in text.split("\n\n"))


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line with a remedy."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"allow_abbrev": False, "formatter_class": Paragraphs, **settings})

    def error(self, message: str) -> NoReturn:
        """Raise a UsageError."""
        raise UsageError(f"{self.prog}: {message}; `{self.prog} --help` lists what it takes")


class Overview(Parser):
    """The parser of `claims` itself, whose help has the commands in groups."""

    def format_help(self) -> str:
        """Return the overview."""
        return "\n".join([ABOUT, "", "usage: claims [--root FOLDER] COMMAND ...", *self._groups(), *self._end()]) + "\n"

    def _groups(self) -> Iterator[str]:
        helps = {choice.dest: choice.help or "" for choice in commands_of(self)._choices_actions}
        named = [name for names in GROUPS.values() for name in names]
        groups = GROUPS | {"more": tuple(name for name in helps if name not in named)}
        for title, names in groups.items():
            here = [name for name in names if name in helps]
            yield from ["", f"{title}:", *(_row(name, helps[name], 12) for name in here)] if here else []

    def _end(self) -> Iterator[str]:
        yield from ("", "for example:")
        yield from (_row(command, what, 31) for command, what in EXAMPLES)
        yield from ("", "`claims COMMAND --help` says more of each. --root FOLDER names a project elsewhere.")


def _row(name: str, text: str, width: int) -> str:
    """Return a line of help that fits the terminal."""
    room = max(40, shutil.get_terminal_size((100, 24)).columns)
    line = f"  {name:<{width}} {text}"
    return line if len(line) <= room else f"{line[: room - 1]}…"


def commands_of(parser: argparse.ArgumentParser) -> Any:
    """Return the subparsers of a parser."""
    return next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))


def near(word: str, known: Iterable[str], otherwise: str) -> str:
    """Return `did you mean 'x'?`, or something else where nothing is near; the beginning of a single name is near."""
    names = list(known)
    begun = [name for name in names if word and name.startswith(word)]
    close = begun if len(begun) == 1 else difflib.get_close_matches(word, names, n=1)
    return f"did you mean {close[0]!r}?" if close else otherwise
