"""The command `claims fetch`: which data sets claims declare, and full ones into the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness._text import escape_unprintable
from harness.errors import UsageError
from harness.running.exit_code import AS_EXPECTED

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path


def add_commands(commands: Any) -> None:
    """Add `claims fetch`; `commands` are the subparsers."""
    fetch = commands.add_parser("fetch", help="list the data sets that claims declare, or download one into the cache")
    fetch.add_argument("data", nargs="?", metavar="DATA", help="the data set; without, all are listed")
    fetch.set_defaults(command=_fetch)


def _fetch(options: argparse.Namespace) -> int:
    project = options.root.resolve()
    for line in [_fetched(options.data, project)] if options.data else _listed(project):
        print(escape_unprintable(line))
    return AS_EXPECTED


def _fetched(name: str, project: Path) -> str:
    """Have the project's own loader download a data set; return where it lies."""
    from harness.trials.data_sets import FOLDER, known, loader_of, problem_of

    path = project / FOLDER / f"{name}.py"
    if name not in known(project):
        raise UsageError(f"fetch: {problem_of(name, project)}")
    return str(loader_of(path, project, "fetch").fetch())


def _listed(project: Path) -> Iterator[str]:
    """Yield a line for each data set that claims declare, or that is described and not declared."""
    from harness.trials.catalogue import load_all
    from harness.trials.data_sets import FOLDER, REMEDY, has, known

    folders, _ = load_all(project / "claims")
    readers = [name for folder in folders for name in folder.claim.data]
    if not known(project):
        yield f"no data set is described here; {REMEDY}, and a claim that reads it declares `data: [NAME]`"
    for name in known(project):
        number = readers.count(name)
        fetched = f"; `claims fetch {name}` downloads it" if has(project / FOLDER / f"{name}.py", "fetch") else ""
        yield f"{name}: {FOLDER}/{name}.py, declared by {number} claim{'s' * (number != 1)}{fetched}"
