"""Runs by the names that users give them."""

from __future__ import annotations

import json

import pytest

from harness.errors import UsageError
from harness.report.write import write_reports
from harness.retrospect.find_run import load_run
from harness.running.results import run_of
from harness.store.records.parsing import parse, plain
from harness.store.records.run import Run
from harness.store.store import Store
from tests.reported import SAVED
from tests.tiny_project import write_claim

SAVED_RUN = parse(Run, json.loads(SAVED.read_text()), "saved")
OPTIONS, MACHINE = plain(SAVED_RUN.options), plain(SAVED_RUN.machine)
RECORD = next(claim for claim in SAVED_RUN.claims if claim.id == "holds")


@pytest.fixture
def runs(tmp_path):
    """A store with three runs, two of one commit; return its path."""
    path = tmp_path / "runs.sqlite3"
    store = Store(path)
    for run, started, commit in (("a1b2", "1", "c" * 40), ("a1c3", "2", "c" * 40), ("d4e5", "3", None)):
        store.start_run(run, OPTIONS, {**MACHINE, "commit": commit})
        store._write("UPDATE run SET started = ? WHERE id = ?", (f"2026-01-0{started}T00:00", run))
        store.save_record(run, RECORD)
    store.start_run("a1-without-record", OPTIONS, {**MACHINE, "commit": "e" * 40})
    store.close()
    return path


@pytest.mark.parametrize(
    ("name", "run"),
    [("a1b2", "a1b2"), ("a1b", "a1b2"), ("d", "d4e5"), ("cccc", "a1c3"), ("c" * 40, "a1c3"), ("runs.sqlite3", "d4e5")],
)
def test_a_run_is_found_by_id_commit_or_store(tmp_path, runs, name, run):
    assert load_run(name, tmp_path, runs).id == run


def test_a_run_is_found_by_its_report(tmp_path, runs):
    store = Store(runs)
    found = run_of(store, "a1b2")
    (tmp_path / "report.json").write_text(json.dumps(plain(found)))
    store.close()

    assert load_run("report.json", tmp_path, tmp_path / "none") == found


def test_a_report_as_a_run_writes_it_is_read(tmp_path, run, store):
    store.start_run("run", OPTIONS, {**MACHINE, "commit": None})
    run(write_claim(tmp_path))
    found = run_of(store, "run")
    write_reports(found, tmp_path / "out")

    assert load_run("out/report.json", tmp_path, store.path) == found


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a1", "begins the ids of several runs"),
        ("ccc", "no run of that id or commit"),
        ("eeee", "its latest runs are d4e5 (2026-01-03T00:00), a1c3"),
        ("", "an empty name names no run"),
    ],
)
def test_what_names_no_run_or_several_says_so(tmp_path, runs, name, message):
    with pytest.raises(UsageError) as error:
        load_run(name, tmp_path, runs)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no json", "is neither a store nor a report.json"),
        ("[]", "is no report of a run"),
        ('{"id": 1, "started": "", "options": {}, "machine": {}, "claims": []}', "schema_version is None, not 1"),
        (
            '{"schema_version": 1, "id": "1", "started": "", "finished": "", "options": {}, "machine": {}, "claims": [{}]}',
            "options.profile: is missing; it was edited",
        ),
    ],
)
def test_a_file_that_is_no_report_is_refused_by_name(tmp_path, text, message):
    (tmp_path / "report.json").write_text(text)

    with pytest.raises(UsageError) as error:
        load_run("report.json", tmp_path, tmp_path / "none")
    assert "report.json: " in str(error.value)
    assert message in str(error.value)


def test_without_file_and_store_both_are_named(tmp_path):
    with pytest.raises(UsageError, match=r"'x': no such file, and there is no store .*none"):
        load_run("x", tmp_path, tmp_path / "none")


def test_a_store_without_a_run_says_how_to_make_one(tmp_path):
    Store(tmp_path / "empty.sqlite3").close()

    with pytest.raises(UsageError, match="holds no run yet"):
        load_run("empty.sqlite3", tmp_path, tmp_path / "none")


def test_a_folder_stands_for_the_report_in_it(runs, tmp_path):
    store = Store(runs)
    (tmp_path / "reports/old").mkdir(parents=True)
    (tmp_path / "reports/old/report.json").write_text(json.dumps(plain(run_of(store, "a1b2"))))
    store.close()

    assert load_run("reports/old", tmp_path, runs).id == "a1b2"
    assert load_run(str(tmp_path / "reports/old/"), tmp_path, runs).id == "a1b2"


def test_a_folder_without_a_report_is_refused_as_what_it_is(runs, tmp_path):
    (tmp_path / "empty").mkdir()

    with pytest.raises(
        UsageError, match=r"empty: is a folder without report\.json; give one that `claims report --into`"
    ):
        load_run("empty", tmp_path, runs)
    with pytest.raises(UsageError, match="an empty name names no run"):
        load_run("", tmp_path, runs)


def test_the_id_of_a_run_wins_over_nothing_that_is_no_path(runs, tmp_path):
    assert load_run("d4", tmp_path, runs).id == "d4e5"
