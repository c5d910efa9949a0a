"""The store: finished trials are on disk, failed ones give way, several processes may write."""

from __future__ import annotations

import multiprocessing
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.seeds import Seed
from harness.store.database import SCHEMA_VERSION
from harness.store.records.claim import ProblemRecord
from harness.store.records.parsing import parse
from harness.store.store import Store
from harness.trials.inputs import Inputs
from harness.trials.options import Options
from harness.trials.place import place_here
from harness.trials.rows import Measured, TrialRow
from harness.trials.task import Outcome, Task
from tests.tiny_project import MACHINE


def row(key="k", value=1.0, error=None):
    task = Task(Path("e.py"), Path(), "warm", {"size": 3}, (Seed(0, "c", 4),), {"size": 3}, ("level",))
    outcome = Outcome({} if error else {"level": value}, 0.5, error)
    return TrialRow(key, "c", task, task.seeds[0], outcome, {"device": "cpu"})


def test_finished_trial_is_found_by_its_key(store):
    store.save_trial(row(), "run")

    assert store.finished(["k", "other"]) == {"k": Measured({"level": 1.0}, 0.5, (), None, "run", None)}


def test_failed_trial_is_not_reused_and_gives_way(store):
    store.save_trial(row(error="boom"), "run")
    assert store.finished(["k"]) == {}

    store.save_trial(row(value=2.0), "run")
    assert store.finished(["k"])["k"][0] == {"level": 2.0}


def test_finished_trial_stays_when_measured_again(store):
    store.save_trial(row(value=1.0), "run")
    store.save_trial(row(value=2.0), "later")

    assert store.finished(["k"])["k"][0] == {"level": 1.0}


def test_fresh_measurement_replaces(store):
    store.save_trial(row(value=1.0), "run")
    store.save_trial(row(value=2.0), "later", replace=True)

    assert store.finished(["k"], run="later")["k"][0] == {"level": 2.0}
    assert store.finished(["k"], run="run") == {}


def test_a_place_is_stored_once_however_many_trials_ran_there(store):
    here, elsewhere = place_here("cpu", alone=True), place_here("cpu", alone=False)
    for number, place in enumerate([here, elsewhere, here, None]):
        store.save_trial(replace(row(f"k{number}"), outcome=Outcome({"level": 1.0}, 0.5, place=place)), "run")

    assert store.counts()["place"] == 2
    with closing(Store(store.path)) as again:
        found = again.finished([f"k{number}" for number in range(4)])
        assert [found[f"k{number}"].place for number in range(4)] == [here, elsewhere, here, None]
        assert again.past("k1", 1)[0].place == elsewhere

        again.discard(["k1"])
        assert again.counts()["place"] == 1


@pytest.mark.parametrize("content", ["[]", "nonsense", '{"host": "h"}', None])
def test_a_place_that_is_none_or_another_is_refused(store, content):
    place = place_here("cpu", alone=True)
    store.save_trial(replace(row(), outcome=Outcome({"level": 1.0}, 0.5, place=place)), "run")
    other = place.model_copy(update={"host": "another"})
    store._write("UPDATE place SET content = ?", (content or other.text,))
    store._shared.clear()

    words = "not what the digest says" if content is None else ".*"
    with pytest.raises(UsageError, match=rf"place [0-9a-f]{{12}}: {words}; put a sound copy there"):
        store.finished(["k"])


def test_more_keys_than_a_statement_holds(store):
    store.save_trial(row("k7"), "run")

    assert list(store.finished(f"k{i}" for i in range(2000))) == ["k7"]


def test_trials_alike_are_those_of_arm_condition_and_settings_whatever_their_seeds(store):
    for index in range(3):
        store.save_trial(numbered(index), f"run {index}")
    for other in ({"arm": "cold"}, {"condition": {"size": 4}}, {"settings": {"size": 3, "depth": 1}}):
        store.save_trial(numbered(7, **other), "run")
    store.save_trial(row("failed", error="boom"), "run")

    found = store.alike("c", row().task, most=9)

    assert {(t.key, t.seed, t.run) for t in found} == {(f"k{i}", Seed(i, "c", 4), f"run {i}") for i in range(3)}
    assert {(t.metrics["level"], t.seconds, t.peak_bytes) for t in found} == {(1.0, 0.5, 1000)}
    assert store.alike("other", row().task, most=9) == []


def test_trials_alike_are_the_newest(store):
    for index in range(3):
        store.save_trial(numbered(index), "run")
        store._write("UPDATE trial SET finished = ? WHERE key = ?", (f"2026-01-0{9 - index}", f"k{index}"))

    assert [trial.key for trial in store.alike("c", row().task, most=2)] == ["k0", "k1"]


def numbered(index, **other):
    """Return a trial of base seed `index`, its task changed in some places."""
    trial = row("k" + "".join([str(index), *map(str, other.values())]))
    outcome = replace(trial.outcome, peak_bytes=1000)
    return replace(trial, task=replace(trial.task, **other), seed=Seed(index, "c", 4), outcome=outcome)


def test_usual_time_is_the_mean_over_finished_trials_with_the_same_arm_and_settings(store):
    assert store.usual_seconds("c", row().task) is None
    store.save_trial(row(), "run")
    store.save_trial(replace(row("k2"), outcome=Outcome({"level": 1.0}, 1.5)), "run")
    store.save_trial(replace(row("k3"), outcome=Outcome({}, 9.0, "boom")), "run")
    store.save_trial(replace(row("k4"), task=replace(row().task, settings={"size": 4})), "run")

    assert store.usual_seconds("c", row().task) == 1.0
    assert store.usual_seconds("other", row().task) is None
    assert store.usual_seconds("c", replace(row().task, arm="cold")) is None


def save_at_once(store, *rows):
    with store.at_once():
        for one in rows:
            store.save_trial(one, "run")


def test_trials_written_at_once_are_all_there_or_none_of_them(store):
    first = replace(row("a"), inputs=Inputs(files={"table.csv": "a" * 64}))
    with pytest.raises(UsageError, match="cannot be written"):
        save_at_once(store, first, row("b", error="\ud800"))
    assert store.counts()["trial"] == store.counts()["inputs"] == 0

    save_at_once(store, first, row("b"))

    assert store.counts()["trial"] == 2
    assert store.counts()["inputs"] == 1, "those that were taken back are written again"


def test_trials_that_cannot_be_committed_leave_the_store_fit_for_others(store, monkeypatch):
    write, broken = store._write, UsageError("disk full")
    monkeypatch.setattr(store, "_write", lambda what, *rest: _raise(broken) if what == "COMMIT" else write(what, *rest))
    with pytest.raises(UsageError, match="disk full"):
        save_at_once(store, row("a"))
    monkeypatch.undo()

    save_at_once(store, row("b"))

    assert store.finished(["a", "b"]).keys() == {"b"}


def _raise(error):
    raise error


def test_infinite_numbers_never_enter(store):
    with pytest.raises(ValueError, match="JSON"):
        store.save_trial(row(value=float("nan")), "run")


def problem(line="no such data"):
    """Return a record as short as one can be."""
    value = {"id": "c", "document": {"id": "notes"}, "problem": {"kind": "data", "lines": [line]}, "finished": ""}
    return parse(ProblemRecord, value, "a test")


def test_record_of_a_run_is_replaced_by_a_later_one(store):
    first, second = problem("a"), problem("b")
    store.save_record("run", first)
    store.save_record("run", second)

    assert store.records("run") == [second]


def test_latest_run_is_one_with_records(store):
    store.start_run("first", {}, {})
    store.save_record("first", problem())
    store.start_run("second", {}, {})

    assert store.latest_run() == "first"


def test_latest_run_is_the_one_begun_last_in_whatever_order_they_were_written(store):
    """An imported run has a later row, and need not be later."""
    for run, started in (("today", "2026-01-02T00:00"), ("imported", "2025-12-31T00:00"), ("same", "2026-01-02T00:00")):
        store.start_run(run, Options().record(), MACHINE)
        store._write("UPDATE run SET started = ? WHERE id = ?", (started, run))
        store.save_record(run, problem())

    assert store.latest_run() == "same"
    assert [run.id for run in store.runs()] == ["same", "today", "imported"]


def test_settings_of_the_file_are_the_safe_ones(store):
    assert store._database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert store._database.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "store.sqlite3"
    path.write_text("not a database, but long enough to look at" * 20)

    with pytest.raises(UsageError, match=r"store\.sqlite3: cannot be used as a store: .*--claims-store"):
        Store(path)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (f"PRAGMA user_version = {SCHEMA_VERSION + 1}", r"store\.sqlite3: was written by another version \(schema 3, this is 2\); move it away, or"),
        ("PRAGMA application_id = 0", r"store\.sqlite3: is no store, or one of before schema 1; move it away, or put a sound copy there"),
    ],
)  # fmt: skip
def test_a_store_of_another_schema_and_another_programs_file_are_refused_and_stay(tmp_path, statement, message):
    path = tmp_path / "store.sqlite3"
    Store(path).close()
    database = sqlite3.connect(path)
    database.execute(statement)
    database.close()
    before = path.read_bytes()

    for opened in (Store, Store.copy_of):
        with pytest.raises(UsageError, match=message):
            opened(path)
    assert path.read_bytes() == before


def _write_many(path, worker):
    store = Store(path)
    for index in range(20):
        store.save_trial(row(f"{worker}-{index}"), "run")
    store.close()


def test_several_processes_write_one_store(tmp_path):
    path = tmp_path / "store.sqlite3"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(path, number)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    store = Store(path)
    assert len(store.finished(f"{w}-{i}" for w in range(3) for i in range(20))) == 60
    store.close()


def test_opening_a_store_of_this_schema_writes_nothing(tmp_path):
    path = tmp_path / "store.sqlite3"
    Store(path).close()
    before = path.read_bytes()

    opened = Store(path)
    list(opened.rows())
    opened.close()

    assert path.read_bytes() == before


def test_a_copy_is_written_and_the_file_stays_as_it_is(tmp_path):
    path = tmp_path / "store.sqlite3"
    Store(path).close()
    before = path.read_bytes()

    copy = Store.copy_of(path)
    copy.save_trial(row(), "run")

    assert [trial.batch_seeds for trial in copy.past("k", 9)] == [[4]]
    copy.close()
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "message"), [(None, "no such store"), (b"no store " * 99, "cannot be read as a store")]
)
def test_what_is_no_store_cannot_be_copied(tmp_path, content, message):
    path = tmp_path / "store.sqlite3"
    if content:
        path.write_bytes(content)

    with pytest.raises(UsageError, match=message):
        Store.copy_of(path)


def test_past_trials_are_those_whose_key_begins_so_the_latest_first(store):
    for key, day, error in (("ab1", 1, None), ("ab2", 3, None), ("ab3", 2, "boom"), ("b", 9, None)):
        store.save_trial(row(key, error=error), "run")
        store._write("UPDATE trial SET finished = ? WHERE key = ?", (f"2026-01-0{day}", key))

    found = store.past("ab", 9)

    assert [trial.key for trial in found] == ["ab2", "ab3", "ab1"]
    assert [trial.key for trial in store.past("", 1)] == ["b"]
    trial = found[1]
    assert (trial.claim, trial.arm, trial.condition, trial.settings) == ("c", "warm", {"size": 3}, {"size": 3})
    assert (trial.seed, trial.metrics, trial.error, trial.batch_seeds) == (Seed(0, "c", 4), {}, "boom", [4])


@pytest.mark.parametrize(
    "seeds", [range(3, 20), range(0, 999, 2), [*range(20), 31], range(4, -1, -1), [4], range(40, 3, -1)]
)
def test_the_seeds_of_a_call_are_read_as_they_were_and_take_little_room_if_they_are_many(store, seeds):
    task = replace(row().task, seeds=tuple(Seed(0, "c", index) for index in seeds))
    store.save_trial(replace(row(), task=task), "run")

    assert store.past("k", 1)[0].batch_seeds == list(seeds)
    assert len(store._read("SELECT batch_seeds FROM trial")[0][0]) < 130


@pytest.mark.parametrize(
    "text",
    ['{"first":0,"last":9}', '{"first":0,"last":9,"step":0}', '{"first":5,"last":9,"step":2}', '{"first":0,"last":1e3,"step":1}',
     '{"first":0,"last":99999999999,"step":1}', '{"first":-2,"last":9,"step":1}'],
)  # fmt: skip
def test_seeds_of_a_call_that_are_none_or_not_those_of_the_trial_are_refused(store, text):
    store.save_trial(row(), "run")
    store._write("UPDATE trial SET batch_seeds = ?", (text,))

    with pytest.raises(UsageError, match="where a trial has indices of seeds"):
        store.past("k", 1)


def test_more_rows_than_are_read_at_once_are_all_read(store):
    store._write("BEGIN")
    for number in range(2500):
        store.save_trial(row(f"k{number}"), "run")
    store._write("DELETE FROM trial WHERE key = 'k0'")
    store._write("COMMIT")

    assert [found["key"] for table, found in store.rows() if table == "trial"] == [f"k{n}" for n in range(1, 2500)]


def test_runs_are_those_with_a_record_the_latest_first(store):
    for run, day in (("first", 1), ("second", 2), ("empty", 3)):
        store.start_run(run, Options().record(), {**MACHINE, "commit": run})
        store._write("UPDATE run SET started = ? WHERE id = ?", (f"2026-01-0{day}", run))
        if run != "empty":
            store.save_record(run, problem())

    assert [run.machine.commit for run in store.runs()] == ["second", "first"]
    assert store.knows_run("empty")
    assert not store.knows_run("none")


def test_a_record_under_the_name_of_another_claim_is_refused(store):
    store.start_run("run", Options().record(), MACHINE)
    store.save_record("run", problem())
    store._write("UPDATE record SET claim = 'second'")

    with pytest.raises(UsageError, match=r"run run, claim second: id: 'c' is another claim's; "):
        store.records("run")
