"""What is done with a store as a whole: `claims export`, `import`, `gc`."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._text import block
from harness.cli.project import add_json, add_store, root_of, store_of
from harness.errors import UsageError
from harness.report.export import add_options as add_export_options
from harness.report.export import counted
from harness.running.exit_code import AS_EXPECTED

if TYPE_CHECKING:
    import argparse


def add_commands(commands: Any) -> None:
    """Add the commands to a command line; `commands` are its subparsers."""
    export = commands.add_parser("export", help="write what the store holds for other tools")
    add_export_options(export)
    export.set_defaults(command=_export)
    merge = commands.add_parser("import", help="add the trials of another store, of another machine say")
    merge.add_argument("file", type=Path, metavar="FILE", help="a store, or what `claims export --sqlite` wrote of one")
    merge.set_defaults(command=_import)
    gc = commands.add_parser("gc", help="name the trials that no claim can read any more; with --delete, delete them")
    gc.add_argument("--delete", action="store_true", help="delete them; what runs said of claims is kept")
    gc.set_defaults(command=_gc)
    for command in (export, merge, gc):
        add_store(command)
        add_json(command)


def _export(options: argparse.Namespace) -> int:
    from harness.report.export import export

    with closing(store_of(options)) as store:
        facts, words = export(options, store)
    _tell(options, facts, words)
    return AS_EXPECTED


def _import(options: argparse.Namespace) -> int:
    from harness.store.store import Store

    with closing(Store(options.root / options.store)) as store:
        counts = store.merge(options.file)
    path = options.root / options.store
    _tell(options, {"store": str(path), "new": counts}, f"{path}: new: {counted(counts)}")
    return AS_EXPECTED


def _gc(options: argparse.Namespace) -> int:
    from harness.store.garbage import garbage, reasons
    from harness.trials.catalogue import load_all
    from harness.trials.options import Options

    loaded, problems = load_all(root_of(options))
    if problems:
        raise UsageError("\n".join([*map(str, problems), "nothing is deleted while a claim cannot be read"]))
    with closing(store_of(options)) as store:
        found = garbage(store, loaded, Options(store=options.root / options.store))
        lines = reasons(found) or ["every trial can still be read by a claim"]
        deleted = store.discard(found) if found and options.delete else 0
    if found:
        lines.append(f"deleted {deleted} trials" if options.delete else "nothing was deleted; --delete does it")
    _tell(options, {"reasons": dict(Counter(found.values())), "trials": found, "deleted": deleted}, "\n".join(lines))
    return AS_EXPECTED


def _tell(options: argparse.Namespace, facts: dict[str, Any], words: str) -> None:
    """Print what was done, as JSON if that is asked for."""
    print(json.dumps(facts, indent=1) if options.json else block(words))
