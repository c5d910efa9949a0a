"""Judging again by stored trials alone."""

from __future__ import annotations

import pytest

from harness.errors import UsageError
from harness.retrospect.rejudge import NoMeasuring, lines, review
from harness.running.error_budget import adjust
from harness.store.records.parts import Trials
from harness.store.store import Store
from harness.trials.options import Options
from tests.tiny_project import EXPERIMENT, write_claim

MUTE = EXPERIMENT.replace("    return {", "    raise AssertionError('measured again')\n    return {", 1)


@pytest.fixture
def again(tmp_path, store):
    """Review claims by a copy of the store of `run`; return the run."""

    def call(*folders, **options):
        with_copy = Store.copy_of(store.path)
        try:
            return review(folders, Options(workers=1, **options), with_copy, tmp_path)
        finally:
            with_copy.close()

    return call


def reading(found, claim=0):
    return found.claims[claim].readings["as_documented"]


def test_the_same_specification_gives_the_same_record(tmp_path, run, again):
    folder = write_claim(tmp_path)
    (first,), _ = adjust([run(folder)])

    (found,) = again(folder).claims

    assert found.readings["as_documented"] == first.readings["as_documented"]
    assert found.controls == first.controls
    assert found.trials == Trials(reused=24, measured=0, failed=0)
    assert (found.missing_trials, found.left) == (0, None)


def test_a_moved_band_turns_the_verdict_and_the_store_stays_byte_for_byte(tmp_path, run, again, store):
    run(write_claim(tmp_path))
    before = store.path.read_bytes()

    found = again(write_claim(tmp_path, replace={"at_least: 0.5": "at_least: 5"}))

    assert reading(found).verdict == "REFUTED"
    assert found.exit_code == 1
    assert store.path.read_bytes() == before


def test_without_trials_nothing_is_measured_and_what_lacks_is_counted(tmp_path, again):
    found = again(write_claim(tmp_path, experiment=MUTE))

    assert reading(found).verdict == "NOT_RUN"
    assert found.claims[0].errors == []
    # Two arms and six seeds of the claim; of its control the warm arm and, not stored either, the cold one.
    assert found.claims[0].missing_trials == 24
    assert "24 trials of the claim are lacking in the store" in reading(found).reason
    assert found.exit_code == 3
    (line,) = lines(found)
    assert line.startswith("lacking: 24 trials of warm_exceeds_cold for its next look; `claims run warm_exceeds_cold ")
    assert line.endswith("--profile quick --base-seed 0` measures them")


def test_a_band_that_wants_more_seeds_than_are_stored_is_not_decided(tmp_path, run, again):
    run(write_claim(tmp_path))

    found = again(write_claim(tmp_path, replace={"at_least: 0.5": "at_least: 1"}))

    assert reading(found).verdict == "INCONCLUSIVE"
    assert reading(found).expectations["warm_exceeds_cold"].n == 6
    # Seeds 6 and 7 of both arms; the control is refuted by what is there.
    assert found.claims[0].missing_trials == 4


def test_trials_of_another_base_seed_do_not_count(tmp_path, run, again):
    folder = write_claim(tmp_path)
    run(folder, base_seed=7)

    assert reading(again(folder)).verdict == "NOT_RUN"
    assert reading(again(folder, base_seed=7)).verdict == "VERIFIED"


def test_a_claim_that_cannot_be_loaded_is_a_problem_and_the_others_go_on(tmp_path, run, again):
    sound = write_claim(tmp_path, "claim_0")
    run(sound)
    broken = write_claim(tmp_path, "claim_1", replace={"at_least: 0.5": "at_leest: 0.5"})

    found = again(sound, broken)

    assert reading(found).verdict == "VERIFIED"
    assert found.claims[1].problem.kind == "specification"
    assert found.exit_code == 2


def test_the_smoke_profile_has_nothing_to_judge(tmp_path, run, again):
    folder = write_claim(tmp_path)
    run(folder, profile="smoke")

    with pytest.raises(UsageError, match="smoke gives no verdict"):
        again(folder, profile="smoke")


def test_a_review_of_nothing_is_no_success(tmp_path, run, again):
    run(write_claim(tmp_path))

    with pytest.raises(UsageError, match="holds no claim"):
        again()


def test_nothing_new_admits_every_claim_and_no_batch():
    budget = NoMeasuring()

    assert budget.limited
    assert budget.admits("any")
    assert not budget.allows("any", 0.0)
    assert not budget.allows("any", None)
