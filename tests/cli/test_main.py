"""The command line, as a user calls it."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib.metadata import version

import pytest

from harness.cli.arguments import GROUPS, commands_of
from harness.cli.main import build_parser, main
from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.store.store import Store
from harness.trials.catalogue import load_claim
from harness.trials.executor import Inline
from harness.trials.options import Options
from tests.tiny_project import write_claim


def test_check_passes_on_sound_claims(tmp_path, claims):
    write_claim(tmp_path)

    assert claims("check") == (0, "1 claim is sound, 0 problems\n", "")


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
    assert "run this where claims/ lies (cd), give --root, or begin a project with `claims init`" in error


def test_unknown_id_names_the_nearest(tmp_path, claims):
    write_claim(tmp_path)

    assert claims("run", "warm_exceeds_old")[::2] == (
        2,
        "no claim or document 'warm_exceeds_old'; did you mean 'warm_exceeds_cold'?\n",
    )


def test_run_then_report(tmp_path):
    write_claim(tmp_path, gap=-1.0)
    command = [sys.executable, "-c", "from harness.cli.main import main; raise SystemExit(main())"]

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


PAPER = {"timings:": "  paper: {seeds: {first: 8, step: 2, cap: 32}, spread: 0.06}\ntimings:"}


def test_plan_without_trials_says_how_to_get_them_and_leaves_no_trace(tmp_path, claims):
    write_claim(tmp_path, replace=PAPER)

    code, out, _ = claims("plan")

    assert code == 0
    assert out.splitlines()[1:] == [
        "warm_exceeds_cold",
        "  quick    no stored trials; `claims plan warm_exceeds_cold --profile quick --pilot` measures a few seeds",
        "  paper    no stored trials; `claims plan warm_exceeds_cold --profile paper --pilot` measures a few seeds",
    ]
    assert not (tmp_path / ".claims").exists()


def test_plan_measures_a_pilot_only_if_asked_and_only_once(tmp_path, claims):
    write_claim(tmp_path, replace=PAPER)

    _, out, progress = claims("plan", "--profile", "quick", "--pilot", "--base-seed", "5")

    assert progress.splitlines() == [
        "warm_exceeds_cold: 3 seeds, measured, not judged; reused 0 of 6 trials",
        "warm_exceeds_cold [control same_centre]: 3 seeds, measured, not judged; reused 3 of 6 trials",
    ]
    head, name, line = out.splitlines()
    assert head.split() == [
        "effect/sd",
        "decides",
        "seeds",
        "seconds",
        "memory",
        "smallest",
        "least_powered",
        "expectation",
    ]
    assert name == "warm_exceeds_cold"
    assert line.startswith("  quick ")
    assert line.endswith(" warm_exceeds_cold")
    assert " of 12 " in line
    # What is stored is known to every later look, and measured no second time.
    assert claims("plan", "--profile", "quick", "--pilot")[1:] == (out, "")
    _, out, _ = claims("plan")
    assert out.splitlines()[2] == line
    assert "--profile paper --pilot" in out.splitlines()[3]


def test_plan_marks_what_may_stay_undecided(tmp_path, claims):
    write_claim(tmp_path, gap=0.5)

    _, out, _ = claims("plan", "warm_exceeds_cold", "--pilot", "-v")

    lines = out.splitlines()
    assert " ! 0." in lines[2]
    assert lines[3].endswith("  warm_exceeds_cold")
    assert lines[-1] == "! may stay undecided: less than 0.9 probability to decide within the cap"


def test_plan_shows_a_hyphen_for_memory_that_nobody_measured(tmp_path, claims):
    write_claim(tmp_path)
    claims("plan", "--pilot")
    for value, shown in (("2000000000", True), ("NULL", False)):
        with closing(sqlite3.connect(tmp_path / ".claims/store.sqlite3")) as database, database:
            database.execute(f"UPDATE trial SET peak_bytes = {value}")
        assert (" 2000 MB " in claims("plan")[1]) is shown
    assert " MB " not in claims("plan")[1]


def test_plan_as_json_has_every_expectation(tmp_path, claims):
    write_claim(tmp_path)
    claims("plan", "--pilot")

    (found,) = json.loads(claims("plan", "--json")[1])

    assert (found["id"], found["profile"], found["cap"], found["trials"]) == ("warm_exceeds_cold", "quick", 12, 9)
    expectation = found["expectations"][found["least_powered"]]
    assert expectation["n"] == 3
    assert 0 < expectation["probability"] <= 1
    assert expectation["smallest_effect"] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["warm_exceeds_old"], "no claim or document 'warm_exceeds_old'; did you mean 'warm_exceeds_cold'?"),
        (["--profile", "quik"], "no profile 'quik'; did you mean 'quick'?"),
        (["--profile", "smoke"], "--profile: smoke gives no verdict, so there is nothing to plan"),
    ],
)
def test_plan_refuses_what_does_not_exist(tmp_path, claims, arguments, message):
    write_claim(tmp_path)

    code, _, error = claims("plan", *arguments)

    assert code == 2
    assert message in error


def test_plan_says_why_a_pilot_gives_no_forecast(tmp_path, claims):
    write_claim(tmp_path, experiment="def measure(arm, seeds, **settings):\n    raise ValueError('too cold')\n")

    _, out, error = claims("plan", "--pilot")

    assert "trial failed: seed 0 at arm=" in error
    assert "no stored trials" in out


def test_index_names_every_claim_run_or_not(tmp_path, claims):
    write_claim(tmp_path)

    assert claims("index")[0] == 0
    text = (tmp_path / "claims/README.md").read_text()
    assert "| [Warm numbers exceed cold ones](notes/warm_exceeds_cold/claim.yaml) | not run yet | | |" in text


def test_report_without_a_run_names_the_remedy(tmp_path, claims):
    code, _, error = claims("report")

    assert code == 2
    assert "`claims run` makes one" in error


def test_schema_is_json(claims):
    assert json.loads(claims("schema")[1])["title"] == "Claim"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rnu"], "no command 'rnu'; did you mean 'run'? `claims --help` lists them"),
        (["zzz"], "no command 'zzz'; nothing here is like it. `claims --help` lists them"),
        (["check", "--zzz"], "claims check: does not know '--zzz'; `claims check --help` lists what it takes"),
        (["list", "--jsn"], "claims list: does not know '--jsn'; did you mean '--json'?"),
        (["list", "--js"], "claims list: does not know '--js'; did you mean '--json'?"),
        (["schema", "extra"], "claims schema: does not know 'extra'; `claims schema --help` lists what it takes"),
        (["--fast"], "claims: does not know '--fast'; `claims --help` lists what it takes"),
        (
            ["plan", "--base-seed", "x"],
            "claims plan: argument --base-seed: invalid int value: 'x'; `claims plan --help` lists what it takes",
        ),
    ],
)
def test_what_the_command_line_does_not_know_is_one_line_with_a_remedy(claims, arguments, message):
    assert claims(*arguments) == (2, "", f"{message}\n")


def test_it_says_which_version_it_is(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr().out == f"claims-harness {version('claims-harness')}\n"


@pytest.mark.parametrize("arguments", [["--help"], []])
def test_the_overview_has_every_command_in_a_group(capsys, arguments):
    with contextlib.suppress(SystemExit):
        main(arguments)
    out = capsys.readouterr().out

    known = commands_of(build_parser()).choices
    assert [line.split()[0] for line in out.splitlines() if line[:2] == "  " and line[2] != " "][: len(known)] == [
        name for names in GROUPS.values() for name in names if name in known
    ], "no command is missing from the groups, and none stands in two"


def test_without_a_command_one_learns_where_one_stands(tmp_path, claims):
    assert claims()[1].endswith(f"\nno claims in {tmp_path}\n")
    write_claim(tmp_path)
    assert claims()[1].endswith(f"\n1 claims in {tmp_path}/claims\n")


@pytest.mark.parametrize("name", sorted(commands_of(build_parser()).choices))
def test_every_command_explains_itself_and_every_option(name, capsys):
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])

    assert stop.value.code == 0
    assert f"claims {name}" in capsys.readouterr().out
    options = commands_of(build_parser()).choices[name]._actions
    assert not [option.option_strings or option.dest for option in options if not option.help]


def test_a_command_that_no_group_names_comes_last():
    parser = build_parser()
    commands_of(parser).add_parser("zest", help="something new")

    assert "\nmore:\n  zest         something new\n" in parser.format_help()


def test_root_may_come_before_or_after_the_command(tmp_path, claims, capsys):
    write_claim(tmp_path)
    code = main(["list", "--root", str(tmp_path), "--json"])

    assert (code, capsys.readouterr().out) == claims("list", "--json")[:2]


def test_ids_may_come_after_options(tmp_path, claims):
    write_claim(tmp_path)
    write_claim(tmp_path, "warm_again")

    found = json.loads(claims("plan", "--pilot", "--json")[1])
    again = json.loads(claims("plan", "warm_exceeds_cold", "--json", "warm_again")[1])

    assert [outlook["id"] for outlook in again] == ["warm_exceeds_cold", "warm_again"]
    assert len(found) == 2


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

    assert [night["accumulated"]["n"] for night in found["replications"]["warm_exceeds_cold"]] == [12, 24]


def test_history_of_all_claims_counts_verdicts(claims, two_nights):
    code, out, _ = claims("history", *two_nights)

    assert code == 0
    assert out.splitlines()[-1] == "0 of 2 as expected"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["history", "--store", "none.sqlite3"], "none.sqlite3: no such store; `claims run` makes one"),
        (["history", "warm_exceeds_cold", "--profile", "quik"], "no profile 'quik'; did you mean 'quick'"),
        (["history", "warm_exceeds_colt"], "no claim or document 'warm_exceeds_colt'"),
    ],
)
def test_history_of_what_is_not_there_is_one_clear_line(claims, two_nights, arguments, message):
    given = arguments if "--store" in arguments else [*arguments, *two_nights]
    code, _, err = claims(*given)

    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1


def test_a_reader_who_has_seen_enough_causes_no_traceback(tmp_path):
    write_claim(tmp_path)
    program = "import sys; from harness.cli.main import main; sys.exit(main())"
    read, write = os.pipe()
    os.close(read)

    command = [sys.executable, "-c", program, "--root", tmp_path, "list"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_beginning_of_a_single_name_is_near_enough(tmp_path, claims):
    write_claim(tmp_path)
    write_claim(tmp_path, "cold_falls_short")

    assert claims("show", "wa")[2] == "no claim or document 'wa'; did you mean 'warm_exceeds_cold'?\n"
    assert "did you mean" not in claims("show", "x")[2]
