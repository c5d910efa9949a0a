"""The run of a claim: plan, measure, judge, control, record."""

from __future__ import annotations

import json
import math
import time
from contextlib import closing
from dataclasses import replace
from unittest.mock import Mock

import pytest

from harness.errors import TrialError, UsageError
from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.running.time_budget import Budget
from harness.store.garbage import garbage
from harness.store.records.claim import Left
from harness.store.records.parts import Trials
from harness.trials.catalogue import load_claim
from harness.trials.executor import Inline, Processes
from harness.trials.experiment import Outcome
from harness.trials.options import Options
from harness.trials.provenance import processor
from tests.tiny_project import EXPERIMENT, write_claim


def reading(record, name="as_documented"):
    return record.readings[name]


def expectation(record, name="warm_exceeds_cold"):
    return reading(record).expectations[name]


TURNED = {"change: {centre: 0.0}": "change: {centre: 2.0}\n    arms: [warm]"}
"""A control that turns a refutation: it warms what the claim has cold."""


def test_true_statement_is_verified_and_its_control_refuted(tmp_path, run):
    record = run(write_claim(tmp_path))

    assert reading(record).verdict == "VERIFIED"
    assert reading(record).as_expected
    assert record.controls["same_centre"].behaves
    assert record.controls["same_centre"].expectations["warm_exceeds_cold"].verdict == "REFUTED"


def test_a_record_says_what_is_a_duration_and_how_fine_a_metric_is(tmp_path, run):
    record = run(write_claim(tmp_path, replace={"unit: degree": "unit: second, resolution: 0.001"}))

    assert expectation(record).duration
    assert expectation(record).sd_floor == pytest.approx(0.001 * math.sqrt(2 / 12))
    assert not expectation(run(write_claim(tmp_path))).duration


def test_false_statement_is_refuted(tmp_path, run):
    record = run(write_claim(tmp_path, gap=-1.0))

    assert reading(record).verdict == "REFUTED"
    assert not reading(record).as_expected


def test_expected_refutation_counts_as_expected(tmp_path, run):
    assert reading(run(write_claim(tmp_path, gap=-1.0, expected="REFUTED", replace=TURNED))).as_expected


def test_statement_on_the_edge_uses_all_seeds_and_stays_undecided(tmp_path, run):
    record = run(write_claim(tmp_path, gap=0.5))

    assert reading(record).verdict == "INCONCLUSIVE"
    assert expectation(record).n == 12
    assert [look.n for look in expectation(record).looks] == [6, 8, 10, 12]


def test_seeds_stop_as_soon_as_the_reading_is_decided(tmp_path, run):
    record = run(write_claim(tmp_path))

    assert expectation(record).n == 6
    # Two arms and six seeds, the control's warm arm besides; its cold arm is the claim's own.
    assert record.trials == Trials(reused=6, measured=18, failed=0)


def test_control_that_is_verified_makes_the_claim_invalid(tmp_path, run):
    folder = write_claim(tmp_path, replace={"change: {centre: 0.0}": "change: {spread: 0.04}"})

    record = run(folder)

    assert reading(record).verdict == "INVALID"
    assert not record.controls["same_centre"].behaves
    assert "same_centre" in reading(record).reason


def test_control_gets_as_much_evidence_as_the_claim_needed(tmp_path, run):
    folder = write_claim(tmp_path, gap=0.75, replace={"change: {centre: 0.0}": "change: {centre: 0.2}"})

    record = run(folder)

    used = expectation(record).n
    assert used >= 6
    assert record.controls["same_centre"].expectations["warm_exceeds_cold"].n <= used


def test_control_of_one_arm_leaves_the_others_trials_alone(tmp_path, run):
    replace = {"change: {centre: 0.0}": "change: {centre: 0.0, spread: 0.04}\n    arms: [warm]"}

    record = run(write_claim(tmp_path, replace=replace))

    assert record.controls["same_centre"].behaves
    assert record.trials == Trials(reused=6, measured=18, failed=0)


def test_second_run_reuses_every_trial_and_says_the_same(tmp_path, run):
    folder = write_claim(tmp_path)
    first = run(folder)

    second = run(folder, run_id="second")

    assert second.trials.measured == 0
    assert second.trials.reused == first.trials.total
    assert expectation(second) == expectation(first)


def test_fresh_run_reuses_nothing_of_earlier_runs(tmp_path, run):
    folder = write_claim(tmp_path)
    run(folder)

    assert run(folder, run_id="second", fresh=True).trials.measured == 18


def test_base_seed_changes_every_value(tmp_path, run):
    folder = write_claim(tmp_path)
    first, second = expectation(run(folder)).values, expectation(run(folder, base_seed=7)).values

    assert first.keys() == second.keys()
    assert not set(first.values()) & set(second.values())


def test_moving_a_band_judges_again_without_measuring(tmp_path, run):
    run(write_claim(tmp_path))

    record = run(write_claim(tmp_path, replace={"at_least: 0.5": "at_least: 0.6"}), run_id="second")

    assert record.trials.measured == 0
    assert expectation(record).band.low == 0.6


def test_changed_experiment_measures_again(tmp_path, run):
    run(write_claim(tmp_path))

    changed = write_claim(tmp_path, experiment=EXPERIMENT.replace("seed.numpy(arm)", "seed.numpy(arm + arm)"))

    assert run(changed, run_id="second").trials.reused == 6  # only what the control shares with the claim


def test_changed_comment_reuses_everything(tmp_path, run):
    run(write_claim(tmp_path))

    same = write_claim(tmp_path, experiment=EXPERIMENT.replace('"""Return one', '# a comment\n    """Give one'))

    assert run(same, run_id="second").trials.measured == 0


def test_smoke_profile_runs_everything_and_gives_no_verdict(tmp_path, run):
    record = run(write_claim(tmp_path), profile="smoke")

    assert record.trials.measured == 6
    assert {r.verdict for r in record.readings.values()} == {"NOT_RUN"}
    assert not reading(record).as_expected


def test_raising_measure_is_invalid_and_names_the_line(tmp_path, run):
    folder = write_claim(
        tmp_path, experiment=EXPERIMENT.replace("    return {", "    raise ValueError('too cold')\n    return {")
    )

    record = run(folder)

    assert reading(record).verdict == "INVALID"
    assert f"{folder / 'experiment.py'}:10: ValueError: too cold" in record.errors[0]
    assert "Traceback" in record.traces[0]


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ('{"level": np.array([np.nan] * len(seeds))}', "level is nan"),
        ('{"level": np.array([np.inf] * len(seeds))}', "level is inf"),
        ('{"level": np.zeros(len(seeds) + 1)}', "level has shape (7,), but (6,) is needed"),
        ('{"levle": np.zeros(len(seeds))}', "returned the metrics ['levle'], but claim.yaml declares ['level']"),
        ("{}", "returned the metrics [], but claim.yaml declares ['level']"),
        ("None", "measure() returned NoneType"),
    ],
)
def test_what_is_no_measurement_is_invalid(tmp_path, run, returned, message):
    text = EXPERIMENT.replace(
        '{"level": np.array([seed.numpy(arm).normal(centre, spread) for seed in seeds])}', returned
    )

    record = run(write_claim(tmp_path, experiment=text))

    assert reading(record).verdict == "INVALID"
    assert message in record.errors[0]


def test_failed_trials_are_measured_again(tmp_path, run, store):
    text = EXPERIMENT.replace(
        "    return {", "    import os\n    if 'TOO_COLD' in os.environ:\n        raise ValueError\n    return {"
    )
    folder = write_claim(tmp_path, experiment=text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOO_COLD", "1")
        assert reading(run(folder)).verdict == "INVALID"

    record = run(folder, run_id="second")

    assert reading(record).verdict == "VERIFIED"
    assert record.trials.failed == 0


def test_setting_that_measure_does_not_know_names_both_sides(tmp_path, run):
    folder = write_claim(tmp_path, replace={"cold: {centre: 0.0}": "cold: {centre: 0.0, colour: blue}"})

    error = run(folder).errors[0]

    assert "unexpected keyword argument 'colour'" in error
    assert "claim.yaml gives ['centre', 'colour', 'spread']" in error


def test_unknown_profile_is_refused_with_the_nearest(tmp_path, run):
    with pytest.raises(UsageError, match=r"no profile 'quik'; did you mean 'quick'\?"):
        run(write_claim(tmp_path), profile="quik")


def test_missing_experiment_is_refused(tmp_path, run):
    folder = write_claim(tmp_path)
    (folder / "experiment.py").unlink()

    with pytest.raises(TrialError, match=r"experiment\.py: no such file"):
        run(folder)


def test_nothing_begins_after_the_deadline(tmp_path, store):
    context = Context(Options(), store, lambda _: Inline(), "run", budget=Budget(time.monotonic() - 1))

    record = run_claim(load_claim(write_claim(tmp_path)), context)

    assert reading(record).verdict == "NOT_RUN"
    assert record.trials.measured == 0
    assert record.left == Left(seconds=None, trials=None)


def test_claim_whose_control_is_cut_off_has_no_verdict(tmp_path, store):
    """The clock runs out after the claim's own first look."""
    budget = Budget(time.monotonic() + 1e6)
    budget.allows = Mock(side_effect=[True, False])
    context = Context(Options(workers=1), store, lambda _: Inline(), "run", budget=budget)

    record = run_claim(load_claim(write_claim(tmp_path)), context)

    assert expectation(record).verdict == "VERIFIED"
    assert reading(record).verdict == "NOT_RUN"
    assert "without it there is no verdict" in reading(record).reason
    assert record.left.seconds > 0
    assert record.left.trials == 6  # the warm arm under the change; the cold one is the claim's own


def test_arms_of_a_timed_claim_swap_places_from_seed_to_seed(tmp_path, run):
    log = tmp_path / "order.txt"
    note = f"    with open({str(log)!r}, 'a') as log:\n        log.write(f'{{arm}} {{len(seeds)}}\\n')\n    return {{"
    text = EXPERIMENT.replace("    return {", note)
    folder = write_claim(tmp_path, experiment=text, replace={"unit: degree": "unit: second"})

    run(folder, readings=["as_documented"])

    first = log.read_text().split("\n")[:4]
    assert first == ["warm 1", "cold 1", "cold 1", "warm 1"]


CONDITIONS = {
    "metrics:": "conditions:\n  step: [10, 20]\nmetrics:",
    "level: {unit: degree, better: higher}": "level: {unit: degree, better: higher}\n  time: {unit: second, better: lower}",
    "contrast: {difference: level, of: {arm: warm}, minus: {arm: cold}}": "contrast: {difference: level, of: {arm: warm, step: 20}, minus: {arm: cold, step: 20}}",
    "        because: half of the documented gap\n": """        because: half of the documented gap
      warm_takes_its_time:
        contrast: {mean: time, at: {arm: warm, step: 10}}
        band: {at_most: 100}
        because: it is nothing much
        no_control: nothing here changes the clock
""",
}
TIMED = EXPERIMENT.replace("*, centre, spread", "*, centre, spread, step").replace(
    'return {"level": ',
    'noise = np.array([seed.numpy("t").random() for seed in seeds])\n    return {"time": noise, "level": ',
)


DEVICES = """
import os
import numpy as np

def measure(arm, seeds, *, centre, spread, device, precision):
    assert os.environ["CUDA_VISIBLE_DEVICES"] == {"cpu": "", "cuda": "7"}[device], arm
    return {"level": np.array([seed.numpy(arm).normal(centre, spread) for seed in seeds])}
"""
PINNED = {"arms:\n": "precision: float32\narms:\n", "cold: {centre: 0.0}": "cold: {centre: 0.0, device: cpu}"}


def test_an_arm_stays_on_the_processor_while_others_are_on_a_gpu(tmp_path, store, monkeypatch):
    """Two kinds of workers as there are with a GPU: those that see one, and those that see none."""
    folder = load_claim(write_claim(tmp_path, experiment=DEVICES, replace=PINNED))
    with monkeypatch.context() as patch, closing(Processes(1, ["7"])) as executor:
        patch.setenv("CUDA_VISIBLE_DEVICES", "7,8")
        patch.setattr("harness.trials.plan.resolve_device", lambda *_: "cuda")
        for owner in ("harness.trials.options", "harness.running.measuring"):
            patch.setattr(f"{owner}.visible_gpus", lambda device: ("7",) if device == "cuda" else ())
        record = run_claim(folder, Context(Options(), store, lambda _: executor, "on a GPU"))
    there = {trial.key: (trial.arm, trial.environment["device"]) for trial in store.past("", 99)}
    assert record.errors == []
    assert set(there.values()) == {("cold", "cpu"), ("warm", "cuda")}

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    here = run_claim(folder, Context(Options(device="cpu"), store, lambda _: Inline(), "without"))

    assert here.errors == []
    assert here.trials.measured == 12, (
        "those of the arm that stayed are the same trials: the warm one's, and its control's"
    )
    assert garbage(store, [folder], Options(device="cpu")) == {}


class Spy(Inline):
    """Takes note of what is run and how many jobs at once; says of every trial that it took `peak` bytes."""

    def __init__(self, peak=None):
        super().__init__()
        self.ran, self._peak = [], peak

    def run(self, jobs, at_once=None, peaks=None):
        self.ran += [(at_once and at_once[task.device], task) for job in jobs for task in job]
        for task, outcomes in super().run(jobs):
            yield task, [replace(outcome, peak_bytes=self._peak) for outcome in outcomes]


def test_only_conditions_whose_durations_are_read_are_measured_alone(tmp_path, store):
    folder, spy = write_claim(tmp_path, experiment=TIMED, replace=CONDITIONS), Spy()

    run_claim(load_claim(folder), Context(Options(workers=4), store, lambda _: spy, "run"))

    found = {step: {(n, len(task.seeds)) for n, task in spy.ran if task.condition["step"] == step} for step in (10, 20)}
    assert found == {10: {(1, 1)}, 20: {(4, 1), (4, 2)}}


ONE_STEP = {old: new.replace("[10, 20]", "[10]").replace("step: 20", "step: 10") for old, new in CONDITIONS.items()}


def alone_at(spy, indices):
    """Return how many jobs ran at once for the claim's own trials of seeds with these indices."""
    return {at_once for at_once, task in spy.ran if task.settings["centre"] != 0 and task.seeds[0].index in indices}


def test_once_durations_are_decided_further_seeds_are_measured_side_by_side_and_have_none(tmp_path, store):
    # The gap is on the edge of its band: looks at it follow after the first, which decides the time.
    folder, spy = write_claim(tmp_path, experiment=TIMED, replace=ONE_STEP, gap=0.5), Spy()

    record = run_claim(load_claim(folder), Context(Options(workers=4), store, lambda _: spy, "run"))

    assert (alone_at(spy, range(6)), alone_at(spy, range(6, 12))) == ({1}, {4})
    assert expectation(record).n == 12
    assert expectation(record, "warm_takes_its_time").n == 6
    assert metrics_of(store) == {index: {"level", "time"} if index < 6 else {"level"} for index in range(12)}


def test_a_duration_that_is_asked_for_later_is_measured_alone(tmp_path, store):
    run_claim(
        load_claim(write_claim(tmp_path, experiment=TIMED, replace=ONE_STEP, gap=0.5)),
        Context(Options(workers=4), store, lambda _: Spy(), "run"),
    )
    edge = {**ONE_STEP, "at_most: 100": "at_most: 0.5"}  # the time is uniform between 0 and 1
    folder, spy = write_claim(tmp_path, experiment=TIMED, replace=edge, gap=0.5), Spy()

    record = run_claim(load_claim(folder), Context(Options(workers=4), store, lambda _: spy, "later"))

    assert expectation(record, "warm_takes_its_time").n == 12
    assert (alone_at(spy, range(6)), alone_at(spy, range(6, 12))) == (set(), {1})
    assert metrics_of(store) == {key: {"level", "time"} for key in range(12)}


def metrics_of(store):
    """Return which metrics are stored of the seeds of the warm arm."""
    query = "SELECT seed, metrics FROM trial WHERE arm = 'warm' AND json_extract(settings, '$.centre') != 0"
    return {seed: set(json.loads(metrics)) for seed, metrics in store._database.execute(query)}


def test_one_process_is_not_alone_where_others_may_come(tmp_path, store):
    folder = write_claim(tmp_path, experiment=TIMED, replace=ONE_STEP, gap=0.5)

    run_claim(load_claim(folder), Context(Options(workers=1), store, lambda _: Inline(), "run"))

    assert metrics_of(store) == {index: {"level", "time"} if index < 6 else {"level"} for index in range(12)}
    clocks = {trial.seed.index: trial.place.alone for trial in store.past("", 99) if trial.arm == "warm"}
    assert clocks == {index: index < 6 for index in range(12)}


def test_durations_by_another_clock_are_measured_again_and_the_rest_is_reused(tmp_path, store, monkeypatch):
    def record_of(run):
        context = Context(Options(workers=1), store, lambda _: Inline(), run)
        return run_claim(load_claim(write_claim(tmp_path, experiment=TIMED, replace=ONE_STEP)), context)

    first, again = record_of("here"), record_of("here again")
    assert again.trials.measured == 0
    assert again.clocks == first.clocks

    monkeypatch.setattr("harness.trials.place._processor", lambda: "another")
    there = record_of("there")
    assert (first.trials.measured, there.trials.measured) == (18, 12), "the control reads no duration"
    assert {clock.processor for clock in there.clocks} == {"another"}
    durations = {found.place.processor: (found.trials, found.durations) for found in there.places}
    assert durations == {"another": (18, 18), processor(): (6, 0)}, "the control's own are those of before"
    assert record_of("there again").trials.measured == 0, "the newest durations are those that are kept"


@pytest.mark.parametrize("place", [None, "", "no place"])
def test_durations_whose_place_nobody_noted_are_measured_again(tmp_path, store, place):
    folder = load_claim(write_claim(tmp_path, experiment=TIMED, replace=ONE_STEP))
    run_claim(folder, Context(Options(workers=1), store, lambda _: Inline(), "before"))
    store._write("UPDATE trial SET place = ?", (place,))

    record = run_claim(folder, Context(Options(workers=1), store, lambda _: Inline(), "now"))

    assert record.trials.measured == 12, "all but those of the control, which reads no duration"


def test_where_no_duration_is_read_trials_of_any_place_are_reused(tmp_path, store):
    folder = load_claim(write_claim(tmp_path))
    run_claim(folder, Context(Options(workers=1), store, lambda _: Inline(), "before"))
    store._write("UPDATE trial SET place = NULL")

    assert run_claim(folder, Context(Options(workers=1), store, lambda _: Inline(), "now")).trials.measured == 0


def test_a_failed_trial_takes_no_finished_ones_place(tmp_path, store, monkeypatch):
    folder = write_claim(tmp_path, experiment=TIMED, replace=ONE_STEP)
    run_claim(load_claim(folder), Context(Options(workers=1), store, lambda _: Inline(), "here"))
    monkeypatch.setattr("harness.trials.place._processor", lambda: "another")
    monkeypatch.setattr(
        "harness.trials.experiment._outcomes", lambda task, _: [Outcome({}, 0.0, "broken") for _ in task.seeds]
    )
    record = run_claim(load_claim(folder), Context(Options(workers=1), store, lambda _: Inline(), "there"))

    assert record.trials.failed > 0
    assert store._read("SELECT count(*) FROM trial WHERE status = 'failed'") == [(0,)]


def test_no_more_processes_than_memory_allows_for_what_trials_are_known_to_take(tmp_path, store, monkeypatch):
    monkeypatch.setattr("harness.trials.memory.available", lambda: 3 * 2**30)
    folder, spy = write_claim(tmp_path, gap=0.5), Spy(2**30)  # on the edge: further looks follow the first

    run_claim(load_claim(folder), Context(Options(workers=8), store, lambda _: spy, "run"))

    first = {at_once for at_once, task in spy.ran if task.settings["centre"] == 0.5 and task.seeds[0].index < 6}
    later = {at_once for at_once, task in spy.ran if task.settings["centre"] == 0.5 and task.seeds[0].index >= 6}
    assert (first, later) == ({8}, {3}), "before the first batch nobody knows"


TOGETHER = EXPERIMENT.replace("*, centre, spread", "*, centre, spread, step").replace(
    'return {"level": np.array([seed.numpy(arm).normal(centre, spread) for seed in seeds])}',
    'return {"level": np.array([[seed.numpy(arm).normal(centre, spread) + s for s in step] for seed in seeds])}',
)


def test_condition_measured_together_gives_one_point_per_value(tmp_path, run):
    replace = {
        "metrics:": "conditions:\n  step: {values: [10, 20, 30], together: true}\nmetrics:",
        "contrast: {difference: level, of: {arm: warm}, minus: {arm: cold}}": "contrast: {difference: level, of: {arm: warm, step: 30}, minus: {arm: cold, step: 10}}",
    }
    folder = write_claim(tmp_path, experiment=TOGETHER, replace=replace)

    record = run(folder)

    assert expectation(record).estimate == pytest.approx(21.0, abs=0.5)
    assert record.trials == Trials(reused=6, measured=18, failed=0)


@pytest.mark.parametrize("choice", ["stacked", None])
def test_how_the_seeds_were_trained_stands_in_the_record_also_of_reused_trials(tmp_path, run, choice):
    noting = (
        f"    from harness._strategy_log import note\n    note({choice!r})\n    return {{" if choice else "    return {"
    )
    folder = write_claim(tmp_path, experiment=EXPERIMENT.replace("    return {", noting, 1))

    for measured in (18, 0):
        record = run(folder)
        assert record.trials.measured == measured
        assert record.strategies == ({"cold": ["stacked"], "warm": ["stacked"]} if choice else {})
