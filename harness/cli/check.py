"""`claims check`: every specification, and every number that the project's texts print, without training."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness._text import escape_unprintable
from harness.cli.project import add_json, add_store, opened, root_of
from harness.errors import UsageError
from harness.running.exit_code import AS_EXPECTED, USAGE

if TYPE_CHECKING:
    import argparse

    from harness.store.store import Store
    from harness.trials.catalogue import ClaimFolder


def add_commands(commands: Any) -> None:
    """Add the command to a command line; `commands` are its subparsers."""
    check = commands.add_parser("check", help="check every specification, without training")
    add_store(check)
    add_json(check)
    check.add_argument(
        "--against-verdicts",
        action="store_true",
        help="a number that a text of the project prints and of which there is no verdict yet is a problem, too",
    )
    check.set_defaults(command=_check)


def _check(options: argparse.Namespace) -> int:
    from harness import _clock
    from harness.retrospect.undeclared import undeclared, undeclared_data
    from harness.running import waiver
    from harness.trials import sabotage
    from harness.trials.catalogue import load_all
    from harness.trials.signature import misfits

    loaded, problems = load_all(root_of(options))
    today = _clock.today()
    found = {
        f.path: [*waiver.problems_of([f], today), *misfits(f), *sabotage.problems_of(f.path, f.claim)] for f in loaded
    }
    problems += [line for lines in found.values() for line in lines]
    sound = sum(not lines for lines in found.values())
    with opened(options, needed=options.against_verdicts) as store:
        problems += _drifted(loaded, store, options)
        notes = [note for f in loaded for note in (*undeclared_data(f), *undeclared(f, store))]
    if options.json:
        print(json.dumps({"sound": sound, "problems": problems, "notes": notes}, indent=1))
    else:
        for line in (*problems, *notes):
            print(escape_unprintable(line))
        words = f"{sound} claim{' is' if sound == 1 else 's are'} sound"
        print(f"{words}, {len(problems)} problem{'s' * (len(problems) != 1)}")
    if not loaded and not problems:
        raise UsageError(f"{root_of(options)}: holds no claim; a run of nothing verifies nothing")
    return USAGE if problems else AS_EXPECTED


def _drifted(loaded: list[ClaimFolder], store: Store | None, options: argparse.Namespace) -> list[str]:
    """Return a line for each printed number that is not there any more, or that the last verdict does not bear out."""
    from harness.report.quotation_text import quotation_words
    from harness.running.quotations import held
    from harness.trials.documents import load_documents
    from harness.trials.quotations import quoted

    numbers, problems = quoted(root_of(options), load_documents(root_of(options)), loaded)
    last = {claim: store.last_record(claim) if store else None for claim in {number.claim for number in numbers}}
    records = [held(number, found[1] if (found := last[number.claim]) else None) for number in numbers]
    told = (False, None) if options.against_verdicts else (False,)
    here = [r.model_copy(update={"file": str(options.root / r.file)}) for r in records if r.holds in told]
    return problems + [quotation_words(record) for record in here]
