"""The commands that show stored runs again: `claims report`, `claims history`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._text import block, escape_unprintable
from harness.cli.project import (
    add_ids,
    add_json,
    add_store,
    chosen,
    complete_profiles,
    latest_run,
    past_of,
    root_of,
    store_of,
)
from harness.errors import UsageError
from harness.running.exit_code import AS_EXPECTED, USAGE

if TYPE_CHECKING:
    import argparse


SHOWN = ("index.html", "report.md")
"""The reports that a person reads, the best first."""


def add_commands(commands: Any) -> None:
    """Add the commands to a command line; `commands` are its subparsers."""
    report = commands.add_parser("report", help="write the reports of the last run again")
    add_store(report)
    report.add_argument(
        "--into",
        type=Path,
        default=Path("reports/latest"),
        metavar="DIR",
        help="folder of the reports (default reports/latest)",
    )
    report.add_argument(
        "--open", action="store_true", help="open the report: index.html, or report.md if there is none"
    )
    report.add_argument(
        "--documents",
        type=Path,
        metavar="DIR",
        help="folder with the documents' texts: show their lines with the verdicts beside",
    )
    report.set_defaults(command=_report)
    history = commands.add_parser(
        "history", help="estimates and intervals replication by replication, alone and accumulated"
    )
    add_ids(history, "without any, the verdicts of all in short")
    history.add_argument(
        "--profile", default="quick", metavar="NAME", help="profile of the replications (default quick)"
    )
    add_store(history)
    history.add_argument("--device", default="auto", metavar="NAME", help="device that the trials were measured on")
    add_json(history)
    complete_profiles(history)
    history.set_defaults(command=_history)


def _report(options: argparse.Namespace) -> int:
    from harness.report.write import write_reports
    from harness.running.coverage import with_coverage

    run = latest_run(options)
    if run is None:
        raise UsageError(f"{options.root / options.store}: holds no run yet; `claims run` makes one")
    covered = with_coverage(run, options.root / "claims")
    write_reports(covered, options.root / options.into, past_of(options, run), _texts(options))
    folder = options.root / options.into
    path = next((folder / name for name in SHOWN if (folder / name).is_file()), folder / SHOWN[-1])
    print(escape_unprintable(path))
    return _open(path) if options.open else AS_EXPECTED


def _texts(options: argparse.Namespace) -> dict[str, str]:
    """Return the texts of documents that are at hand, by the document's id.

    Raises:
        UsageError: no such folder, or a text that is no UTF-8.
    """
    from harness.trials.documents import load_documents

    folder: Path | None = options.documents
    if folder is None:
        return {}
    if not folder.is_dir():
        raise UsageError(f"--documents: {folder} is no folder; give the one that holds the documents' texts")
    wanted = [document for document in load_documents(options.root / "claims") if document.text]
    paths = {document.id: min(folder.glob(document.text or ""), default=None) for document in wanted}
    for name in [name for name, path in paths.items() if path is None]:
        print(escape_unprintable(f"{folder}: has no text of {name}"), file=sys.stderr)
    try:
        return {name: path.read_text(encoding="utf-8") for name, path in paths.items() if path}
    except (OSError, ValueError) as error:
        raise UsageError(f"--documents: {folder}: {error}") from None


def _open(path: Path) -> int:
    """Open a file with what the user opens such files with; where there is nothing, its name has been printed."""
    import webbrowser

    if not webbrowser.open(path.resolve().as_uri()):
        print("no browser was found to open it with; the file is named above", file=sys.stderr)
    return AS_EXPECTED


def _history(options: argparse.Namespace) -> int:
    from harness.report.seed_history import lines, verdict_counts
    from harness.retrospect.seed_history import as_plain, history_of
    from harness.trials.catalogue import load_all, load_claim
    from harness.trials.options import Options

    store = store_of(options)
    if not options.ids:
        loaded, problems = load_all(root_of(options))
        print(block("\n".join([*verdict_counts(loaded, store, options.profile), *problems])))
        return USAGE if problems else AS_EXPECTED
    given = Options(profile=options.profile, device=options.device, store=options.root / options.store)
    found = [history_of(load_claim(folder), store, given) for folder in chosen(options)]
    if options.json:
        print(json.dumps([as_plain(history) for history in found], indent=1))
    else:
        print(block("\n".join(line for history in found for line in lines(history))))
    return AS_EXPECTED
