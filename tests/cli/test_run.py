"""`claims run`: what it makes of its words, and what pytest gets."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from harness.cli.main import main
from harness.trials.options import FLAGS
from tests.tiny_project import DOCUMENT, write_claim


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Three claims of two documents."""
    write_claim(tmp_path)
    write_claim(tmp_path, "warm_again")
    other = write_claim(tmp_path, "from_elsewhere", replace={"document: notes": "document: letters"})
    letters = tmp_path / "claims/letters"
    letters.mkdir()
    other.rename(letters / "from_elsewhere")
    (letters / "document.yaml").write_text(DOCUMENT.replace("id: notes", "id: letters"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(project, monkeypatch, capsys):
    """Call `claims run`; return what pytest would get after the usual flags, or what was said instead."""

    def call(*words):
        called = []
        monkeypatch.setattr(os, "execv", lambda _, command: called.append(command))
        monkeypatch.setattr("harness.cli.run.sys.stdout", sys.stdout)
        code = main(["run", *words])
        if not called:
            return code, capsys.readouterr().err
        passed = called[0][called[0].index("--claims-wanted") + 1 :]
        return [word.replace(f"{project.resolve()}/claims/", "") for word in passed if "--claims-progress" not in word]

    return call


@pytest.mark.parametrize(
    "words",
    [
        ["warm_again", "--profile", "smoke", "-x"],
        ["--profile", "smoke", "warm_again", "-x"],
        ["-x", "--profile=smoke", "warm_again"],
        ["-x", "warm_again", "--claims-profile", "smoke"],
        ["--claims-profile=smoke", "-x", "warm_again"],
    ],
    ids=" ".join,
)
def test_ids_and_options_come_in_any_order(run, words):
    assert run(*words) == ["notes/warm_again", "--claims-profile=smoke", "-x"]


def test_every_option_has_its_short_name_and_reaches_pytest(run):
    values = {"profile": "quick", "base-seed": "today", "store": "s", "device": "cpu", "workers": "2"}
    values |= {
        "max-seconds": "9.5",
        "report": "r",
        "progress": "plain",
        "executor": "processes",
        "ray-address": "local",
    }
    flags = [flag for flag in FLAGS if flag.name != "progress"]
    words = [
        word
        for flag in flags
        for word in ([f"--{flag.name}", values[flag.name]] if flag.metavar else [f"--{flag.name}"])
    ]

    assert run("warm_again", *words)[1:] == [
        f"--claims-{flag.name}={values[flag.name]}" if flag.metavar else f"--claims-{flag.name}" for flag in flags
    ]


def test_the_help_has_every_option_once_with_the_plugins_words(capsys):
    with pytest.raises(SystemExit):
        main(["run", "--help"])

    out = " ".join(capsys.readouterr().out.split())
    for flag in FLAGS:
        assert out.count(f"--claims-{flag.name}") == 1
        assert flag.help in out


@pytest.mark.parametrize(
    ("words", "passed"),
    [
        (["-k", "warm_again"], ["-k", "warm_again"]),
        (["--maxfail", "2", "warm_again"], ["--maxfail", "2"]),
        (["-n4", "warm_again", "-rA"], ["-n", "4", "-rA"]),
        (["--unheard-of=1", "warm_again"], ["--unheard-of=1"]),
        (["warm_again", "--", "--profile", "warm_exceeds_cold"], ["--profile", "warm_exceeds_cold"]),
        (["-x", "-k", "a or b", "warm_again", "-v"], ["-k", "a or b", "-x", "-v"]),
    ],
    ids=" ".join,
)
def test_what_is_unknown_goes_to_pytest_with_its_value(run, project, words, passed):
    ids = (
        [str(project.resolve() / "claims")] if words[-1] == "warm_again" and words[0] == "-k" else ["notes/warm_again"]
    )

    assert run(*words) == [*ids, *passed]


def test_a_document_stands_for_its_claims_and_a_folder_for_itself(run):
    assert run("notes") == ["notes/warm_again", "notes/warm_exceeds_cold"]
    assert run("claims/letters") == ["letters/from_elsewhere"]
    assert run("claims/notes/warm_again/") == ["notes/warm_again"]
    assert run("claims/notes/warm_again/claim.yaml") == ["notes/warm_again"]
    assert run("warm_*") == ["notes/warm_again", "notes/warm_exceeds_cold"]
    assert run("warm_again", "notes") == ["notes/warm_again", "notes/warm_exceeds_cold"], "each once"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["warm_agian", "leters"], "no claim or document 'warm_agian'; did you mean 'warm_again'?\nno claim or document 'leters'; did you mean 'letters'?"),
        (["zzz"], "no claim or document 'zzz'; `claims list` names them all"),
        (["-x", "warm_agian"], "no claim or document 'warm_agian'; did you mean 'warm_again'?"),
        (["--profle", "smoke"], "no option '--profle'; did you mean '--profile'? (after -- it would go to pytest as it is)"),
        (["--profile", "quik"], "--profile: no claim that is to run has a profile 'quik'; did you mean 'quick'?"),
        (["--device", "tpu"], "--device: no device 'tpu'; give one of auto, cpu, cuda"),
        (["--workers", "-1"], "--workers: -1 is no number of processes; give 1 or more, or 0 for one per core"),
        (["--max-seconds", "0"], "--max-seconds: 0 is no time to run; give a positive number of seconds"),
        (["--executor", "dask"], "--executor: no executor 'dask'; give one of processes, ray"),
        (["--ray-address", "head"], "--ray-address: 'head' is no address; give auto, local or HOST:PORT"),
        (["--progress", "fast"], "--progress: 'fast' is no way to show it; give one of auto, live, plain"),
        (["--base-seed", "tomorrow"], "claims run: argument --base-seed/--claims-base-seed: 'tomorrow' is neither a whole number nor `today`; `claims run --help` lists what it takes"),
        (["warm_again", "--profile"], "claims run: argument --profile/--claims-profile: expected one argument; `claims run --help` lists what it takes"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_told_before_pytest_begins(run, words, message):
    assert run(*words) == (2, f"{message}\n")


def test_a_claim_that_cannot_be_loaded_does_not_hide_its_own_errors(run, project):
    for path in project.rglob("claim.yaml"):
        path.write_text("nonsense")

    assert run("notes", "--profile", "smoke")[-1] == "--claims-profile=smoke"


def test_options_before_ids_run_for_real(project):
    command = [sys.executable, "-c", "from harness.cli.main import main; raise SystemExit(main())"]
    words = ["run", "--workers", "1", "--profile", "smoke", "-x", "warm_again"]

    done = subprocess.run([*command, *words], capture_output=True, text=True, check=False, cwd=project)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "warm_again (same_setting)" in done.stdout
    assert "warm_exceeds_cold (same_setting)" not in done.stdout
