"""The command `claims run`: pytest on the claims that are named."""

from __future__ import annotations

import difflib
import os
import sys
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.project import add_ids, chosen, complete_profiles, root_of, short_names, targets
from harness.errors import SpecError, UsageError
from harness.trials.options import FLAGS, PROGRESS, Options

if TYPE_CHECKING:
    import argparse

CODES = "exit codes: 0 all as expected or waived, 1 a reading came out otherwise or a waiver has expired, 2 usage or specification, 3 inconclusive only, 4 errors in trials"

REST = (
    "Ids and options come in any order. Every option that is not listed here goes to pytest: -x, -v, -k WORD, -n 4 "
    "(pytest-xdist), and whatever `pytest --help` lists; after -- everything does."
)

OWN = {
    "-h": 0,
    "--help": 0,
    "--root": 1,
    **{f"--{prefix}{flag.name}": int(flag.metavar is not None) for flag in FLAGS for prefix in ("", "claims-")},
}
"""The options that `claims run` reads itself, and how many words follow each."""

WITH_VALUE = frozenset(
    [
        "-k",
        "-m",
        "-n",
        "-p",
        "-c",
        "-o",
        "-r",
        "-W",
        "--maxfail",
        "--tb",
        "--durations",
        "--durations-min",
        "--junitxml",
        "--junit-xml",
        "--color",
        "--dist",
        "--deselect",
        "--ignore",
        "--ignore-glob",
        "--basetemp",
        "--rootdir",
        "--confcutdir",
        "--log-level",
        "--log-cli-level",
        "--log-file",
        "--capture",
        "--import-mode",
        "--override-ini",
        "--config-file",
        "--numprocesses",
        "--benchmark-json",
        "--benchmark-sort",
    ]
)
"""Options of pytest after which a word is their value, even one that is also the name of a claim."""

ALMOST = 0.9
"""So near to one of ours, an option is that one misspelt; `--report-log` is at 0.84 to `--report`, and is none."""


@dataclass
class Words:
    """The words after `claims run`, sorted.

    Attributes:
        own: options of `claims run` with their values.
        ids: names of claims and documents.
        rest: options for pytest, each with its value if it is known to take one.
        doubtful: words that follow an option of `rest`: its value, or the name of a claim.
        verbatim: what stood after `--`, and goes to pytest whatever it is.
    """

    own: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    rest: list[list[str]] = field(default_factory=list)
    doubtful: list[tuple[str, list[str]]] = field(default_factory=list)
    verbatim: list[str] = field(default_factory=list)


def add_commands(commands: Any) -> None:
    """Add `claims run`; `commands` are the subparsers."""
    run = commands.add_parser("run", help="run claims, and write the reports", epilog=f"{REST}\n\n{CODES}")
    run.usage = "claims run [ID ...] [option ...] [option of pytest ...] [-- ...]"
    add_ids(run)
    for flag in FLAGS:
        run.add_argument(f"--{flag.name}", f"--claims-{flag.name}", **flag.settings)
    complete_profiles(run)
    run.set_defaults(command=_run)


def sort_words(words: list[str]) -> Words:
    """Tell the words after `claims run` apart: ids and options come in any order, and pytest's may lie between them."""
    end = words.index("--") if "--" in words else len(words)
    found = Words(verbatim=words[end + 1 :])
    left = iter(words[:end])
    doubted: list[str] | None = None
    for word in left:
        name, whole = word.split("=")[0], "=" in word
        if name in OWN:
            found.own += [word, *islice(left, 0 if whole else OWN[name])]
            doubted = None
        elif word.startswith("-"):
            found.rest.append([word, *islice(left, int(name in WITH_VALUE and not whole))])
            doubted = found.rest[-1] if len(found.rest[-1]) == 1 and not whole else None
        elif doubted is not None:
            found.doubtful.append((word, doubted))
            doubted = None
        else:
            found.ids.append(word)
    return found


def _run(options: argparse.Namespace) -> int:
    words: Words = options.words
    _refuse_misspelt(words)
    _settle(words, options)
    options.ids += [name for name in words.ids if name not in options.ids]
    folders = chosen(options)
    given = {flag.name: value for flag in FLAGS if (value := getattr(options, flag.name.replace("-", "_"))) is not None}
    given.setdefault("progress", PROGRESS[0])
    _check(given, folders)
    paths = [str(folder) for folder in folders] if options.ids else [str(root_of(options))]
    passed = [f"--claims-{name}" if value is True else f"--claims-{name}={value}" for name, value in given.items()]
    rest = [word for option in words.rest for word in option] + words.verbatim
    # The plugins by name, since a project may have turned them off for its own tests; the root, since pytest would
    # take the next folder above that has a configuration.
    flags = ["-p", "claims", "-p", "benchmark", f"--rootdir={options.root.resolve()}"]
    flags += ["--benchmark-skip", "-q", "-r", "fEx", "--claims-wanted"]
    os.chdir(options.root)
    # pytest takes this process over, so that Ctrl-C and exit codes are its own.
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *flags, *paths, *passed, *rest])


def _refuse_misspelt(words: Words) -> None:
    """Raise a UsageError for an option that is nearly one of ours: pytest would not know whose it was meant to be."""
    for option, *_ in words.rest:
        near = difflib.get_close_matches(option.split("=")[0], OWN, n=1, cutoff=ALMOST)
        if option.startswith("--") and near:
            raise UsageError(
                f"no option {option!r}; did you mean {near[0]!r}? (after -- it would go to pytest as it is)"
            )


def _settle(words: Words, options: argparse.Namespace) -> None:
    """Decide of doubtful words whose they are: a name goes to the names, all else is the value of the option before it."""
    known = targets(root_of(options)) if words.doubtful else {}
    for word, option in words.doubtful:
        near = difflib.get_close_matches(word, known, n=1, cutoff=ALMOST)
        if word in known:
            words.ids.append(word)
        elif near and not Path(word).exists():
            raise UsageError(
                f"no claim {word!r}; did you mean {near[0]!r}? If it is the value of {option[0]}, write {option[0]}={word}"
            )
        else:
            option.append(word)


def _check(given: dict[str, Any], folders: list[Path]) -> None:
    """Refuse what no claim can be run with, before pytest begins.

    Raises:
        UsageError: for an impossible option, or a profile that none of the claims has.
    """
    fields = {
        name.replace("-", "_"): given[name] for name in ("profile", "device", "workers", "max-seconds") if name in given
    }
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
