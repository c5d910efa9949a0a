"""The outcome of a run as one exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.specification.profiles import NO_VERDICT_PROFILE

if TYPE_CHECKING:
    from harness.running.record import Record

AS_EXPECTED = 0
UNEXPECTED = 1
USAGE = 2
INCONCLUSIVE_ONLY = 3
TRIAL_ERRORS = 4


def exit_code(records: list[Record]) -> int:
    """Return the exit code of a run; of several reasons the gravest counts: 2, then 4, then 1, then 3.

    A run of no claims verifies nothing, and whoever asked for it mistook something: 2.
    """
    if not records:
        return USAGE
    codes = {_code(record) for record in records}
    return next((code for code in (USAGE, TRIAL_ERRORS, UNEXPECTED, INCONCLUSIVE_ONLY) if code in codes), AS_EXPECTED)


def _code(record: Record) -> int:
    # Late, for the codes alone are wanted by every command, and this brings the judge and numpy with it.
    from harness.running.waiver import covers, expired

    if "problem" in record:
        return USAGE if record["problem"]["kind"] in ("specification", "usage") else TRIAL_ERRORS
    if record["errors"]:
        return TRIAL_ERRORS
    if record["profile"] == NO_VERDICT_PROFILE:
        return AS_EXPECTED
    if expired(record):
        return UNEXPECTED
    # A control that does not break makes its claim's readings INVALID, so that they say it all.
    readings = record["readings"].values()
    wrong = {word for reading in readings if not (reading["as_expected"] or covers(reading)) for word in odd(reading)}
    if not wrong:
        return AS_EXPECTED
    return INCONCLUSIVE_ONLY if wrong <= {"INCONCLUSIVE", "NOT_RUN"} else UNEXPECTED


def odd(reading: Record) -> set[str]:
    """Return the verdicts by which a reading is not as expected: its own, those of expectations that flipped, or both."""
    # An expected refutation may hide that another expectation of the reading flipped, or was not decided.
    flipped = {e["verdict"] for e in reading.get("expectations", {}).values() if e.get("as_expected") is False}
    return flipped if reading["verdict"] == reading.get("expected") else {reading["verdict"], *flipped}
