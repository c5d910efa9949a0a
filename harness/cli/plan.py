"""The command `claims plan`: what a run will cost, and whether it will decide."""

from __future__ import annotations

import json
import sys
import uuid
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._text import block
from harness.cli.project import add_ids, add_json, add_store, chosen, complete_profiles
from harness.errors import UsageError
from harness.running.exit_code import AS_EXPECTED

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from harness.running.cost import Outlook
    from harness.store.store import Store
    from harness.trials.catalogue import ClaimFolder
    from harness.trials.options import Options


def add_commands(commands: Any) -> None:
    """Add `claims plan`; `commands` are the subparsers."""
    plan = commands.add_parser("plan", help="foresee cost and power of claims from stored trials, without training")
    add_ids(plan)
    plan.add_argument("--profile", metavar="NAME", help="one profile; by default all that give verdicts")
    add_store(plan)
    plan.add_argument("--base-seed", type=int, default=0, metavar="N", help="base seed of a pilot (default 0)")
    plan.add_argument("--pilot", action="store_true", help="where trials are lacking, measure 3 seeds of each point")
    plan.add_argument("-v", "--expectations", action="store_true", help="list every expectation")
    add_json(plan)
    complete_profiles(plan)
    plan.set_defaults(command=_plan)


def _plan(options: argparse.Namespace) -> int:
    from harness.report.cost_table import lines
    from harness.running.outlook import outlook_record
    from harness.store.records.parsing import plain

    found = [outlook_record(outlook) for outlook in _outlooks(options)]
    print(
        json.dumps(list(map(plain, found)), indent=1)
        if options.json
        else block("\n".join(lines(found, everything=options.expectations)))
    )
    return AS_EXPECTED


def _outlooks(options: argparse.Namespace) -> Iterator[Outlook]:
    """Yield the outlook of every claim that is named, under every profile that is asked for."""
    from harness.running.cost import outlook_of
    from harness.specification.profiles import NO_VERDICT_PROFILE
    from harness.trials.catalogue import load_claim
    from harness.trials.options import Options
    from harness.trials.plan import make_plan

    if options.profile == NO_VERDICT_PROFILE:
        raise UsageError(f"--profile: {NO_VERDICT_PROFILE} gives no verdict, so there is nothing to plan")
    given = Options(base_seed=options.base_seed, store=options.root / options.store)
    with _store_of_plans(options, given) as (store, pilot):
        for folder in map(load_claim, chosen(options)):
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
        from harness.running.session import Session

        session = Session(
            given, uuid.uuid4().hex[:12], options.root.resolve(), lambda line: print(line, file=sys.stderr)
        )
        with closing(session):
            yield session.store, session.pilot
        return
    from harness.store.store import Store

    # A store that is not there yet has no trials, and need not be made to say so.
    with closing(Store(given.store if given.store.is_file() else Path(":memory:"))) as store:
        yield store, None
