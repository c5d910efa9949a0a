"""The commands about specifications: `claims list`, `check`, `schema`, `index`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from harness.commands.project import add_json, add_store, latest_run, root_of
from harness.errors import UsageError
from harness.outcome import AS_EXPECTED, USAGE
from harness.plaintext import one_line, visible

if TYPE_CHECKING:
    import argparse


def add_commands(commands: Any) -> None:
    """Add the commands to a command line; `commands` are its subparsers."""
    lister = commands.add_parser("list", help="list the claims")
    add_json(lister)
    lister.set_defaults(command=_list)
    commands.add_parser("check", help="check every specification, without training").set_defaults(command=_check)
    index = commands.add_parser("index", help="write claims/README.md: every claim with its last verdicts")
    add_store(index)
    index.set_defaults(command=_index)
    schema = commands.add_parser("schema", help="print the JSON Schema of claim.yaml")
    schema.set_defaults(command=_schema)


def _list(options: argparse.Namespace) -> int:
    from harness.catalogue import load_all

    loaded, problems = load_all(root_of(options))
    if options.json:
        rows = [
            {"id": f.claim.id, "document": f.document.id, "title": f.claim.title, "strength": f.claim.strength}
            for f in loaded
        ]
        print(json.dumps(rows, indent=1))
    else:
        for folder in loaded:
            print(f"{folder.claim.id:<58} {folder.document.id}\n    {one_line(folder.claim.title)}")
    for problem in problems:
        print(visible(problem), file=sys.stderr)
    return USAGE if problems else AS_EXPECTED


def _check(options: argparse.Namespace) -> int:
    from harness import dates, waiver
    from harness.catalogue import load_all

    loaded, problems = load_all(root_of(options))
    expired = waiver.problems_of(loaded, dates.today())
    problems += expired
    for problem in problems:
        print(visible(problem))
    print(f"{len(loaded) - len(expired)} claims are sound, {len(problems)} problems")
    if not loaded and not problems:
        raise UsageError(f"{root_of(options)}: holds no claim; a run of nothing verifies nothing")
    return USAGE if problems else AS_EXPECTED


def _index(options: argparse.Namespace) -> int:
    from harness.catalogue import load_all
    from harness.report.index import index

    loaded, problems = load_all(root_of(options))
    (root_of(options) / "README.md").write_text(index(loaded, latest_run(options)), encoding="utf-8")
    print(visible(root_of(options) / "README.md"))
    return USAGE if problems else AS_EXPECTED


def _schema(_: argparse.Namespace) -> int:
    from harness.spec import schema

    print(json.dumps(schema(), indent=1))
    return AS_EXPECTED
