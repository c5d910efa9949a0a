"""The command line: `claims list`, `check`, `plan`, `run`, `aa`, `report`, `history`, `index`, `schema`, `fetch`; and what `retrospect` adds."""

from __future__ import annotations

import argparse
import json
import os
import sys
import uuid
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ClaimsError, UsageError
from harness.export import add_options as add_export_options
from harness.outcome import AS_EXPECTED, TRIAL_ERRORS, UNEXPECTED, USAGE
from harness.plaintext import block, one_line, visible
from harness.retrospect import add_commands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.catalogue import ClaimFolder
    from harness.options import Options
    from harness.outlook import Outlook
    from harness.record import Record
    from harness.report import Run
    from harness.store import Store

STORE = Path(".claims/store.sqlite3")

AA_CODES = "exit codes: 0 not told apart, 1 different from itself, 2 usage or specification, 4 errors in trials"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    given, rest = _split_run(list(sys.argv[1:] if arguments is None else arguments))
    options = _parser().parse_args(given)
    options.rest = rest
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        code = command(options)
        sys.stdout.flush()
    except ClaimsError as error:
        print(block(error), file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        # Whoever read this has seen enough, as `head` does. What Python still holds for them goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return AS_EXPECTED
    return code


def _split_run(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Split `run ID ... --option value ...` before its first option: from there on all belongs to pytest."""
    if "run" not in arguments:
        return arguments, []
    after = arguments.index("run") + 1
    before = arguments[: after - 1]
    if any(not word.startswith("-") and "--root" not in before[i - 1 : i] for i, word in enumerate(before)):
        # `run` is a value that another command is given.
        return arguments, []
    options = [
        i for i, word in enumerate(arguments) if i >= after and word.startswith("-") and word not in ("-h", "--help")
    ]
    return (arguments[: options[0]], arguments[options[0] :]) if options else (arguments, [])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="claims", description="Documented statements about machine learning, held against evidence."
    )
    parser.add_argument(
        "--root", type=Path, default=Path(), help="the project: the folder that holds claims/ (default: this one)"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    codes = "exit codes: 0 all as expected or waived, 1 a reading came out otherwise or a waiver has expired, 2 usage or specification, 3 inconclusive only, 4 errors in trials"
    run = commands.add_parser("run", help="run claims; options of pytest follow", epilog=codes)
    run.add_argument("ids", nargs="*", metavar="ID", help="ids of claims; all by default")
    run.set_defaults(command=_run)
    lister = commands.add_parser("list", help="list the claims")
    lister.add_argument("--json", action="store_true", help="as JSON")
    lister.set_defaults(command=_list)
    commands.add_parser("check", help="check every specification, without training").set_defaults(command=_check)
    plan = commands.add_parser("plan", help="foresee cost and power of claims from stored trials, without training")
    plan.add_argument("ids", nargs="*", metavar="ID", help="ids of claims; all by default")
    plan.add_argument("--profile", metavar="NAME", help="one profile; by default all that give verdicts")
    plan.add_argument("--store", type=Path, default=STORE)
    plan.add_argument("--base-seed", type=int, default=0, metavar="N", help="base seed of a pilot (default 0)")
    plan.add_argument("--pilot", action="store_true", help="where trials are lacking, measure 3 seeds of each point")
    plan.add_argument("-v", "--expectations", action="store_true", help="list every expectation")
    plan.add_argument("--json", action="store_true", help="as JSON")
    plan.set_defaults(command=_plan)
    _add_aa(commands)
    report = commands.add_parser("report", help="write the reports of the last run again")
    report.add_argument("--store", type=Path, default=STORE)
    report.add_argument("--into", type=Path, default=Path("reports/latest"), help="folder of the reports")
    report.set_defaults(command=_report)
    history = commands.add_parser("history", help="estimates and intervals night by night, alone and accumulated")
    history.add_argument(
        "ids", nargs="*", metavar="ID", help="ids of claims; without any, the verdicts of all in short"
    )
    history.add_argument("--profile", default="quick", metavar="NAME")
    history.add_argument("--store", type=Path, default=STORE)
    history.add_argument("--device", default="auto", metavar="NAME", help="device that the trials were measured on")
    history.add_argument("--json", action="store_true", help="as JSON")
    history.set_defaults(command=_history)
    add_commands(commands, STORE, _root, _chosen)
    index = commands.add_parser("index", help="write claims/README.md: every claim with its last verdicts")
    index.add_argument("--store", type=Path, default=STORE)
    index.set_defaults(command=_index)
    schema = commands.add_parser("schema", help="print the JSON Schema of claim.yaml, or of report.json")
    schema.add_argument("--report", action="store_true", help="the schema of report.json")
    schema.set_defaults(command=_schema)
    _add_store(commands)
    fetch = commands.add_parser("fetch", help="download a full data set into the cache")
    fetch.add_argument("data", choices=["mnist"])
    fetch.set_defaults(command=_fetch)
    return parser


def _add_store(commands: Any) -> None:
    """Add what is done with a store as a whole: `claims export`, `import`, `gc`."""
    export = commands.add_parser("export", help="write what the store holds for other tools")
    add_export_options(export)
    export.set_defaults(command=_export)
    merge = commands.add_parser("import", help="add the trials that `claims export` wrote, here or on another machine")
    merge.add_argument("file", type=Path, metavar="FILE", help="a file that `claims export` wrote")
    merge.set_defaults(command=_import)
    gc = commands.add_parser("gc", help="name the trials that no claim can read any more; with --delete, delete them")
    gc.add_argument("--delete", action="store_true", help="delete them; what runs said of claims is kept")
    gc.set_defaults(command=_gc)
    for command in (export, merge, gc):
        command.add_argument("--store", type=Path, default=STORE, help="SQLite file of trials")


def _add_aa(commands: Any) -> None:
    """Add `claims aa ID`."""
    aa = commands.add_parser("aa", help="run an arm against itself, and measure the noise floor", epilog=AA_CODES)
    aa.add_argument("id", metavar="ID", help="id of a claim")
    aa.add_argument("--arm", metavar="NAME", help="the arm (default: the claim's first)")
    aa.add_argument("--profile", default="quick", metavar="NAME", help="scale: smoke, quick (default) or paper")
    aa.add_argument("--seeds", type=int, metavar="N", help="at most so many seeds (default: two looks after the first)")
    aa.add_argument("--repeats", type=int, default=3, metavar="R", help="times a seed is measured again (default 3)")
    aa.add_argument("--base-seed", type=int, default=0, metavar="B", help="enters every random draw (default 0)")
    aa.add_argument("--store", type=Path, default=STORE, help="SQLite file of trials")
    aa.add_argument("--device", default="auto", metavar="NAME", help="auto (default), cpu or cuda")
    aa.add_argument("--workers", type=int, default=1, metavar="N", help="processes of one thread each (default 1)")
    aa.add_argument("--json", action="store_true", help="print the record")
    aa.set_defaults(command=_aa)


def _root(options: argparse.Namespace) -> Path:
    root: Path = options.root / "claims"
    if not root.is_dir():
        raise UsageError(f"{root}: no such folder; run this where claims/ lies, or give --root")
    return root.resolve()


def _chosen(options: argparse.Namespace) -> list[Path]:
    """Return the folders of the claims that are named, of all if none is."""
    from harness.catalogue import claim_folders
    from harness.validation import suggestion

    folders = {path.name: path for path in claim_folders(_root(options))}
    for name in options.ids:
        if name not in folders:
            raise UsageError(f"no claim {name!r}; {suggestion(name, folders)}")
    return [folders[name] for name in options.ids or folders]


def _run(options: argparse.Namespace) -> int:
    folders = _chosen(options)
    targets = [str(folder) for folder in folders] if options.ids else [str(_root(options))]
    flags = ["--import-mode=importlib", "--benchmark-skip", "-q", "-r", "fEx", "--claims-wanted"]
    os.chdir(options.root)
    # pytest takes this process over, so that Ctrl-C and exit codes are its own.
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *flags, *targets, *options.rest])


def _aa(options: argparse.Namespace) -> int:
    from harness.catalogue import find
    from harness.report.noise import table

    folder = find(_root(options), options.id)
    try:
        record = _against_itself(folder, options)
    except UsageError as error:
        # The same options have longer names where pytest reads them.
        raise UsageError(str(error).replace("--claims-", "--")) from None
    except KeyboardInterrupt:
        raise UsageError(f"interrupted; what was finished is kept in {options.root / options.store}") from None
    print(json.dumps(record, indent=1) if options.json else block("\n".join(table(record))))
    return {"INVALID": TRIAL_ERRORS, "DIFFERENT": UNEXPECTED}.get(record["verdict"], AS_EXPECTED)


def _against_itself(folder: ClaimFolder, options: argparse.Namespace) -> Record:
    from harness.noise import Request, run_aa
    from harness.options import Options
    from harness.session import Session

    given = {name: getattr(options, name) for name in ("profile", "base_seed", "device", "workers")}
    chosen = Options(**given, store=options.root.resolve() / options.store)
    session = Session(chosen, uuid.uuid4().hex[:12], folder.project, lambda line: print(line, file=sys.stderr))
    try:
        return run_aa(folder, session.context, Request(options.arm, options.seeds, options.repeats))
    finally:
        session.close()


def _list(options: argparse.Namespace) -> int:
    from harness.catalogue import load_all

    loaded, problems = load_all(_root(options))
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

    loaded, problems = load_all(_root(options))
    expired = waiver.problems_of(loaded, dates.today())
    problems += expired
    for problem in problems:
        print(visible(problem))
    print(f"{len(loaded) - len(expired)} claims are sound, {len(problems)} problems")
    if not loaded and not problems:
        raise UsageError(f"{_root(options)}: holds no claim; a run of nothing verifies nothing")
    return USAGE if problems else AS_EXPECTED


def _plan(options: argparse.Namespace) -> int:
    from harness.record import outlook_record
    from harness.report.outlooks import lines

    found = [outlook_record(outlook) for outlook in _outlooks(options)]
    print(
        json.dumps(found, indent=1) if options.json else block("\n".join(lines(found, everything=options.expectations)))
    )
    return AS_EXPECTED


def _outlooks(options: argparse.Namespace) -> Iterator[Outlook]:
    """Yield the outlook of every claim that is named, under every profile that is asked for."""
    from harness.catalogue import load_claim
    from harness.options import NO_VERDICT_PROFILE, Options
    from harness.outlook import outlook_of
    from harness.plan import make_plan

    if options.profile == NO_VERDICT_PROFILE:
        raise UsageError(f"--profile: {NO_VERDICT_PROFILE} gives no verdict, so there is nothing to plan")
    given = Options(base_seed=options.base_seed, store=options.root / options.store)
    with _store_of_plans(options, given) as (store, pilot):
        for folder in map(load_claim, _chosen(options)):
            for profile in [options.profile] if options.profile else folder.claim.profiles:
                if profile == NO_VERDICT_PROFILE:
                    continue
                plan = make_plan(folder, replace(given, profile=profile))
                found = outlook_of(plan, profile, store)
                if pilot and not found.complete:
                    pilot(folder, profile)
                    found = outlook_of(plan, profile, store)
                yield found


@contextmanager
def _store_of_plans(
    options: argparse.Namespace, given: Options
) -> Iterator[tuple[Store, Callable[[ClaimFolder, str], None] | None]]:
    """Give the store, and what measures pilots if they are asked for; a look alone leaves no trace."""
    if options.pilot:
        from harness.session import Session

        session = Session(
            given, uuid.uuid4().hex[:12], options.root.resolve(), lambda line: print(line, file=sys.stderr)
        )
        with closing(session):
            yield session.store, session.pilot
        return
    from harness.store import Store

    # A store that is not there yet has no trials, and need not be made to say so.
    with closing(Store(given.store if given.store.is_file() else Path(":memory:"))) as store:
        yield store, None


def _report(options: argparse.Namespace) -> int:
    from harness.report import write_reports

    run = _latest_run(options)
    if run is None:
        raise UsageError(f"{options.root / options.store}: holds no run yet; `claims run` makes one")
    write_reports(run, options.root / options.into)
    print(visible(options.root / options.into / "report.md"))
    return AS_EXPECTED


def _latest_run(options: argparse.Namespace) -> Run | None:
    from harness.report import stored_run
    from harness.store import Store

    path = options.root / options.store
    if not path.is_file():
        return None
    store = Store(path)
    latest = store.latest_run()
    return stored_run(store, latest) if latest else None


def _index(options: argparse.Namespace) -> int:
    from harness.catalogue import load_all
    from harness.report.index import index

    loaded, problems = load_all(_root(options))
    (_root(options) / "README.md").write_text(index(loaded, _latest_run(options)), encoding="utf-8")
    print(visible(_root(options) / "README.md"))
    return USAGE if problems else AS_EXPECTED


def _history(options: argparse.Namespace) -> int:
    from harness.catalogue import find, load_all
    from harness.history import as_plain, history_of, lines, verdict_counts
    from harness.options import Options

    store = _store_of(options)
    if not options.ids:
        loaded, problems = load_all(_root(options))
        print(block("\n".join([*verdict_counts(loaded, store, options.profile), *problems])))
        return USAGE if problems else AS_EXPECTED
    chosen = Options(profile=options.profile, device=options.device, store=options.root / options.store)
    found = [history_of(find(_root(options), name), store, chosen) for name in options.ids]
    if options.json:
        print(json.dumps([as_plain(history) for history in found], indent=1))
    else:
        print(block("\n".join(line for history in found for line in lines(history))))
    return AS_EXPECTED


def _store_of(options: argparse.Namespace) -> Store:
    """Return the store that a command reads.

    Raises:
        UsageError: there is none.
    """
    from harness.store import Store

    path = options.root / options.store
    if not path.is_file():
        raise UsageError(f"{path}: no such store; `claims run` makes one, or give another with --store")
    return Store(path)


def _export(options: argparse.Namespace) -> int:
    from harness.export import export

    with closing(_store_of(options)) as store:
        print(visible(export(options, store)))
    return AS_EXPECTED


def _import(options: argparse.Namespace) -> int:
    from harness.store import Store
    from harness.transfer import merge

    with closing(Store(options.root / options.store)) as store:
        counts = merge(store, options.file)
    print(f"{options.root / options.store}: new: {_counted(counts)}")
    return AS_EXPECTED


def _counted(counts: dict[str, int]) -> str:
    """Return `runs 3, trials 690, ...`."""
    return ", ".join(f"{table}s {number}" for table, number in counts.items())


def _gc(options: argparse.Namespace) -> int:
    from harness.catalogue import load_all
    from harness.garbage import counted, garbage
    from harness.options import Options

    loaded, problems = load_all(_root(options))
    if problems:
        raise UsageError("\n".join([*map(str, problems), "nothing is deleted while a claim cannot be read"]))
    with closing(_store_of(options)) as store:
        found = garbage(store, loaded, Options(store=options.root / options.store))
        print("\n".join(counted(found)) or "every trial can still be read by a claim")
        if found and options.delete:
            print(f"deleted {store.discard(found)} trials")
        elif found:
            print("nothing was deleted; --delete does it")
    return AS_EXPECTED


def _schema(options: argparse.Namespace) -> int:
    from harness import schema, spec

    print(json.dumps((schema if options.report else spec).schema(), indent=1))
    return AS_EXPECTED


def _fetch(options: argparse.Namespace) -> int:
    # The loaders belong to the project, not to the harness, and are found by path.
    sys.path.insert(0, str(options.root.resolve()))
    import importlib

    print(visible(importlib.import_module(f"fixtures.{options.data}").fetch()))
    return AS_EXPECTED
