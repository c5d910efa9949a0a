"""Outlooks: what stored trials say of the cost of a claim, in seconds, seeds and bytes."""

from __future__ import annotations

import pytest

from harness.running.cost import batch_seconds, outlook_of, remaining_seconds
from harness.running.outlook import outlook_record
from harness.running.variant import main_variant
from harness.trials.catalogue import load_claim
from harness.trials.options import Options
from harness.trials.plan import make_plan, tasks_of
from tests.tiny_project import EXPERIMENT, write_claim

SECOND_EACH = "UPDATE trial SET seconds = 1.0"
ALL = 18
"""Trials of the tiny claim: two arms and the control's warm arm, six seeds each."""


SHARP = {"cap: 12}, spread: 0.05": "cap: 12}, spread: 0.001"}
"""So clear that every simulated run is decided at the first look."""


@pytest.fixture
def outlook(store):
    """Return the outlook of the claim in a folder."""

    def make(folder, **options):
        given = Options(**options)
        return outlook_of(make_plan(load_claim(folder), given), given.profile, store)

    return make


@pytest.fixture
def remaining(store):
    """Return the seconds that the claim in a folder still takes."""

    def make(folder, run="later", **options):
        given = Options(**{"workers": 1, **options})
        return remaining_seconds(make_plan(load_claim(folder), given), given, store, run)

    return make


def test_trials_of_any_base_seed_count_each_as_its_own_seed(tmp_path, run, outlook):
    folder = write_claim(tmp_path)
    for base_seed in (3, 4):
        run(folder, base_seed=base_seed)

    found = outlook(folder, base_seed=5)

    assert found.trials == 2 * ALL
    assert found.complete
    assert found.forecasts["warm_exceeds_cold"].n == 12
    assert found.forecasts["warm_exceeds_cold"].effect == pytest.approx(0.5 / (0.05 * 2**0.5), rel=0.6)


@pytest.mark.parametrize(
    "change",
    [
        {"experiment": EXPERIMENT.replace("normal(centre", "laplace(centre")},
        {"replace": {"cap: 12}, spread: 0.05}": "cap: 12}, spread: 0.06}"}},
        {"replace": {"level: {unit": "degrees: {unit", "difference: level": "difference: degrees"}},
    ],
    ids=["code", "setting", "metric"],
)
def test_trials_that_today_would_be_others_do_not_count(tmp_path, run, outlook, change):
    run(write_claim(tmp_path))

    assert outlook(write_claim(tmp_path, **change)).trials == 0


def test_without_trials_nothing_is_known(tmp_path, outlook, remaining):
    folder = write_claim(tmp_path)
    found = outlook(folder)

    assert (found.trials, found.seconds, found.peak_bytes, found.complete) == (0, None, None, False)
    assert "0 seeds have all the trials" in found.forecasts["warm_exceeds_cold"].reason
    assert remaining(folder) is None


def test_seconds_are_the_mean_seeds_of_every_part_and_a_shared_part_counts_once(tmp_path, run, store, outlook):
    folder = write_claim(tmp_path, replace=SHARP)
    run(folder)
    store._write(SECOND_EACH, ())

    found = outlook(folder)

    assert found.forecasts["warm_exceeds_cold"].seeds == 6.0
    assert found.seconds == pytest.approx(ALL)


def test_a_claim_that_needs_more_seeds_costs_more(tmp_path, run, store, outlook):
    folder = write_claim(tmp_path, gap=0.5, replace=SHARP)
    run(folder)
    store._write(SECOND_EACH, ())

    found = outlook(folder)

    assert found.forecasts["warm_exceeds_cold"].seeds > 10
    # The control is refuted at its first look: 6 seeds of its warm arm.
    assert found.seconds == pytest.approx(2 * found.forecasts["warm_exceeds_cold"].seeds + 6, abs=1e-6)


def test_a_part_without_trials_counts_as_the_mean_of_the_others(tmp_path, run, store, outlook):
    folder = write_claim(tmp_path, replace=SHARP)
    run(folder, readings=["as_documented"])
    store._write(SECOND_EACH, ())
    # The control's warm arm, whose centre is 0.
    store._write("DELETE FROM trial WHERE arm = 'warm' AND settings LIKE '%\"centre\":0.0%'", ())

    found = outlook(folder)

    assert not found.complete
    assert found.seconds == pytest.approx(ALL)


def test_what_is_stored_under_the_base_seed_need_not_be_paid_again(tmp_path, run, store, remaining):
    folder = write_claim(tmp_path, replace=SHARP)
    run(folder)
    store._write(SECOND_EACH, ())

    assert remaining(folder) == 0.0
    assert remaining(folder, base_seed=7) == pytest.approx(ALL)
    assert remaining(folder, base_seed=7, workers=2) == pytest.approx(ALL / 2)
    store._write("DELETE FROM trial WHERE seed > 3", ())
    assert remaining(folder) == pytest.approx(3 * 2)


def test_fresh_runs_pay_for_everything_but_their_own_trials(tmp_path, run, store, remaining):
    folder = write_claim(tmp_path, replace=SHARP)
    run(folder, run_id="earlier")
    store._write(SECOND_EACH, ())

    assert remaining(folder, fresh=True) == pytest.approx(ALL)
    assert remaining(folder, fresh=True, run="earlier") == 0.0


def test_durations_are_measured_in_one_process(tmp_path, run, store, remaining):
    folder = write_claim(tmp_path, replace={**SHARP, "unit: degree": "unit: second"})
    run(folder)
    store._write(SECOND_EACH, ())

    assert remaining(folder, base_seed=7, workers=2) == pytest.approx(ALL)


def test_a_claim_that_is_undecided_so_far_still_takes_the_seeds_of_those_that_go_on(tmp_path, run, store, remaining):
    folder = write_claim(tmp_path, gap=0.5)
    run(folder)
    store._write(SECOND_EACH, ())
    store._write("DELETE FROM trial WHERE seed > 7", ())

    # Undecided after 8 seeds: at most 4 more of two arms; the control is decided.
    assert 4.0 <= remaining(folder) <= 8.0


def test_a_batch_takes_what_its_trials_took(tmp_path, run, store):
    folder = write_claim(tmp_path)
    run(folder)
    store._write(SECOND_EACH, ())
    options = Options(base_seed=7, workers=2)
    plan = make_plan(load_claim(folder), options)
    main = main_variant(plan.claim)
    tasks = tasks_of(plan, main.points(list(main.expectations), plan.claim), range(4), main.change_of)

    assert batch_seconds(plan, main, tasks, options, store) == pytest.approx(8 / 2)
    store._write("DELETE FROM trial", ())
    assert batch_seconds(plan, main, tasks, options, store) is None


def test_peak_memory_is_the_most_of_all_trials(tmp_path, run, store, outlook):
    folder = write_claim(tmp_path)
    run(folder)
    store._write("UPDATE trial SET peak_bytes = 1000 + seed", ())
    store._write("UPDATE trial SET peak_bytes = NULL WHERE seed = 5", ())

    assert outlook(folder).peak_bytes == 1004


def test_neediest_is_the_expectation_least_likely_to_be_decided(tmp_path, run, outlook):
    second = """  as_doubled:
    expectations:
      warm_exceeds_cold_by_one:
        contrast: {difference: level, of: {arm: warm}, minus: {arm: cold}}
        band: {at_least: 1.0}
        because: the centres differ by one
        no_control: it is here to be undecided
controls:"""
    folder = write_claim(tmp_path, replace={"controls:": second})
    run(folder)

    found = outlook(folder)

    assert found.least_powered == "warm_exceeds_cold_by_one"
    record = outlook_record(found)
    assert record.expectations[found.least_powered].underpowered
    assert not record.expectations["warm_exceeds_cold"].underpowered
    assert record.expectations["warm_exceeds_cold"].smallest_effect == pytest.approx(
        found.forecasts["warm_exceeds_cold"].smallest_effect()
    )


def test_seconds_of_a_look_at_one_profile_know_nothing_of_another(tmp_path, run, outlook):
    folder = write_claim(tmp_path, replace={"smoke: {seeds: 2, spread: 0.05}": "smoke: {seeds: 2, spread: 0.04}"})
    run(folder)

    assert outlook(folder, profile="smoke").trials == 0


def test_condition_measured_together_is_one_part(tmp_path, run, store, outlook):
    experiment = EXPERIMENT.replace("*, centre, spread", "*, centre, spread, step").replace(
        'return {"level": np.array([seed.numpy(arm).normal(centre, spread) for seed in seeds])}',
        'return {"level": np.array([[seed.numpy(arm).normal(centre, spread) + s for s in step] for seed in seeds])}',
    )
    changes = {
        **SHARP,
        "metrics:": "conditions:\n  step: {values: [10, 20], together: true}\nmetrics:",
        "of: {arm: warm}, minus: {arm: cold}": "of: {arm: warm, step: 20}, minus: {arm: cold, step: 20}",
    }
    folder = write_claim(tmp_path, experiment=experiment, replace=changes)
    run(folder)
    store._write(SECOND_EACH, ())

    found = outlook(folder)

    assert len(found.parts) == 3
    assert found.seconds == pytest.approx(ALL)
