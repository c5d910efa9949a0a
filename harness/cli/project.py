"""What commands share: the project that they work in, its claims, its store."""

from __future__ import annotations

import re
import sys
from contextlib import closing, contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._text import escape_unprintable
from harness.cli.arguments import near
from harness.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection, Iterator

    from harness.retrospect.run_history import Past
    from harness.store.records.run import Run
    from harness.store.store import Store

STORE = Path(".claims/store.sqlite3")
"""Where the trials of a project are, relative to it."""

_PROFILES = re.compile(r"^profiles:[^\n]*\n((?:(?:[ #][^\n]*)?\n)+)", re.MULTILINE)

_PROFILE = re.compile(r"^  ([a-z]\w*):", re.MULTILINE)

LISTED = "`claims list` names them all"


def add_ids(command: Any, more: str = "all by default") -> None:
    """Let a command take the claims that it is about."""
    help_ = f"a claim, or a document for all its claims; {more}"
    command.add_argument("ids", nargs="*", metavar="ID", help=help_).completer = known_names


def known_names(parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    """Return the claims and documents that a shell may complete; quickly, so no specification is read."""
    paths = [path.parent for path in (parsed_args.root / "claims").glob("*/*/claim.yaml")]
    return sorted({path.name for path in paths} | {path.parent.name for path in paths})


def known_documents(parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    """Return the documents that a shell may complete."""
    return sorted(path.parent.name for path in (parsed_args.root / "claims").glob("*/document.yaml"))


def known_profiles(parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    """Return the profiles that a shell may complete: what stands below `profiles:`, without reading YAML as such."""
    texts = (path.read_text(encoding="utf-8") for path in (parsed_args.root / "claims").glob("*/*/claim.yaml"))
    blocks = (found[1] for text in texts if (found := _PROFILES.search(text)))
    return sorted({name for block in blocks for name in _PROFILE.findall(block)})


def complete_profiles(command: Any) -> None:
    """Let a shell complete the option --profile of a command."""
    for action in command._actions:
        if "--profile" in action.option_strings:
            action.completer = known_profiles


def add_store(command: Any) -> None:
    """Let a command take the store that it reads or writes."""
    command.add_argument(
        "--store", type=Path, default=STORE, metavar="PATH", help=f"SQLite file of trials (default {STORE})"
    )


def add_json(command: Any) -> None:
    """Let a command print JSON."""
    command.add_argument("--json", action="store_true", help="as JSON")


def root_of(options: argparse.Namespace) -> Path:
    """Return the folder of the claims.

    Raises:
        UsageError: there is none.
    """
    root: Path = options.root / "claims"
    if not root.is_dir():
        raise UsageError(
            f"{root.resolve()}: no such folder; run this where claims/ lies (cd), give --root, or begin a project with `claims init`"
        )
    return root.resolve()


def targets(root: Path) -> dict[str, list[Path]]:
    """Return what can be named: a claim with its folder, a document with the folders of its claims."""
    from harness.trials.catalogue import claim_folders

    found: dict[str, list[Path]] = {}
    folders = claim_folders(root)
    for folder in folders:
        found.setdefault(folder.parent.name, []).append(folder)
    # Of a claim and a document of one name, the claim is meant.
    return found | {folder.name: [folder] for folder in folders}


def chosen(options: argparse.Namespace) -> list[Path]:
    """Return the folders of the claims that are named, each once, of all if none is.

    A claim is named by its id or by its folder; the name of a document stands for all its claims, and * for any letters.

    Raises:
        UsageError: there is no claim at all, or none of such a name; all unknown names are told at once.
    """
    root = root_of(options)
    known = targets(root)
    if not known:
        raise UsageError(f"{root}: holds no claim yet; `claims new` begins one")
    names = options.ids or list(known)
    found = {name: _named(name, known) for name in names}
    unknown = [f"no claim or document {name!r}; {near(name, known, LISTED)}" for name in names if not found[name]]
    if unknown:
        raise UsageError("\n".join(unknown))
    folders = [folder for name in names for folder in found[name]]
    return list(dict.fromkeys(folders if options.ids else sorted(folders)))


def _named(name: str, known: dict[str, list[Path]]) -> list[Path]:
    """Return the folders that a name stands for, none if it is unknown."""
    if name in known:
        return known[name]
    if any(mark in name for mark in "*?["):
        return [folder for other in sorted(known) if fnmatchcase(other, name) for folder in known[other]]
    try:
        path = Path(name.removesuffix("claim.yaml")).resolve()
    except (OSError, RuntimeError, ValueError):
        # A circle of links, or what no path can hold.
        return []
    return [folder for folders in known.values() for folder in folders if path in (folder, folder.parent)]


def refuse_unknown_document(name: str | None, known: Collection[str]) -> None:
    """Refuse a document that there is none of.

    Raises:
        UsageError: names the nearest.
    """
    if name is not None and name not in known:
        raise UsageError(f"--document: no document {name!r} with claims; {near(name, known, ', '.join(sorted(known)))}")


@contextmanager
def opened(options: argparse.Namespace, *, needed: bool = False) -> Iterator[Store | None]:
    """Give the store, None if there is none; one that cannot be read is told of, for specifications can be shown without, or refused."""
    from harness.store.store import Store

    path = options.root / options.store
    try:
        store = Store(path) if path.is_file() else None
    except UsageError as error:
        if needed:
            raise short_names(error) from None
        print(escape_unprintable(f"{short_names(error)}; without verdicts:"), file=sys.stderr)
        store = None
    try:
        yield store
    finally:
        if store:
            store.close()


def store_of(options: argparse.Namespace) -> Store:
    """Return the store that a command reads.

    Raises:
        UsageError: there is none.
    """
    from harness.store.store import Store

    path = options.root / options.store
    if not path.is_file():
        raise UsageError(f"{path}: no such store; `claims run` makes one, or give another with --store")
    return Store(path)


def latest_run(options: argparse.Namespace) -> Run | None:
    """Return the last run in the store, None if there is no store or no run in it."""
    from harness.running.results import run_of
    from harness.store.store import Store

    path = options.root / options.store
    if not path.is_file():
        return None
    store = Store(path)
    latest = store.latest_run()
    return run_of(store, latest) if latest else None


def past_of(options: argparse.Namespace, run: Run) -> Past:
    """Return what the store knows of the claims of a run, run by run."""
    from harness.retrospect.run_history import chronicle_of
    from harness.store.store import Store

    with closing(Store(options.root / options.store)) as store:
        return chronicle_of(store, run)


def short_names(error: UsageError) -> UsageError:
    """Return an error about options by the names that they have here; where pytest reads them they have longer ones."""
    return UsageError(str(error).replace("--claims-", "--"))
