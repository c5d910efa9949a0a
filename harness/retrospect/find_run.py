"""Runs as a user names them: a report, a store, a run's id, or a commit."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.running.results import run_of
from harness.store.records.parsing import parse
from harness.store.records.run import SCHEMA_VERSION, Run
from harness.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from harness.store.records.run import Head

SQLITE = b"SQLite format 3\x00"
"""How every SQLite file begins."""

SHORTEST_COMMIT = 4
"""Digits of a commit that name it, as in git."""

REMEDY = "it was edited, or is of another version; `claims report` writes it again from its store"


def load_run(name: str, folder: Path, store: Path) -> Run:
    """Return the run that a user means; no file is changed.

    Args:
        name: path of a report.json or of the folder that holds it, path of a store (its latest run), id of a run in `store`, or commit of one (the
            latest such run); of ids and commits the first digits do.
        folder: where paths begin.
        store: path of the store.

    Raises:
        UsageError: nothing has that name, or more than one run has an id that begins so.
    """
    path = folder / name
    if name and path.is_dir():
        path = _in_folder(path)
    if not path.is_file():
        return _stored(name, store)
    with path.open("rb") as file:
        begins = file.read(len(SQLITE))
    return _latest(path) if begins == SQLITE else _report(path)


def _in_folder(path: Path) -> Path:
    """Return the report.json of a folder of reports, as `claims report` and CI leave them."""
    report = path / "report.json"
    if not report.is_file():
        raise UsageError(
            f"{path}: is a folder without report.json; give one that `claims report --into` wrote, or a file"
        )
    return report


def _report(path: Path) -> Run:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: is neither a store nor a report.json: {error}") from None
    if not isinstance(found, dict) or not found.keys() & {"claims", "schema_version"}:
        raise UsageError(f"{path}: is no report of a run; give a report.json as `claims report` writes it")
    if found.get("schema_version") != SCHEMA_VERSION:
        raise UsageError(
            f"{path}: schema_version is {found.get('schema_version')!r}, not {SCHEMA_VERSION}; "
            "`claims report` writes the report again from its store"
        )
    return parse(Run, found, str(path), REMEDY)


def _latest(path: Path) -> Run:
    with closing(Store.copy_of(path)) as store:
        latest = store.latest_run()
        run = run_of(store, latest) if latest else None
    if run is None:
        raise UsageError(f"{path}: holds no run yet; `claims run` makes one")
    return run


def _stored(name: str, path: Path) -> Run:
    if not path.is_file():
        raise UsageError(f"{name!r}: no such file, and there is no store {path} to look for a run of that id or commit")
    with closing(Store.copy_of(path)) as store:
        run = run_of(store, _id_of(name, store.runs(), path))
    # Only runs that have a record are looked among.
    assert run is not None
    return run


def _id_of(name: str, runs: list[Head], path: Path) -> str:
    """Return the id of the run, latest first among `runs`, that a user means by an id or a commit."""
    if not name:
        raise UsageError("an empty name names no run; give a file, the id of a run, or a commit")
    ids = [run.id for run in runs if run.id.startswith(name)]
    exact = [found for found in ids if found == name]
    by_commit = [run.id for run in runs if _of_commit(run, name)]
    if len(exact or ids) > 1 or (ids and by_commit and not exact):
        raise UsageError(
            f"{name!r}: begins the ids of several runs, or an id and a commit, in {path}; give more digits"
        )
    found = exact or ids or by_commit
    if not found:
        known = ", ".join(f"{run.id} ({run.started[:16]})" for run in runs[:5])
        raise UsageError(
            f"{name!r}: no such file, and no run of that id or commit in {path}; its latest runs are {known or 'none'}"
        )
    return found[0]


def _of_commit(run: Head, name: str) -> bool:
    return len(name) >= SHORTEST_COMMIT and (run.machine.commit or "").startswith(name)
