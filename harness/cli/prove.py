"""The command `claims prove`: whether the experiments of claims are sound, and whether claims notice broken ones."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from harness._text import escape_unprintable
from harness.cli.project import add_ids, add_json, add_store, chosen, complete_profiles, short_names
from harness.errors import ClaimsError, SpecError, UsageError
from harness.running.exit_code import AS_EXPECTED, UNEXPECTED, USAGE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from harness.running.proof.check import Check
    from harness.running.proof.prover import Prover
    from harness.store.records.proof import MutantsRecord
    from harness.trials.catalogue import ClaimFolder

PROVE_CODES = "exit codes: 0 everything holds, 1 something does not, 2 usage or specification"

Found = list[tuple["Check", "MutantsRecord | None"]]
"""Checks of a claim, each with the record of broken versions if it has one."""


def add_commands(commands: Any) -> None:
    """Add `claims prove`; `commands` are the subparsers."""
    prove = commands.add_parser(
        "prove",
        help="check experiments: repetition, neighbours, base seed, sabotage; with --mutants, broken versions",
        epilog=PROVE_CODES,
    )
    add_ids(prove)
    prove.add_argument(
        "--mutants", type=int, metavar="N", help="instead, break the experiment in N small ways, and say what notices"
    )
    prove.add_argument("--seed", type=int, default=0, metavar="S", help="chooses the N ways (default 0)")
    prove.add_argument(
        "--profile",
        default="quick",
        metavar="NAME",
        help="whose looks judge, the first or, where that decides nothing, all (default quick)",
    )
    prove.add_argument("--base-seed", type=int, default=0, metavar="B", help="enters every random draw (default 0)")
    prove.add_argument("--fresh", action="store_true", help="look again at broken versions whose answer is kept")
    add_store(prove)
    prove.add_argument("--device", default="auto", metavar="NAME", help="auto (default), cpu or cuda")
    prove.add_argument("--workers", type=int, default=0, metavar="N", help="processes (default: one per core)")
    add_json(prove)
    complete_profiles(prove)
    prove.set_defaults(command=_prove)


def _prove(options: argparse.Namespace) -> int:
    if options.mutants is not None and options.mutants < 1:
        raise UsageError(f"--mutants: {options.mutants} is no number of broken versions; give 1 or more")
    folders = chosen(options)
    found: dict[str, Found] = {}
    unusable = False
    try:
        with closing(_prover(options)) as prover:
            for path in folders:
                found[path.name], wrong = _checked(path, prover, options)
                unusable = unusable or wrong
    except UsageError as error:
        raise short_names(error) from None
    except KeyboardInterrupt:
        raise UsageError(f"interrupted; answers that were there are kept in {options.root / options.store}") from None
    if options.json:
        print(json.dumps({claim: list(map(_plain, checks)) for claim, checks in found.items()}, indent=1))
    if unusable:
        return USAGE
    sound = all(check.passed for checks in found.values() for check, _ in checks)
    return AS_EXPECTED if sound else UNEXPECTED


def _prover(options: argparse.Namespace) -> Prover:
    from harness.running.proof.prover import Prover
    from harness.trials.options import Options

    given = {name: getattr(options, name) for name in ("profile", "base_seed", "fresh", "device", "workers")}
    chosen_options = Options(**given, store=options.root.resolve() / options.store)
    return Prover(chosen_options, lambda line: print(line, file=sys.stderr))


def _checked(path: Path, prover: Prover, options: argparse.Namespace) -> tuple[Found, bool]:
    """Return the checks of a claim, told as they come, and whether it could not be checked at all."""
    from harness.trials.catalogue import load_claim

    found: Found = []
    if not options.json:
        print(escape_unprintable(path.name))
    try:
        for check, record in _checks(load_claim(path), prover, options):
            found.append((check, record))
            if not options.json:
                _tell(check, record)
    except ClaimsError as error:
        for line in str(error).splitlines():
            print(escape_unprintable(line), file=sys.stderr)
        # A trial that fails is a finding about the experiment; a specification that is none, or a wrong word, is not.
        found.append((_failed(error), None))
        return found, isinstance(error, SpecError | UsageError)
    return found, False


def _failed(error: ClaimsError) -> Check:
    from harness.running.proof.check import Check

    return Check("experiment", "can be run", str(error).splitlines())


def _checks(
    folder: ClaimFolder, prover: Prover, options: argparse.Namespace
) -> Iterator[tuple[Check, MutantsRecord | None]]:
    if options.mutants is None:
        yield from ((check, None) for check in prover.checks(folder))
    else:
        yield prover.mutants(folder, options.mutants, options.seed)


def _tell(check: Check, record: MutantsRecord | None) -> None:
    from harness.report.proof_text import check_lines, mutant_lines

    for line in check_lines(check):
        print(escape_unprintable(line))
    for line in mutant_lines(record) if record else ():
        print(escape_unprintable(f"    {line}"))
    sys.stdout.flush()


def _plain(found: tuple[Check, MutantsRecord | None]) -> dict[str, Any]:
    from harness.store.records.parsing import plain

    check, record = found
    return {**asdict(check), "passed": check.passed, **({"mutants": plain(record)} if record else {})}
