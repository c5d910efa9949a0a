"""The command `claims completion`: what a shell needs to complete commands, options, claims and profiles."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.running.exit_code import AS_EXPECTED

if TYPE_CHECKING:
    import argparse

SHELLS = ("bash", "zsh", "fish")

HOW = """\
In bash and zsh, `eval "$(claims completion)"` makes it work in this terminal; in fish, `claims completion fish | source`.

To keep it, put that line into ~/.bashrc, ~/.zshrc or ~/.config/fish/config.fish."""


def add_commands(commands: Any) -> None:
    """Add `claims completion`; `commands` are the subparsers."""
    completion = commands.add_parser("completion", help="print what makes your shell complete with Tab", epilog=HOW)
    completion.add_argument("shell", nargs="?", choices=SHELLS, help="which shell (default: that of $SHELL, else bash)")
    completion.set_defaults(command=_completion)


def _completion(options: argparse.Namespace) -> int:
    from argcomplete.shell_integration import shellcode

    own = Path(os.environ.get("SHELL", "")).name
    shell = options.shell or (own if own in SHELLS else SHELLS[0])
    print(shellcode(["claims"], shell=shell))
    return AS_EXPECTED
