"""The commands that look back at stored runs and trials: `claims judge`, `claims compare`, `claims repro`."""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.project import STORE, add_ids, add_json, add_store, chosen, complete_profiles, root_of, short_names
from harness.errors import UsageError
from harness.running.exit_code import AS_EXPECTED, UNEXPECTED, exit_code

if TYPE_CHECKING:
    import argparse

REGRESSION = "regression"
"""What `claims compare --fail-on` may name."""


def add_commands(commands: Any) -> None:
    """Add the three commands to a command line; `commands` are its subparsers."""
    judge = commands.add_parser("judge", help="judge the stored trials by the present claim.yaml, measuring nothing")
    add_ids(judge)
    judge.add_argument("--profile", default="quick", metavar="NAME", help="profile of the trials (default quick)")
    judge.add_argument("--base-seed", type=int, default=0, metavar="N", help="base seed of the trials (default 0)")
    judge.add_argument("--device", default="auto", metavar="NAME", help="device that they were measured on")
    judge.add_argument("--json", action="store_true", help="as JSON, like report.json")
    judge.add_argument("--into", type=Path, metavar="DIR", help="write the reports there, too")
    complete_profiles(judge)
    judge.set_defaults(command=_judge)
    compare = commands.add_parser("compare", help="two runs: which verdicts changed, which estimates differ")
    for name in ("A", "B"):
        compare.add_argument(
            name.lower(), metavar=name, help="report.json or its folder, store, id of a run, or git commit of one"
        )
    compare.add_argument("--format", choices=["text", "markdown", "json"], default="text", help="default text")
    compare.add_argument(
        "--fail-on", choices=[REGRESSION], help="exit code 1 if a reading that was as expected in A is not in B"
    )
    compare.add_argument("--mixed", action="store_true", help="compare across profiles and devices, too")
    compare.set_defaults(command=_compare)
    repro = commands.add_parser(
        "repro",
        help="what a stored trial was, and whether it repeats bit for bit",
        epilog="exit codes of --run: 0 the same bit for bit, 1 not the same, 2 cannot be repeated",
    )
    repro.add_argument(
        "trial", nargs="?", metavar="TRIAL", help="key of a trial, or how it begins; none lists the latest"
    )
    repro.add_argument("--run", action="store_true", help="measure it again and compare every bit")
    add_json(repro)
    repro.set_defaults(command=_repro)
    for command in (judge, compare, repro):
        add_store(command)


def _judge(options: argparse.Namespace) -> int:
    from harness.report.terminal import table
    from harness.report.write import write_reports
    from harness.retrospect.rejudge import lines, review
    from harness.running.coverage import with_coverage
    from harness.store.records.parsing import plain
    from harness.store.store import Store
    from harness.trials.options import Options

    folders = chosen(options)
    try:
        given = Options(
            options.profile, options.base_seed, store=options.root / options.store, device=options.device, workers=1
        )
    except UsageError as error:
        raise short_names(error) from None
    with closing(Store.copy_of(given.store)) as store:
        run = with_coverage(review(folders, given, store, options.root.resolve()), root_of(options))
    if options.into:
        write_reports(run, options.root / options.into)
    if options.json:
        print(json.dumps(plain(run), indent=1))
    else:
        width = shutil.get_terminal_size((100, 24)).columns
        print("\n".join([*table(run, width), *lines(run)]))
    return exit_code(run.claims)


def _compare(options: argparse.Namespace) -> int:
    from harness.report.comparison_text import as_markdown, lines
    from harness.retrospect.compare import compare
    from harness.retrospect.find_run import load_run
    from harness.store.records.parsing import plain

    a, b = (load_run(name, options.root, options.root / options.store) for name in (options.a, options.b))
    found = compare(a, b, mixed=options.mixed)
    shown = {
        "json": lambda: json.dumps(plain(found), indent=1),
        "markdown": lambda: as_markdown(found).rstrip("\n"),
        "text": lambda: "\n".join(lines(found)),
    }
    print(shown[options.format]())
    return UNEXPECTED if options.fail_on == REGRESSION and found.regressions else AS_EXPECTED


def _repro(options: argparse.Namespace) -> int:
    from harness._text import escape_unprintable
    from harness.report import replay_text
    from harness.retrospect import replay as repro
    from harness.store.store import Store

    path = options.root / options.store
    with closing(Store.copy_of(path)) as store:
        if options.trial is None:
            if options.run:
                raise UsageError("--run: which trial? `claims repro` without it lists the latest")
            trials = store.past("", repro.LATEST)
            latest = json.dumps([repro.as_plain(trial) for trial in trials], indent=1)
            print(latest if options.json else "\n".join(map(escape_unprintable, replay_text.listing(trials))))
            return AS_EXPECTED
        finding = repro.find_trial(store, options.trial)
        prospect = repro.prospect_of(finding, root_of(options), store)
    facts = {**repro.as_plain(finding.trial), "commit": finding.commit, "obstacles": prospect.obstacles}
    if not options.run:
        if options.json:
            print(json.dumps(facts, indent=1))
            return AS_EXPECTED
        given = "" if options.store == STORE else f" --store {options.store}"
        print("\n".join(map(escape_unprintable, replay_text.lines(finding, prospect, given))))
        return AS_EXPECTED
    outcome = repro.repeat(prospect, finding.trial, lambda line: print(escape_unprintable(line), file=sys.stderr))
    assert prospect.plan is not None
    same = repro.repeated(finding.trial, outcome, prospect.plan)
    again = {"again": {"metrics": outcome.metrics, "seconds": outcome.seconds}, "same": same}
    told = "\n".join(map(escape_unprintable, replay_text.result_lines(finding, outcome, prospect.plan)))
    print(json.dumps(facts | again, indent=1) if options.json else told)
    return AS_EXPECTED if same else UNEXPECTED
