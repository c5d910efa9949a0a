"""The exit code of a run: the gravest reason counts."""

from __future__ import annotations

import itertools

import pytest

from harness.running.exit_code import exit_code
from tests.reported import read_saved, saved_claim

SAVED_CLAIM, SAVED_PROBLEM = saved_claim(), read_saved().problems[0]


def reading(verdict, as_expected):
    other = "REFUTED" if verdict == "VERIFIED" else "VERIFIED"
    found = {"verdict": verdict, "expected": verdict if as_expected else other, "as_expected": as_expected}
    return SAVED_CLAIM.readings["as_documented"].model_copy(update=found)


def record(verdict="VERIFIED", *, as_expected=True, errors=(), profile="quick", more=()):
    readings = {str(i): reading(*one) for i, one in enumerate([(verdict, as_expected), *more])}
    return SAVED_CLAIM.model_copy(update={"errors": list(errors), "profile": profile, "readings": readings})


def problem(kind):
    return SAVED_PROBLEM.model_copy(update={"problem": SAVED_PROBLEM.problem.model_copy(update={"kind": kind})})


CASES = {
    0: record(),
    1: record("REFUTED", as_expected=False),
    2: problem("specification"),
    3: record("INCONCLUSIVE", as_expected=False),
    4: record(errors=["seed 3: ValueError"]),
}


@pytest.mark.parametrize(
    ("one", "code"),
    [
        *((case, code) for code, case in CASES.items()),
        (problem("usage"), 2),
        (problem("trial"), 4),
        (problem("data"), 4),
        (record("REFUTED"), 0),
        (record("VERIFIED", as_expected=False), 1),
        (record("INVALID", as_expected=False), 1),
        (record("NOT_RUN", as_expected=False), 3),
        (record("NOT_RUN", as_expected=False, more=[("INCONCLUSIVE", False), ("VERIFIED", True)]), 3),
        (record("INCONCLUSIVE", as_expected=False, more=[("REFUTED", False)]), 1),
        (record("NOT_RUN", as_expected=False, profile="smoke"), 0),
        (record("NOT_RUN", as_expected=False, profile="smoke", errors=["x"]), 4),
    ],
)
def test_the_code_of_one_claim(one, code):
    assert exit_code([one]) == code


@pytest.mark.parametrize("several", [list(c) for k in range(1, 6) for c in itertools.combinations(CASES, k)])
def test_of_several_reasons_the_gravest_counts(several):
    gravest = next(code for code in (2, 4, 1, 3, 0) if code in several)
    assert exit_code([CASES[code] for code in several]) == gravest
    assert exit_code([CASES[code] for code in reversed(several)]) == gravest


def test_a_run_without_claims_is_no_success():
    assert exit_code([]) == 2
