"""The command `claims coverage`: documents, statement by statement."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

from harness._text import escape_unprintable
from harness.cli.project import add_json, add_store, known_documents, opened, refuse_unknown_document, root_of
from harness.running.exit_code import AS_EXPECTED, UNEXPECTED, USAGE

if TYPE_CHECKING:
    import argparse


def add_commands(commands: Any) -> None:
    """Add `claims coverage`; `commands` are the subparsers."""
    coverage = commands.add_parser(
        "coverage",
        help="documents, statement by statement: what holds, what does not, what nobody checked",
        epilog="exit codes: 0, 1 if less is decided than --fail-under asks for, 2 usage or specification",
    )
    coverage.add_argument("--document", metavar="NAME", help="one document").completer = known_documents
    coverage.add_argument(
        "--fail-under",
        type=float,
        metavar="N",
        help="exit code 1 if less than N per cent of what can be checked is decided",
    )
    add_store(coverage)
    add_json(coverage)
    coverage.set_defaults(command=_coverage)


def _coverage(options: argparse.Namespace) -> int:
    from harness.report.coverage_text import lines
    from harness.report.styled import show
    from harness.running.coverage import coverage
    from harness.store.records.coverage import share_decided
    from harness.store.records.parsing import plain
    from harness.trials.catalogue import load_all
    from harness.trials.documents import load_documents

    loaded, problems = load_all(root_of(options))
    documents = load_documents(root_of(options))
    refuse_unknown_document(options.document, {document.id for document in documents})
    with opened(options) as store:
        last = {f.claim.id: store.last_record(f.claim.id) for f in loaded if f.claim.answers} if store else {}
    records = {name: found[1] for name, found in last.items() if found}
    wanted = [document for document in documents if options.document in (None, document.id)]
    found = coverage(wanted, [folder.claim for folder in loaded], records)
    if options.json:
        print(json.dumps([{**plain(one), "counts": one.counts} for one in found], indent=1))
    else:
        show(lines(found, records, shutil.get_terminal_size((100, 24)).columns))
    for problem in problems:
        print(escape_unprintable(problem), file=sys.stderr)
    if problems:
        return USAGE
    return UNEXPECTED if options.fail_under is not None and share_decided(found) < options.fail_under else AS_EXPECTED
