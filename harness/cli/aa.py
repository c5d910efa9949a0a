"""The command `claims aa`: an arm against itself."""

from __future__ import annotations

import json
import sys
import uuid
from typing import TYPE_CHECKING, Any

from harness._text import block
from harness.cli.project import add_store, complete_profiles, known_names, root_of, short_names
from harness.errors import UsageError
from harness.running.exit_code import AS_EXPECTED, TRIAL_ERRORS, UNEXPECTED

if TYPE_CHECKING:
    import argparse

    from harness.store.records.aa import NoiseRecord
    from harness.trials.catalogue import ClaimFolder

AA_CODES = "exit codes: 0 not told apart, 1 different from itself, 2 usage or specification, 4 errors in trials"


def add_commands(commands: Any) -> None:
    """Add `claims aa`; `commands` are the subparsers."""
    aa = commands.add_parser("aa", help="run an arm against itself, and measure the noise floor", epilog=AA_CODES)
    aa.add_argument("id", metavar="ID", help="id of a claim").completer = known_names
    aa.add_argument("--arm", metavar="NAME", help="the arm (default: the claim's first)")
    aa.add_argument("--profile", default="quick", metavar="NAME", help="scale: smoke, quick (default) or paper")
    aa.add_argument("--seeds", type=int, metavar="N", help="at most so many seeds (default: two looks after the first)")
    aa.add_argument("--repeats", type=int, default=3, metavar="R", help="times a seed is measured again (default 3)")
    aa.add_argument("--base-seed", type=int, default=0, metavar="B", help="enters every random draw (default 0)")
    add_store(aa)
    aa.add_argument("--device", default="auto", metavar="NAME", help="auto (default), cpu or cuda")
    aa.add_argument("--workers", type=int, default=1, metavar="N", help="processes of one thread each (default 1)")
    aa.add_argument("--json", action="store_true", help="print the record")
    complete_profiles(aa)
    aa.set_defaults(command=_aa)


def _aa(options: argparse.Namespace) -> int:
    from harness.report.aa_text import table
    from harness.store.records.parsing import plain
    from harness.trials.catalogue import find

    folder = find(root_of(options), options.id)
    try:
        record = _against_itself(folder, options)
    except UsageError as error:
        raise short_names(error) from None
    except KeyboardInterrupt:
        raise UsageError(f"interrupted; what was finished is kept in {options.root / options.store}") from None
    print(json.dumps(plain(record), indent=1) if options.json else block("\n".join(table(record))))
    return {"INVALID": TRIAL_ERRORS, "DIFFERENT": UNEXPECTED}.get(record.verdict, AS_EXPECTED)


def _against_itself(folder: ClaimFolder, options: argparse.Namespace) -> NoiseRecord:
    from harness.running.aa_test import Request, run_aa
    from harness.running.session import Session
    from harness.trials.options import Options

    given = {name: getattr(options, name) for name in ("profile", "base_seed", "device", "workers")}
    chosen = Options(**given, store=options.root.resolve() / options.store)
    session = Session(chosen, uuid.uuid4().hex[:12], folder.project, lambda line: print(line, file=sys.stderr))
    try:
        return run_aa(folder, session.context, Request(options.arm, options.seeds, options.repeats))
    finally:
        session.close()
