"""The command `claims run`: pytest on the claims that are named."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from typing import TYPE_CHECKING, Any

from harness.cli.project import add_ids, chosen, complete_profiles, root_of, short_names
from harness.errors import SpecError, UsageError
from harness.trials.options import FLAGS, PROGRESS, Options

if TYPE_CHECKING:
    from pathlib import Path

CODES = "exit codes: 0 all as expected or waived, 1 a reading came out otherwise or a waiver has expired, 2 usage or specification, 3 inconclusive only, 4 errors in trials"

REST = (
    "Ids and options come in any order. Every option that is not listed here goes to pytest: -x, -v, -k WORD, -n 4 "
    "(pytest-xdist), --maxfail=2 and whatever `pytest --help` lists, its value after =; after -- everything does."
)

WITH_VALUE = ("-k", "-m", "-n", "-p", "-o", "-W", "--maxfail", "--tb", "--durations", "--deselect", "--junitxml")
"""Options of pytest whose value may be a word of its own; of all others it follows =."""

ALMOST = 0.9
"""So near to one of ours, an option is that one misspelt; `--report-log` is at 0.84 to `--report`, and is none."""


class ToPytest(argparse.Action):
    """Keeps an option of pytest with its value."""

    def __call__(self, _parser: Any, namespace: Any, value: Any, option: str | None = None) -> None:
        """Append both."""
        namespace.to_pytest += [option, value]


def add_commands(commands: Any) -> None:
    """Add `claims run`; `commands` are the subparsers."""
    run = commands.add_parser("run", help="run claims, and write the reports", epilog=f"{REST}\n\n{CODES}")
    run.usage = "claims run [ID ...] [option ...] [option of pytest ...] [-- ...]"
    add_ids(run)
    for flag in FLAGS:
        run.add_argument(f"--{flag.name}", f"--claims-{flag.name}", **flag.settings)
    complete_profiles(run)
    run.set_defaults(command=_run, to_pytest=[], own=list(run._option_string_actions))
    for option in WITH_VALUE:
        run.add_argument(option, action=ToPytest, dest="to_pytest", help=argparse.SUPPRESS)


def _run(options: argparse.Namespace) -> int:
    _refuse_misspelt(options.to_pytest, options.own)
    folders = chosen(options)
    given = {flag.name: value for flag in FLAGS if (value := getattr(options, flag.name.replace("-", "_"))) is not None}
    given.setdefault("progress", PROGRESS[0])
    _check(given, folders)
    paths = [str(folder) for folder in folders] if options.ids else [str(root_of(options))]
    passed = [f"--claims-{name}" if value is True else f"--claims-{name}={value}" for name, value in given.items()]
    # The plugins by name, since a project may have turned them off for its own tests; the root, since pytest would
    # take the next folder above that has a configuration.
    flags = ["-p", "claims", "-p", "benchmark", f"--rootdir={options.root.resolve()}"]
    flags += ["--benchmark-skip", "-q", "-r", "fEx", "--claims-wanted"]
    os.chdir(options.root)
    # pytest takes this process over, so that Ctrl-C and exit codes are its own.
    os.execv(
        sys.executable, [sys.executable, "-m", "pytest", *flags, *paths, *passed, *options.to_pytest, *options.verbatim]
    )


def _refuse_misspelt(words: list[str], own: list[str]) -> None:
    """Raise a UsageError for an option that is nearly one of ours: pytest would not know whose it was meant to be."""
    for option in words:
        near = difflib.get_close_matches(option.split("=")[0], own, n=1, cutoff=ALMOST)
        if option.startswith("--") and near:
            raise UsageError(
                f"no option {option!r}; did you mean {near[0]!r}? (after -- it would go to pytest as it is)"
            )


def _check(given: dict[str, Any], folders: list[Path]) -> None:
    """Refuse what no claim can be run with, before pytest begins.

    Raises:
        UsageError: for an impossible option, or a profile that none of the claims has.
    """
    checked = ("profile", "device", "workers", "max-seconds", "executor", "ray-address")
    fields = {name.replace("-", "_"): given[name] for name in checked if name in given}
    try:
        profile = Options(**fields).profile
    except UsageError as error:
        raise short_names(error) from None
    if given["progress"] not in PROGRESS:
        raise UsageError(f"--progress: {given['progress']!r} is no way to show it; give one of {', '.join(PROGRESS)}")
    from harness.specification.parsing import suggestion

    known: set[str] = set()
    for folder in folders:
        known |= _profiles(folder)
        if profile in known:
            return
    if known:
        raise UsageError(f"--profile: no claim that is to run has a profile {profile!r}; {suggestion(profile, known)}")


def _profiles(folder: Path) -> set[str]:
    """Return the profiles of a claim, none if it cannot be loaded: its own test will say what is wrong."""
    from harness.trials.catalogue import load_claim

    try:
        return set(load_claim(folder).claim.profiles)
    except SpecError:
        return set()
