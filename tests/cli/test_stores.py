"""`claims export`, `import` and `gc`, as a user calls them, in words and as JSON."""

from __future__ import annotations

import json
import shutil

import pytest

from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.store.store import Store
from harness.trials.catalogue import load_claim
from harness.trials.executor import Inline
from harness.trials.options import Options
from tests.tiny_project import write_claim


@pytest.fixture(autouse=True)
def project(tmp_path):
    """A project with one stored run of one of its two claims."""
    write_claim(tmp_path, "another")
    store = Store(tmp_path / ".claims/store.sqlite3")
    store.start_run("a run", {}, {})
    run_claim(load_claim(write_claim(tmp_path)), Context(Options(workers=1), store, lambda _: Inline(), "a run"))
    store.close()


ROWS = {"run": 1, "trial": 18, "record": 1, "beside": 0, "inputs": 1, "place": 1}


def test_export_and_import_say_how_many_rows(tmp_path, claims):
    file = str(tmp_path / "copy.sqlite3")

    assert claims("export", "--sqlite", file)[:2] == (
        0,
        f"{file}: runs 1, trials 18, records 1, pictures, timings and noise floors 0, sets of inputs 1, places where trials ran 1\n",
    )
    assert claims("import", file, "--store", "new.sqlite3")[1] == (
        f"{tmp_path}/new.sqlite3: new: runs 1, trials 18, records 1, pictures, timings and noise floors 0, sets of inputs 1, places where trials ran 1\n"
    )


def test_export_and_import_as_json(tmp_path, claims):
    file = str(tmp_path / "copy.sqlite3")

    assert json.loads(claims("export", "--sqlite", file, "--json")[1]) == {"file": file, "rows": ROWS}
    told = json.loads(claims("import", file, "--json", "--store", "new.sqlite3")[1])
    assert told == {"store": f"{tmp_path}/new.sqlite3", "new": ROWS}


def test_gc_names_first_and_deletes_only_when_told(tmp_path, claims):
    assert claims("gc")[1] == "every trial can still be read by a claim\n"
    shutil.rmtree(tmp_path / "claims/notes/warm_exceeds_cold")

    assert claims("gc")[1] == "18 trials of claims that are gone\nnothing was deleted; --delete does it\n"
    assert claims("gc", "--delete")[1] == "18 trials of claims that are gone\ndeleted 18 trials\n"
    assert claims("gc", "--delete")[1] == "every trial can still be read by a claim\n"


def test_gc_as_json_has_every_key_and_its_reason(tmp_path, claims):
    assert json.loads(claims("gc", "--json")[1]) == {"reasons": {}, "trials": {}, "deleted": 0}
    shutil.rmtree(tmp_path / "claims/notes/warm_exceeds_cold")

    told = json.loads(claims("gc", "--json")[1])

    assert (told["reasons"], told["deleted"], len(told["trials"])) == ({"of claims that are gone": 18}, 0, 18)
    assert json.loads(claims("gc", "--json", "--delete")[1])["deleted"] == 18


@pytest.mark.parametrize("words", [["export", "--sqlite", "x"], ["gc"]])
def test_without_a_store_the_remedy_is_named(claims, words):
    code, out, error = claims(*words, "--store", "none.sqlite3")

    assert (code, out) == (2, "")
    assert "none.sqlite3: no such store; `claims run` makes one" in error


def test_export_without_a_file_says_what_it_takes(claims):
    code, _, error = claims("export")

    assert code == 2
    assert error.startswith(
        "claims export: one of the arguments --sqlite --tensorboard --mlflow is required; `claims export --help`"
    )
