"""The commands about specifications: `claims list`, `show`, `schema`, `index`."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

from harness._text import escape_unprintable
from harness.cli.project import (
    add_ids,
    add_json,
    add_store,
    chosen,
    known_documents,
    opened,
    refuse_unknown_document,
    root_of,
)
from harness.errors import UsageError
from harness.running.exit_code import AS_EXPECTED, UNEXPECTED, USAGE

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from harness.store.records.claim import ClaimRecord
    from harness.store.records.last import LastVerdicts
    from harness.trials.catalogue import ClaimFolder

UNEXPECTED_ONLY = "UNEXPECTED"

VERDICTS = ("VERIFIED", "REFUTED", "INCONCLUSIVE", "INVALID", "NOT_RUN", UNEXPECTED_ONLY)
"""What `claims list --verdict` may name."""


def add_commands(commands: Any) -> None:
    """Add the commands to a command line; `commands` are its subparsers."""
    lister = commands.add_parser("list", help="list the claims with their last verdicts")
    document = lister.add_argument("--document", metavar="NAME", help="only those of this document")
    document.completer = known_documents
    lister.add_argument(
        "--verdict",
        metavar="WORD",
        type=str.upper,
        choices=VERDICTS,
        help=f"only those with a reading that came out so: {', '.join(VERDICTS)}; UNEXPECTED: otherwise than expected",
    )
    add_store(lister)
    add_json(lister)
    lister.set_defaults(command=_list)
    show = commands.add_parser(
        "show", help="all of a claim: statement, source, readings, bands, reasons, last verdicts"
    )
    add_ids(show, "at least one")
    add_store(show)
    add_json(show)
    show.set_defaults(command=_show)
    index = commands.add_parser("index", help="write claims/README.md: every claim with its last verdicts")
    add_store(index)
    index.add_argument(
        "--check", action="store_true", help="write nothing; say what is not up to date, and exit with 1 if anything is"
    )
    index.set_defaults(command=_index)
    schema = commands.add_parser("schema", help="print the JSON Schema of claim.yaml, or of report.json")
    schema.add_argument("--report", action="store_true", help="the schema of report.json")
    schema.set_defaults(command=_schema)


def _list(options: argparse.Namespace) -> int:
    from harness.report.claim_text import catalogue
    from harness.report.styled import show
    from harness.trials.catalogue import load_all

    loaded, problems = load_all(root_of(options))
    refuse_unknown_document(options.document, {folder.document.id for folder in loaded})
    with opened(options) as store:
        last = store.last_verdicts() if store else {}
    rows = [folder for folder in loaded if _wanted(folder, last.get(folder.claim.id), options)]
    if options.json:
        print(json.dumps([_row(folder, last.get(folder.claim.id)) for folder in rows], indent=1))
    else:
        show(catalogue(rows, last, str(options.root / options.store)))
    for problem in problems:
        print(escape_unprintable(problem), file=sys.stderr)
    return USAGE if problems else AS_EXPECTED


def _wanted(folder: ClaimFolder, found: LastVerdicts | None, options: argparse.Namespace) -> bool:
    if options.document not in (None, folder.document.id):
        return False
    readings = found.readings.values() if found else ()
    if options.verdict == UNEXPECTED_ONLY:
        return any(not (reading.as_expected or reading.waived) for reading in readings)
    verdicts = {reading.verdict for reading in readings} or {"NOT_RUN"}
    return options.verdict is None or options.verdict in verdicts


def _row(folder: ClaimFolder, found: LastVerdicts | None) -> dict[str, Any]:
    claim = folder.claim
    head = {"id": claim.id, "document": folder.document.id, "title": claim.title, "strength": claim.strength}
    return {**head, "last": found and found.model_dump(mode="json")}


def _show(options: argparse.Namespace) -> int:
    from harness.report.claim_text import lines
    from harness.report.styled import show
    from harness.trials.catalogue import load_claim

    if not options.ids:
        raise UsageError("claims show: which claim? `claims list` names them all")
    folders = [load_claim(folder) for folder in chosen(options)]
    with opened(options) as store:
        last = [store.last_record(folder.claim.id) if store else None for folder in folders]
    found = [(folder, one and one[1]) for folder, one in zip(folders, last, strict=True)]
    if options.json:
        print(json.dumps([_everything(folder, record) for folder, record in found], indent=1))
        return AS_EXPECTED
    width = shutil.get_terminal_size((100, 24)).columns
    for number, (folder, record) in enumerate(found):
        show(["", ""] if number else [])
        show(lines(folder, record, str(options.root / options.store), width))
    return AS_EXPECTED


def _everything(folder: ClaimFolder, record: ClaimRecord | None) -> dict[str, Any]:
    """Return what claim.yaml says, where it lies, and the last record."""
    return {
        **folder.claim.model_dump(mode="json"),
        "document": folder.document.model_dump(mode="json"),
        "folder": str(folder.path),
        "command": f"claims run {folder.claim.id}",
        "last": record and record.model_dump(mode="json"),
    }


def _index(options: argparse.Namespace) -> int:
    from harness.trials.catalogue import load_all

    loaded, problems = load_all(root_of(options))
    pages = {path: after for path, after in _pages(options, loaded, problems).items() if after != _text_of(path)}
    for path, after in pages.items():
        if options.check:
            print(escape_unprintable(_out_of_date(path, after)))
        else:
            path.write_text(after, encoding="utf-8")
            print(escape_unprintable(path))
    if not pages:
        print("up to date")
    for problem in problems:
        print(escape_unprintable(problem), file=sys.stderr)
    if problems:
        return USAGE
    return UNEXPECTED if options.check and pages else AS_EXPECTED


def _pages(options: argparse.Namespace, loaded: list[ClaimFolder], problems: list[str]) -> dict[Path, str]:
    """Return the pages that `claims index` keeps, as they should be; what is wrong with marks goes to `problems`."""
    from harness.report.index import index, with_table
    from harness.report.quotation_text import with_numbers

    last = {}
    with opened(options, needed=True) as store:
        for claim in (folder.claim.id for folder in loaded):
            if store and (found := store.last_record(claim)):
                last[claim] = found[1]
    own = root_of(options) / "README.md"
    pages = {own: index(loaded, last, _text_of(own))}
    for path in _kept(options):
        pages[path], wrong = with_numbers(with_table(_text_of(path), loaded, last), last)
        problems += [f"{path}:{line}:1: {message}" for line, message in wrong]
    return pages


def _kept(options: argparse.Namespace) -> list[Path]:
    """Return the texts with marks for verdicts and numbers: README.md, and the `pages` of documents."""
    from harness.specification.globs import matches
    from harness.trials.documents import load_documents

    globs = ["README.md", *(glob for document in load_documents(root_of(options)) for glob in document.pages)]
    return [options.root / path for path in dict.fromkeys(p for glob in globs for p in matches(glob, options.root))]


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}; it should be text in UTF-8") from None


def _out_of_date(path: Path, after: str) -> str:
    """Return which claims' rows in a page are not up to date, and what to do."""
    from harness.report.index import stale

    claims = stale(_text_of(path), after)
    what = ", ".join(claims) if claims else "what stands above the rows"
    return f"{path}: is not up to date ({what}); `claims index` writes it"


def _schema(options: argparse.Namespace) -> int:
    from harness.specification import models
    from harness.store.records import run

    print(json.dumps((run if options.report else models).schema(), indent=1))
    return AS_EXPECTED
