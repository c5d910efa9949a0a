"""The outcome of a run as one exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.specification.profiles import NO_VERDICT_PROFILE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.store.records.claim import ClaimRecord, ProblemRecord
    from harness.store.records.expectation import ReadingRecord

AS_EXPECTED = 0
UNEXPECTED = 1
USAGE = 2
INCONCLUSIVE_ONLY = 3
TRIAL_ERRORS = 4


def exit_code(records: Sequence[ClaimRecord | ProblemRecord]) -> int:
    """Return the exit code of a run; of several reasons the gravest counts: 2, then 4, then 1, then 3.

    A run of no claims verifies nothing, and whoever asked for it mistook something: 2.
    """
    if not records:
        return USAGE
    codes = {_code(record) for record in records}
    return next((code for code in (USAGE, TRIAL_ERRORS, UNEXPECTED, INCONCLUSIVE_ONLY) if code in codes), AS_EXPECTED)


def _code(record: ClaimRecord | ProblemRecord) -> int:
    # Late, for the codes alone are wanted by every command, and these bring the judge and numpy with them.
    from harness.running.waiver import expired
    from harness.store.records.claim import ProblemRecord

    if isinstance(record, ProblemRecord):
        return USAGE if record.problem.kind in ("specification", "usage") else TRIAL_ERRORS
    if record.errors:
        return TRIAL_ERRORS
    if record.profile == NO_VERDICT_PROFILE:
        return AS_EXPECTED
    if expired(record):
        return UNEXPECTED
    # A control that does not break makes its claim's readings INVALID, so that they say it all.
    wrong = {word for r in record.readings.values() if not (r.as_expected or r.waived) for word in odd(r)}
    if not wrong:
        return AS_EXPECTED
    return INCONCLUSIVE_ONLY if wrong <= {"INCONCLUSIVE", "NOT_RUN"} else UNEXPECTED


def odd(reading: ReadingRecord) -> set[str]:
    """Return the verdicts by which a reading is not as expected: its own, those of expectations that flipped, or both."""
    # An expected refutation may hide that another expectation of the reading flipped, or was not decided.
    flipped = {reading.expectations[name].verdict for name in reading.flipped}
    return {*flipped} if reading.verdict == reading.expected else {reading.verdict, *flipped}
