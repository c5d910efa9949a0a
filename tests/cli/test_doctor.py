"""`claims doctor`, and the diagnosis behind it: every part by itself, whatever is broken."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.cli import diagnosis
from harness.cli.diagnosis import diagnose
from harness.cli.main import main
from harness.store.store import Store
from tests.tiny_project import write_claim

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def parts(tmp_path):
    """Diagnose a tiny project; return its parts by name."""
    write_claim(tmp_path)

    def look(store="store.sqlite3"):
        return {part.name: part for part in diagnose(tmp_path, tmp_path / store)}

    return look


def test_it_says_what_a_report_of_a_fault_needs(tmp_path, capsys):
    write_claim(tmp_path)
    Store(tmp_path / ".claims/store.sqlite3").close()

    code = main(["--root", str(tmp_path), "doctor", "--json"])

    found = json.loads(capsys.readouterr().out)
    facts = {part["name"]: part["facts"] for part in found["parts"]}
    assert code == (2 if found["wrong"] else 0)
    assert facts["python"]["version"] == ".".join(map(str, sys.version_info[:3]))
    assert facts["packages"]["pytest"] == pytest.__version__
    assert facts["machine"]["cores"] >= 1
    assert facts["machine"]["memory_free_bytes"] > 0
    assert facts["torch"]["computes"] is True
    assert facts["torch"]["threads"] >= 1
    assert facts["project"]["claims"] == 1
    assert facts["store"] | {"bytes": 0, "sqlite": ""} == {
        "path": str(tmp_path / ".claims/store.sqlite3"), "sqlite": "", "bytes": 0,
        "integrity": "ok", "runs": 0, "trials": 0, "records": 0, "pictures_timings_and_noise_floors": 0,
        "sets_of_inputs": 0, "places_where_trials_ran": 0,
    }  # fmt: skip
    assert facts["disk"]["store_free_bytes"] > 0


def test_the_project_itself_names_its_digits():
    data = {part.name: part for part in diagnose(PROJECT, Path("/nowhere/store"))}["data"]

    assert not data.wrong
    assert re.fullmatch(r"mnist.*, [0-9]+ examples, .*, sha256 [0-9a-f]{64}", data.facts["mnist"])


def test_text_marks_what_is_wrong_with_its_remedy(tmp_path, capsys):
    code = main(["--root", str(tmp_path), "doctor"])

    out = capsys.readouterr().out
    assert code == 2
    assert "✓ python\n" in out
    assert "✗ project\n" in out
    assert (
        "  wrong: there is no claims/ here; go to a project (cd), give --root, or begin one with `claims init`\n" in out
    )
    wrong = out.count("\n  wrong: ")
    assert f"\n{wrong} thing{'s are' if wrong > 1 else ' is'} wrong\n" in out


@pytest.mark.parametrize("torch", ["raise OSError('libtorch\\x1b[2J.so: cannot open')", "import nowhere_to_be_found"])
def test_it_works_where_torch_is_broken(tmp_path, torch):
    write_claim(tmp_path)
    (tmp_path / "torch.py").write_text(torch)
    code = "from harness.cli.main import main; raise SystemExit(main(['doctor']))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, text=True, capture_output=True, check=False
    )

    assert done.returncode == 2
    assert "✗ torch\n  wrong: cannot be imported (" in done.stdout
    assert "`pip install torch==VERSION`" in done.stdout
    assert "✓ disk\n" in done.stdout, "the other parts are looked at all the same"
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


def test_a_package_that_is_missing_is_wrong_unless_it_is_optional(parts, monkeypatch):
    wanted = ["nowhere-to-be-found>=2", 'pytest-nowhere; extra == "parallel"', "pytest"]
    monkeypatch.setattr(diagnosis.metadata, "requires", lambda _: wanted)

    found = parts()["packages"]

    assert found.wrong == ["nowhere-to-be-found is not installed; `pip install nowhere-to-be-found`"]
    assert found.facts["pytest"] == pytest.__version__
    assert set(found.facts) <= {"claims-harness", "pytest"}


def test_whose_command_comes_first_on_the_path_is_told(parts, tmp_path, monkeypatch):
    other = tmp_path / "bin" / "claims"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(other.parent))
    entry = SimpleNamespace(dist=SimpleNamespace(name="claims-other"))
    monkeypatch.setattr(diagnosis.metadata, "entry_points", lambda **_: [entry])

    found = parts()["python"]

    assert found.facts["claims_command"] == str(other)
    assert found.notes[0].startswith(f"the command `claims` is {other}, of another installation; this one's is ")
    assert found.wrong == ["claims-other installs a command `claims` too; `pip uninstall claims-other`"]
    monkeypatch.setenv("PATH", "")
    assert parts()["python"].notes[0].startswith("the command `claims` is not on the PATH; this one's is ")


def test_a_store_that_is_missing_is_no_fault_and_is_not_made(parts, tmp_path):
    found = parts()["store"]

    assert not found.wrong
    assert found.notes == ["there is no store yet; `claims run` makes one"]
    assert not (tmp_path / "store.sqlite3").exists()


def altered(path, statement):
    Store(path).close()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(statement)


def damaged(path):
    """Write rubbish over the page of an index, so that it no longer fits its table."""
    store = Store(path)
    store.start_run("one", {}, {})
    store.close()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute("CREATE INDEX of_begin ON run (started)")
        database.execute(
            "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'trial') WHERE name = 'of_begin'"
        )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_text("no database" * 100), "cannot be read as a store: file is not a database"),
        (
            lambda path: altered(path, "PRAGMA user_version = 99"),
            "was written by another version (schema 99, this is ",
        ),
        (lambda path: altered(path, "DROP TABLE trial"), "cannot be read: no such table: trial"),
        (damaged, "is damaged; put a sound copy there"),
        (
            lambda path: altered(path, "INSERT INTO record VALUES ('one', 'a', '{}', '')"),
            "run one, claim a: code: is missing; it was edited, or is of another version",
        ),
    ],
    ids=["no database", "another schema", "no table", "damaged", "a record"],
)
def test_a_store_with_something_wrong_says_what(parts, tmp_path, make, message):
    make(tmp_path / "store.sqlite3")
    before = (tmp_path / "store.sqlite3").read_bytes()

    assert any(message in words for words in parts()["store"].wrong)
    assert (tmp_path / "store.sqlite3").read_bytes() == before, "a diagnosis repairs nothing"


def test_little_room_and_little_memory_are_wrong(parts, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=5_000_000))
    monkeypatch.setattr(diagnosis, "available", lambda: 400_000_000)

    found = parts()

    assert found["disk"].wrong[0].startswith("0.01 GB are free at ")
    assert found["machine"].wrong == ["0.4 GB of memory are free; end other programs, or run with --workers 1"]


def test_data_that_are_not_what_they_should_be_are_wrong(parts, tmp_path, monkeypatch):
    (tmp_path / "fixtures").mkdir()
    shutil.copy(PROJECT / "fixtures/mnist.py", tmp_path / "fixtures/mnist.py")
    monkeypatch.setenv("CLAIMS_DATA_DIR", str(tmp_path / "gone"))

    assert f"{tmp_path}/gone: no such folder" in parts()["data"].wrong[0]


def test_a_look_that_fails_hides_no_other(parts, monkeypatch):
    monkeypatch.setattr(diagnosis, "_settings", lambda _: 1 / 0)

    found = parts()

    assert found["settings"].wrong == ["cannot be looked at: ZeroDivisionError: division by zero"]
    assert not found["python"].wrong
