"""The past of the claims of a run."""

from __future__ import annotations

import pytest

from harness.retrospect.run_history import MOST_RUNS, chronicle_of
from harness.running.results import run_of
from harness.trials.options import Options
from tests.tiny_project import EXPERIMENT, MACHINE, write_claim


@pytest.fixture
def past(tmp_path, run, store):
    """Run a claim several times, each with what is given, and return the chronicle of the last run."""

    def make(*runs, name="run"):
        for number, given in enumerate(runs):
            options = {key: given.pop(key) for key in ("base_seed", "profile") if key in given}
            run_id = f"{name}{number}"
            store.start_run(run_id, Options(**options).record(), MACHINE)
            store._write("UPDATE run SET started = ? WHERE id = ?", (f"2026-01-01T00:{number:02}", run_id))
            run(write_claim(tmp_path, **given), run_id=run_id, **options)
        return chronicle_of(store, run_of(store, run_id))

    return make


def test_a_first_run_has_no_past(past):
    found = past({})

    assert found.changes.compared == 0
    assert found.changes.new == ["warm_exceeds_cold"]
    assert [len(entries) for entries in found.claims.values()] == [1]
    assert found.claims["warm_exceeds_cold"][0].steps == []


def test_a_run_again_is_the_same_to_the_last_digit(past):
    found = past({}, {})

    assert found.changes.outcomes == {"same to the last digit": 1}
    assert found.changes.verdicts == found.changes.estimates == found.changes.new == []
    assert found.changes.before == ["2026-01-01T00:00"]


def test_a_verdict_that_changed_and_a_step_are_found(past):
    found = past({}, {"gap": -1.0, "base_seed": 1}, {"gap": -1.0, "base_seed": 2})
    first, second, third = found.claims["warm_exceeds_cold"]

    assert [entry.record.readings["as_documented"].verdict for entry in (first, second, third)] == [
        "VERIFIED",
        "REFUTED",
        "REFUTED",
    ]
    assert (first.steps, second.steps, third.steps) == ([], ["warm_exceeds_cold"], [])
    assert found.changes.verdicts == [], "against the run before, not the first"


def test_the_change_of_a_verdict_is_a_regression(past):
    changes = past({}, {"gap": -1.0, "base_seed": 1}).changes

    (row,) = changes.verdicts
    assert (row.reading, row.change) == ("as_documented", "regression")
    assert [(claim, row.expectation) for claim, row in changes.estimates] == [
        ("warm_exceeds_cold", "warm_exceeds_cold")
    ]


def test_other_draws_of_the_same_truth_are_no_step(past):
    entries = past({"base_seed": 1}, {"base_seed": 2}, {"base_seed": 3}).claims["warm_exceeds_cold"]

    assert [entry.record.base_seed for entry in entries] == [1, 2, 3]
    assert [entry.steps for entry in entries] == [[], [], []]
    assert len({entry.record.expectations["warm_exceeds_cold"].estimate for entry in entries}) == 3


def test_another_profile_is_another_past(past):
    found = past({}, {"profile": "smoke"}, {})

    assert len(found.claims["warm_exceeds_cold"]) == 2


def test_code_that_changed_is_marked(tmp_path, past):
    found = past(
        {}, {"experiment": EXPERIMENT.replace("normal(centre, spread) for", "normal(centre, spread) + 0.0 for")}
    )

    assert [entry.code_changed for entry in found.claims["warm_exceeds_cold"]] == [False, True]


def test_what_came_later_is_not_looked_at(past, store):
    past({}, {}, {})
    found = chronicle_of(store, run_of(store, "run1"))

    assert [entry.head.id for entry in found.claims["warm_exceeds_cold"]] == ["run0", "run1"]


def test_only_so_many_runs_are_looked_back_at(past):
    found = past(*({} for _ in range(MOST_RUNS + 2)))

    assert [entry.head.id for entry in found.claims["warm_exceeds_cold"]] == [
        f"run{n}" for n in range(2, MOST_RUNS + 2)
    ]
