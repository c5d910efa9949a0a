"""The rows of sabotage.yaml, tried: each turns the reading that it names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.judging.verdict import INCONCLUSIVE
from harness.running.proof.check import Check, timed
from harness.running.proof.request import READINGS, Request
from harness.trials.sabotage import broken, load_sabotage

if TYPE_CHECKING:
    from harness.running.proof.examiner import Examiner
    from harness.specification.sabotage import BrokenLine
    from harness.store.records.proof import Answer
    from harness.trials.catalogue import ClaimFolder

CRASHES = ("SyntaxError", "NameError")
"""What an edit leaves that was no science; a reading that is invalid by it noticed nothing."""


def sabotaged(folder: ClaimFolder, examiner: Examiner, base: Request) -> list[Check]:
    """Return a check per broken line: whether the reading that it names comes out otherwise than expected.

    Args:
        folder: the claim.
        examiner: where versions are asked for.
        base: profile, base seed and device of the requests.
    """
    found = load_sabotage(folder.path, folder.claim)
    return [_tried(folder, row, examiner, base) for row in (found.broken_lines if found else [])]


def _tried(folder: ClaimFolder, row: BrokenLine, examiner: Examiner, base: Request) -> Check:
    with timed(Check("sabotage", f"{row.what}: {row.reading} notices")) as check:
        request = replace(
            base,
            stages=(READINGS,),
            readings=(row.reading,),
            file=str(folder.path / row.file),
            text=broken(row, folder.path),
        )
        (answer,) = examiner.ask(folder, [request])
        if _undecided(answer, row) and not _decided_as_it_stands(folder, row, examiner, base):
            # The first look says nothing, broken or not.
            (answer,) = examiner.ask(folder, [replace(request, to_the_end=True)])
        check.failures = _failures(answer, row)
    return check


def _undecided(answer: Answer, row: BrokenLine) -> bool:
    return answer.verdicts.get(row.reading) == INCONCLUSIVE


def _decided_as_it_stands(folder: ClaimFolder, row: BrokenLine, examiner: Examiner, base: Request) -> bool:
    """Whether at the first look the reading comes out as expected while nothing is broken."""
    request = replace(base, stages=(READINGS,), readings=(row.reading,))
    (answer,) = examiner.ask(folder, [request])
    return row.reading in answer.verdicts and row.reading not in answer.unexpected


def _failures(answer: Answer, row: BrokenLine) -> list[str]:
    """Return why a reading did not notice a broken line; nothing if it did."""
    if answer.error:
        return [f"{row.what}: does not run: {answer.error}"]
    crash = next((error for error in answer.errors if any(name in error for name in CRASHES)), None)
    if crash:
        return [f"{row.what}: {crash}; break the line into code that runs"]
    if row.reading not in answer.unexpected:
        return [f"{row.what}, and still {row.reading} is {answer.verdicts[row.reading]}, as expected"]
    return []
