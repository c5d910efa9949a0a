"""Trials of later looks, measured by workers that this one leaves without a job: no verdict may notice them."""

from __future__ import annotations

from collections import Counter
from itertools import count

import pytest

from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.store.records.parts import Trials
from harness.store.store import Store
from harness.trials.catalogue import load_claim
from harness.trials.executor import Inline
from harness.trials.options import Options
from tests.tiny_project import EXPERIMENT, write_claim

LONG = {"first: 6, step: 2, cap: 12": "first: 6, step: 2, cap: 40"}


class Wide(Inline):
    """Takes note of every job that it is handed, in order."""

    def __init__(self):
        super().__init__()
        self.jobs, self.calls = [], []

    def run(self, jobs, at_once=None, peaks=None):
        self.jobs += jobs
        self.calls.append(jobs)
        yield from super().run(jobs, at_once)

    def measured(self, centre):
        """Return the indices of the seeds whose trials with this centre were measured, as often as they were."""
        tasks = [task for job in self.jobs for task in job if task.settings["centre"] == centre]
        return Counter(seed.index for task in tasks for seed in task.seeds)


@pytest.fixture(autouse=True)
def memory_for_all(monkeypatch):
    """How many workers fit into this machine's memory is no matter here."""
    monkeypatch.setattr("harness.running.measuring.affordable", lambda workers, _: workers)


@pytest.fixture
def on(tmp_path):
    """Run a claim on so many workers and a store of their own; return its record, the executor and what was said."""
    opened, known, runs = {}, set(), count()

    def run(folder, workers, **options):
        store = opened.setdefault(workers, Store(tmp_path / f"{workers}.sqlite3"))
        executor, said = Wide(), []
        if workers not in known:
            # Whoever is to measure ahead must know what memory a trial takes.
            known.add(workers)
            run(folder, workers, profile="smoke", base_seed=1)
        context = Context(
            Options(workers=workers, **options), store, lambda _: executor, f"run {next(runs)}", said.append
        )
        return run_claim(load_claim(folder), context), executor, said

    yield run
    for store in opened.values():
        store.close()


def found(record):
    """Return what is said of a claim, without how it was come by."""
    parts = [*record.readings.values(), *record.controls.values()]
    return [part.model_dump() for part in parts]


@pytest.mark.parametrize("gap", [1.0, 0.55, 0.5], ids="gap {}".format)
@pytest.mark.parametrize("workers", [3, 9, 64])
def test_verdicts_seeds_and_estimates_are_those_of_stopping_whatever_was_measured_ahead(tmp_path, on, gap, workers):
    folder = write_claim(tmp_path, gap=gap, replace=LONG)

    alone, wide = on(folder, 2)[0], on(folder, workers)[0]

    assert found(wide) == found(alone)
    assert wide.trials.total == alone.trials.total


def test_the_gaps_above_stop_at_different_looks(tmp_path, on):
    ends = [
        on(write_claim(tmp_path, gap=gap, replace=LONG), 2)[0]
        .readings["as_documented"]
        .expectations["warm_exceeds_cold"]
        .n
        for gap in (1.0, 0.55, 0.5)
    ]

    assert ends == sorted(ends)
    assert len(set(ends)) == 3


def test_workers_without_a_job_measure_the_next_seeds_one_each_and_no_more(tmp_path, on):
    record, wide, said = on(write_claim(tmp_path, replace=LONG), 9)

    assert wide.measured(1.0) == Counter(range(9))
    assert [len(task.seeds) for job in wide.jobs for task in job] == [1] * 24
    assert record.trials == Trials(reused=6, measured=18, failed=0)
    assert "warm_exceeds_cold: 6 trials measured ahead were not needed; they are stored, not judged" in said


@pytest.mark.parametrize("workers", [1, 2, 6])
def test_a_look_that_fills_the_workers_leaves_none_to_measure_ahead(tmp_path, on, workers):
    _, executor, said = on(write_claim(tmp_path, replace=LONG), workers)

    assert executor.measured(1.0) == Counter(range(6))
    assert not [line for line in said if "ahead" in line]


def test_nothing_is_measured_twice_nor_beyond_the_cap_nor_beyond_what_a_control_may_read(tmp_path, on):
    record, wide, _ = on(write_claim(tmp_path, gap=0.5, replace=LONG), 64)

    assert wide.measured(0.5) == wide.measured(0.0) - Counter(range(40)) == Counter(range(40))
    assert record.trials == Trials(reused=6, measured=86, failed=0), "the first look decides the control"


def test_a_control_is_measured_ahead_as_far_as_the_claim_needed_and_no_farther(tmp_path, on):
    _, wide, _ = on(write_claim(tmp_path, replace=LONG), 64)

    assert wide.measured(1.0) == Counter(range(40))
    assert wide.measured(0.0) == Counter(range(40)) + Counter(range(6)), (
        "the cold arm's, and the warm arm's under the control"
    )


def failing_at(index):
    head, rest = EXPERIMENT.split("    return {", 1)
    return f"{head}    if any(seed.index == {index} for seed in seeds):\n        raise ValueError('too cold')\n    return {{{rest}"


def test_a_trial_that_fails_beyond_the_look_that_decides_is_no_evidence(tmp_path, on):
    record, wide, _ = on(write_claim(tmp_path, replace=LONG, experiment=failing_at(7)), 64)

    assert wide.measured(1.0)[7] == 1
    assert record.readings["as_documented"].verdict == "VERIFIED"
    assert (record.trials.failed, record.errors) == (0, [])


def test_a_trial_that_failed_ahead_fails_at_its_look_and_is_not_tried_again(tmp_path, on):
    record, wide, _ = on(write_claim(tmp_path, gap=0.5, replace=LONG, experiment=failing_at(7)), 64)

    assert wide.measured(0.5)[7] == 1
    assert record.readings["as_documented"].verdict == "INVALID"
    assert record.readings["as_documented"].expectations["warm_exceeds_cold"].n == 0
    assert record.trials.failed == 2


@pytest.mark.parametrize("fresh", [False, True])
def test_what_was_measured_ahead_is_there_for_a_later_run_unless_it_is_fresh(tmp_path, on, fresh):
    on(write_claim(tmp_path, replace=LONG), 64)
    stricter = {**LONG, "at_least: 0.5": "at_least: 0.98"}

    record, wide, _ = on(write_claim(tmp_path, replace=stricter), 64, fresh=fresh)

    assert record.readings["as_documented"].expectations["warm_exceeds_cold"].n > 6
    assert wide.measured(1.0) == (Counter(range(40)) if fresh else Counter())


TIMED = {**LONG, "unit: degree": "unit: second"}


def test_what_needs_a_clock_is_not_measured_ahead(tmp_path, on):
    _, wide, _ = on(write_claim(tmp_path, replace=TIMED), 64)

    assert wide.measured(1.0) == Counter(range(6))


def test_before_the_memory_of_a_trial_is_known_nothing_is_measured_ahead(tmp_path, store):
    """The first look tells it."""
    executor, folder = Wide(), load_claim(write_claim(tmp_path, gap=0.5, replace=LONG))

    run_claim(folder, Context(Options(workers=64), store, lambda _: executor, "run"))

    calls = [{seed.index for job in jobs for task in job for seed in task.seeds} for jobs in executor.calls]
    assert calls == [set(range(6)), set(range(6, 40)), set(range(6))]


def test_each_trial_rests_on_what_its_own_call_had_read(tmp_path, run, store):
    """What calls read is worked out once for those that read the same; the second arm's reads one file more."""
    for arm in ("cold", "warm"):
        (tmp_path / f"{arm}.txt").write_text(arm)
    reading = f"    open({str(tmp_path)!r} + '/' + arm + '.txt').close()\n    return {{"

    run(write_claim(tmp_path, experiment=EXPERIMENT.replace("    return {", reading, 1)))

    files = {
        trial.arm: set(store.inputs(trial.inputs).files) for trial in store.measured("run", "warm_exceeds_cold")[:12]
    }
    assert files["warm"] < files["cold"]
