"""A store taken over by another: everything comes along, a second time nothing is new, and what is no store is refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from harness.errors import UsageError
from harness.store.database import TABLES
from harness.store.records.beside import PicturesRecord
from harness.store.store import Store
from tests.tiny_project import EXPERIMENT, write_claim


@pytest.fixture
def exported(tmp_path, run, store):
    """A copy of a store with one run of a tiny claim."""
    store.start_run("run", {}, {})
    run(write_claim(tmp_path))
    store.save_beside("claim", "pictures 0", "fingerprint", PicturesRecord(pictures=[]))
    store.save_copy(tmp_path / "copy.sqlite3")
    return tmp_path / "copy.sqlite3"


@pytest.fixture
def other(tmp_path):
    """A store of another machine."""
    with closing(Store(tmp_path / "other.sqlite3")) as opened:
        yield opened


def test_what_is_exported_and_imported_is_the_same_store(store, exported, other):
    before = exported.read_bytes()

    assert (
        other.merge(exported)
        == store.counts()
        == {"run": 1, "trial": 18, "record": 1, "beside": 1, "inputs": 1, "place": 1}
    )
    assert list(other.rows()) == list(store.rows())
    assert other.merge(exported) == dict.fromkeys(TABLES, 0), "a second time nothing is new"
    assert exported.read_bytes() == before


def test_a_finished_trial_takes_the_place_of_a_failed_one_and_never_the_other_way(tmp_path, run, store, other):
    failing = write_claim(tmp_path, experiment=EXPERIMENT.replace("    return {", "    raise ValueError\n    return {"))
    run(failing)
    failed, finished = tmp_path / "failed.sqlite3", tmp_path / "finished.sqlite3"
    store.save_copy(failed)
    store._write("UPDATE trial SET status = 'finished', error = NULL, metrics = '{\"level\":1.0}'")
    store.save_copy(finished)
    trials = store.counts()["trial"]

    assert [other.merge(path)["trial"] for path in (failed, finished, failed)] == [trials, trials, 0]
    assert {row["status"] for table, row in other.rows() if table == "trial"} == {"finished"}


def altered(*statements):
    """Return what alters a store."""

    def alter(path):
        with closing(sqlite3.connect(path)) as database, database:
            for statement in statements:
                database.execute(statement)

    return alter


@pytest.mark.parametrize(
    ("alter", "words"),
    [
        (lambda path: path.unlink(), "no such file; give a store"),
        (lambda path: path.write_bytes(b""), "is no store"),
        (lambda path: path.write_bytes(b"no database " * 99), "file is not a database"),
        (lambda path: path.write_bytes(path.read_bytes()[:9000]), "malformed"),
        (altered("PRAGMA user_version = 99"), "was written by another version (schema 99, this is 2)"),
        (altered("DROP TABLE record"), "no such table: other.record"),
        (altered("ALTER TABLE trial DROP COLUMN place"), "no such column: place"),
        (altered("UPDATE trial SET metrics = '{'"), "malformed JSON"),
    ],
)
def test_what_is_no_store_is_refused_whole_and_by_its_name(tmp_path, store, exported, other, alter, words):
    # With the same trials, so that the metrics of both are compared.
    store.save_copy(tmp_path / "sound.sqlite3")
    other.merge(tmp_path / "sound.sqlite3")
    before = list(other.rows())
    alter(exported)

    with pytest.raises(UsageError) as caught:
        other.merge(exported)

    assert str(caught.value).startswith(str(exported))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(other.rows()) == before, "either all or nothing"
    other.merge(tmp_path / "sound.sqlite3")


def test_a_store_is_not_taken_over_by_itself(store, exported):
    with pytest.raises(UsageError, match=r"store\.sqlite3: is the store itself; give another"):
        store.merge(store.path)


def test_a_copy_overwrites_nothing_and_wants_a_folder(tmp_path, store, exported):
    with pytest.raises(UsageError, match=r"copy\.sqlite3: cannot be written: output file already exists; give another"):
        store.save_copy(exported)
    with pytest.raises(UsageError, match=r"x\.sqlite3: cannot be written: unable to open"):
        store.save_copy(tmp_path / "nowhere" / "x.sqlite3")
