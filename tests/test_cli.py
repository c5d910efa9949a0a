"""The command line, as a user calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from harness.catalogue import load_claim
from harness.cli import main
from harness.executor import Inline
from harness.options import Options
from harness.runner import Context, run_claim
from harness.store import Store
from tests.tiny_project import write_claim


@pytest.fixture
def claims(tmp_path, capsys):
    """Call the command line in a tiny project; return exit code, standard output and standard error."""

    def call(*arguments):
        code = main(["--root", str(tmp_path), *arguments])
        return code, *capsys.readouterr()

    return call


def test_list_names_every_claim(tmp_path, claims):
    write_claim(tmp_path)

    assert claims("list")[:2] == (0, f"{'warm_exceeds_cold':<58} notes\n    Warm numbers exceed cold ones\n")


def test_list_as_json(tmp_path, claims):
    write_claim(tmp_path)

    assert json.loads(claims("list", "--json")[1])[0]["id"] == "warm_exceeds_cold"


def test_check_passes_on_sound_claims(tmp_path, claims):
    write_claim(tmp_path)

    assert claims("check") == (0, "1 claims are sound, 0 problems\n", "")


def test_check_names_file_line_and_remedy_of_every_problem(tmp_path, claims):
    folder = write_claim(tmp_path, replace={"at_least: 0.5": "at_leest: 0.5", "better: higher": "better: up"})

    code, out, _ = claims("check")

    assert code == 2
    assert f"{folder}/claim.yaml:11:" in out
    assert "did you mean 'at_least'?" in out
    assert "better: should be 'lower', 'higher' or 'neither', not 'up'" in out


def test_check_of_nothing_is_no_success(tmp_path, claims):
    (tmp_path / "claims").mkdir()

    code, _, error = claims("check")

    assert code == 2
    assert "holds no claim" in error


def test_missing_folder_names_the_remedy(claims):
    code, _, error = claims("list")

    assert code == 2
    assert "run this where claims/ lies, or give --root" in error


def test_unknown_id_names_the_nearest(tmp_path, claims):
    write_claim(tmp_path)

    assert claims("run", "warm_exceeds_old")[::2] == (
        2,
        "no claim 'warm_exceeds_old'; did you mean 'warm_exceeds_cold'?\n",
    )


def test_run_hands_options_and_their_values_to_pytest(tmp_path, monkeypatch):
    """`--claims-workers 1` is an option with its value, not an option and the id of a claim."""
    folder = write_claim(tmp_path)
    called = []

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "execv", lambda _, command: called.append(command))
    main(["--root", str(tmp_path), "run", "warm_exceeds_cold", "--claims-workers", "1", "-x"])
    assert called[0][-4:] == [str(folder), "--claims-workers", "1", "-x"]


def test_run_then_report(tmp_path):
    write_claim(tmp_path, gap=-1.0)
    command = [sys.executable, "-c", "from harness.cli import main; raise SystemExit(main())"]

    done = subprocess.run(
        [*command, "run", "warm_exceeds_cold", "--claims-workers=1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "REFUTED" in done.stdout

    (tmp_path / "reports/latest/report.md").unlink()
    again = subprocess.run([*command, "report"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert again.returncode == 0
    assert (tmp_path / "reports/latest/report.md").is_file()


def test_index_names_every_claim_run_or_not(tmp_path, claims):
    write_claim(tmp_path)

    assert claims("index")[0] == 0
    text = (tmp_path / "claims/README.md").read_text()
    assert "| [Warm numbers exceed cold ones](notes/warm_exceeds_cold/claim.yaml) | not run yet | |" in text


def test_report_without_a_run_names_the_remedy(tmp_path, claims):
    code, _, error = claims("report")

    assert code == 2
    assert "`claims run` makes one" in error


def test_schema_is_json(claims):
    assert json.loads(claims("schema")[1])["title"] == "Claim"


def test_unknown_arguments_are_refused(tmp_path, claims, capsys):
    with pytest.raises(SystemExit) as stop:
        claims("check", "--fast")

    assert stop.value.code == 2
    assert "unrecognized arguments: --fast" in capsys.readouterr().err


@pytest.fixture
def two_nights(tmp_path):
    """A store with two nights of a claim that no single night decides."""
    folder = write_claim(tmp_path, gap=0.56)
    store = Store(tmp_path / "nights.sqlite3")
    for night in (3, 4):
        context = Context(Options(workers=1, base_seed=night), store, lambda _: Inline(), f"night {night}")
        run_claim(load_claim(folder), context)
    store.close()
    return "--store", "nights.sqlite3"


def test_history_of_a_claim(claims, two_nights):
    code, out, _ = claims("history", "warm_exceeds_cold", *two_nights)

    assert code == 0
    assert [line.split()[1] for line in out.splitlines() if line.startswith("      20")] == ["3", "4"]


def test_history_as_json(claims, two_nights):
    (found,) = json.loads(claims("history", "warm_exceeds_cold", "--json", *two_nights)[1])

    assert [night["accumulated"]["n"] for night in found["nights"]["warm_exceeds_cold"]] == [12, 24]


def test_history_of_all_claims_counts_verdicts(claims, two_nights):
    code, out, _ = claims("history", *two_nights)

    assert code == 0
    assert out.splitlines()[-1] == "0 of 2 as expected"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["history", "--store", "none.sqlite3"], "none.sqlite3: no such store; `claims run` makes one"),
        (["history", "warm_exceeds_cold", "--profile", "quik"], "no profile 'quik'; did you mean 'quick'"),
        (["history", "warm_exceeds_colt"], "no claim 'warm_exceeds_colt'"),
    ],
)
def test_history_of_what_is_not_there_is_one_clear_line(claims, two_nights, arguments, message):
    given = arguments if "--store" in arguments else [*arguments, *two_nights]
    code, _, err = claims(*given)

    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1
