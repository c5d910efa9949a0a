"""A store as lines of JSON: everything comes back, a second time nothing is new, and what is no export is refused."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from harness.errors import UsageError
from harness.store.database import SCHEMA_VERSION, TABLES
from harness.store.store import Store
from harness.store.transfer import FORMAT, export, merge
from tests.tiny_project import EXPERIMENT, write_claim


@pytest.fixture
def exported(tmp_path, run, store):
    """The lines of a store with one run of a tiny claim."""
    store.start_run("run", {}, {})
    run(write_claim(tmp_path))
    store.save_noise("claim", "fingerprint", {"a": 1})
    store.save_beside("claim", "pictures 0", "fingerprint", {"pictures": []})
    export(store, tmp_path / "store.jsonl")
    return (tmp_path / "store.jsonl").read_text().splitlines()


@pytest.fixture
def other(tmp_path):
    """A store of another machine."""
    with closing(Store(tmp_path / "other.sqlite3")) as opened:
        yield opened


def test_what_is_exported_and_imported_is_the_same_store(tmp_path, store, exported, other):
    counts = merge(other, tmp_path / "store.jsonl")

    assert counts == {"run": 1, "trial": 18, "record": 1, "noise": 1, "beside": 1, "inputs": 1}
    assert list(other.rows()) == list(store.rows())
    assert merge(other, tmp_path / "store.jsonl") == dict.fromkeys(TABLES, 0), "a second time nothing is new"


def test_a_finished_trial_takes_the_place_of_a_failed_one_and_never_the_other_way(tmp_path, run, store, other):
    failing = write_claim(tmp_path, experiment=EXPERIMENT.replace("    return {", "    raise ValueError\n    return {"))
    run(failing)
    failed = [row for table, row in store.rows() if table == "trial"]
    finished = [{**row, "status": "finished", "error": None, "metrics": '{"level":1.0}'} for row in failed]

    assert other.add(("trial", row) for row in failed)["trial"] == len(failed)
    assert other.add(("trial", row) for row in finished)["trial"] == len(failed)
    assert other.add(("trial", row) for row in failed)["trial"] == 0
    assert {row["status"] for table, row in other.rows() if table == "trial"} == {"finished"}


HEAD = json.dumps({"format": FORMAT, "schema": SCHEMA_VERSION})


def spoilt(line, **changes):
    """Return a trial's line with columns changed."""
    found = json.loads(line)
    return json.dumps({**found, "row": {**found["row"], **changes}})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda lines: [], "is empty"),
        (lambda lines: lines[1:], ":1: format: None, not 'claims-harness store'"),
        (lambda lines: [HEAD.replace(f": {SCHEMA_VERSION}", ": 99"), *lines[1:]], ":1: schema: 99 is later than"),
        (lambda lines: [*lines[:3], lines[3][:-20]], ":4: is no JSON"),
        (lambda lines: [*lines[:3], "[1]"], ":4: list, where an object is wanted"),
        (
            lambda lines: [*lines[:3], '{"table": "sqlite_master", "row": {}}'],
            ":4: table: 'sqlite_master'; there are run",
        ),
        (lambda lines: [*lines[:3], '{"table": "trial", "row": 3}'], ":4: row: int, where an object is wanted"),
        (lambda lines: [*lines[:3], spoilt(lines[3], colour=1)], ":4: row: 'colour' is no column of trial"),
        (lambda lines: [*lines[:3], spoilt(lines[3], key="../x")], ":4: key: '../x' is no SHA-256"),
        (lambda lines: [*lines[:3], spoilt(lines[3], metrics="{}")], ":4: metrics: '{}', where a finished trial"),
        (lambda lines: [*lines[:3], spoilt(lines[3], metrics='{"level":NaN}')], ":4: metrics: holds NaN"),
        (lambda lines: [*lines[:3], spoilt(lines[3], metrics='{"level":"1"}')], ":4: metrics: "),
        (lambda lines: [*lines[:3], spoilt(lines[3], settings="[]")], ":4: settings: '[]' is no object"),
        (lambda lines: [*lines[:3], spoilt(lines[3], seconds="long")], "TEXT value in REAL column trial.seconds"),
        (lambda lines: [*lines[:3], spoilt(lines[3], seed=2**70)], "int too large"),
        (lambda lines: [*lines[:3], spoilt(lines[3], seed=None)], "NOT NULL constraint failed: trial.seed"),
        (lambda lines: [*lines[:3], spoilt(lines[3], status="perhaps")], "CHECK constraint failed"),
        (lambda lines: [*lines[:3], "\udcff"], "is no UTF-8"),
    ],
)
def test_what_is_no_export_is_refused_whole_and_by_its_line(tmp_path, exported, other, change, words):
    path = tmp_path / "spoilt.jsonl"
    path.write_text("\n".join(change(exported)), encoding="utf-8", errors="surrogateescape")

    with pytest.raises(UsageError) as caught:
        merge(other, path)

    assert str(caught.value).startswith(str(path))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(other.rows()) == [], "either all or nothing"


def test_a_file_that_is_not_there_is_named(tmp_path, store):
    with pytest.raises(UsageError, match=r"nowhere\.jsonl: cannot be read: No such file"):
        merge(store, tmp_path / "nowhere.jsonl")
    with pytest.raises(UsageError, match=r"cannot be written: No such file or directory; give another file"):
        export(store, tmp_path / "nowhere" / "x.jsonl")
