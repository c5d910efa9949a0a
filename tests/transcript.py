"""A document with commands and what they print, as steps that can be run and compared."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

FILE = re.compile(r"^# file: (\S+)\n")
"""The first line of a block that is to be written to a file; where a comment would be a row, without that line."""

ELISION = "..."
"""On a line alone: any lines, or none. Within a line: any text."""

END = "\x1e"
"""Printed after every command, before and after its exit code."""


@dataclass(frozen=True)
class Command:
    """A command, and the lines that it should print."""

    line: str
    expected: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class File:
    """A file to be written."""

    path: str
    text: str


def steps(document: str) -> list[Command | File]:
    """Return what a reader of a document does, in order."""
    return [step for kind, text in BLOCK.findall(document) for step in _steps(kind, text)]


def _steps(kind: str, text: str) -> Iterator[Command | File]:
    named = FILE.match(text)
    if named:
        yield File(named[1], text[named.end() :] if kind == "csv" else text)
    elif kind == "console":
        for line in text.splitlines():
            if line.startswith("$ "):
                command = Command(line.removeprefix("$ "))
                yield command
            else:
                command.expected.append(line)


def script(todo: list[Command | File], after: dict[str, str]) -> str:
    """Return a script for bash that does all steps in one shell; after a command that begins so, what `after` says."""
    lines = []
    for step in todo:
        if isinstance(step, File):
            lines.append(f"printf %s {shlex.quote(step.text)} > {shlex.quote(step.path)}")
        else:
            lines += [step.line, f"code=$?; printf '{END}%d{END}' $code"]
            lines += [words for beginning, words in after.items() if step.line.startswith(beginning)]
            # What the next command is told by $?.
            lines.append("(exit $code)")
    return "\n".join(lines) + "\n"


def perform(
    todo: list[Command | File], folder: Path, environment: dict[str, str], after: dict[str, str] | None = None
) -> list[tuple[Command, list[str]]]:
    """Do all steps in `folder`; return each command with the lines that it printed."""
    done = subprocess.run(
        ["bash", "-c", script(todo, after or {})],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    printed = done.stdout.split(END)[:-1:2]
    commands = [step for step in todo if isinstance(step, Command)]
    return [(command, text.splitlines()) for command, text in zip(commands, printed, strict=True)]


def mismatch(expected: list[str], printed: list[str]) -> str | None:
    """Return the first expected line that was not printed where it should be, None if all were."""
    at, anywhere = 0, False
    for line in expected:
        if line == ELISION:
            anywhere = True
            continue
        reach = range(at, len(printed)) if anywhere else range(at, min(at + 1, len(printed)))
        found = next((index for index in reach if _same(line, printed[index])), None)
        if found is None:
            return line
        at, anywhere = found + 1, False
    return None if anywhere or at == len(printed) else f"nothing more, but there is {printed[at]!r}"


def _same(expected: str, printed: str) -> bool:
    pattern = ".*".join(map(re.escape, expected.rstrip().split(ELISION)))
    return re.fullmatch(pattern, printed.rstrip()) is not None
