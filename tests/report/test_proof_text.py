"""What checks and broken versions say, in words."""

from __future__ import annotations

from harness.report.proof_text import MOST_TOLD, check_lines, detail_lines, mutant_lines
from harness.running.proof.check import Check
from harness.store.records.proof import VersionRecord
from tests.reported import saved_claim


def row(number, noticed="", equal=None, *, unchanged=False):
    change = f"experiment.py measure: {number} -> {number + 1}"
    return VersionRecord(
        file="claims/a/b/experiment.py",
        line=number,
        change=change,
        operator="constant",
        noticed=noticed,
        unchanged=unchanged,
        equal=equal,
        listed=equal is not None,
    )


def record(rows):
    noticed = sum(bool(one.noticed) for one in rows)
    found = {
        "noticed": noticed,
        "counted": sum(one.equal is None for one in rows),
        "by": {"reading": noticed} if noticed else {},
        "versions": rows,
    }
    return saved_claim().mutants.model_copy(update=found)


def test_a_check_is_one_line_and_what_fails_stands_in_it():
    assert list(check_lines(Check("base seed", "it matters", seconds=1.25))) == [
        "  ✓ base seed      it matters  (1.2 s)"
    ]
    assert list(check_lines(Check("base seed", "it matters", ["one\nline", "two"]))) == [
        "  ✗ base seed      one line  (0.0 s)",
        "                   two",
    ]
    (line,) = check_lines(Check("base seed", "nothing is drawn", applies=False))
    assert line.startswith("  – base seed ")


def test_survivors_come_by_their_lines_and_equal_versions_with_reasons():
    rows = [row(1, "reading a is REFUTED"), row(2), row(3, unchanged=True), row(4, equal="it cancels")]

    assert list(mutant_lines(record(rows))) == [
        "noticed 1 by readings",
        "✗ claims/a/b/experiment.py:2: measure: 2 -> 3 (not noticed)",
        "✗ claims/a/b/experiment.py:3: measure: 3 -> 4 (changes nothing at the smoke scale)",
        "– experiment.py measure: 4 -> 5: equal, because it cancels",
    ]
    assert list(detail_lines(record(rows))) == [
        "notices 1 of 3 broken versions of its experiment (1 more is equal to it): noticed 1 by readings",
        "claims/a/b/experiment.py:2: measure: 2 -> 3 (not noticed)",
        "claims/a/b/experiment.py:3: measure: 3 -> 4 (changes nothing at the smoke scale)",
    ]


def test_a_report_names_some_survivors_and_nothing_where_none_were_tried():
    lines = list(detail_lines(record([row(number) for number in range(MOST_TOLD + 2)])))

    assert len(lines) == MOST_TOLD + 2
    assert lines[-1] == "and 2 more"
    assert list(detail_lines(None)) == []
