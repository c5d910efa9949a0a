"""`claims list`, `claims show`, `claims check`: what is claimed, and how it came out last."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from harness.errors import DataError
from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.running.session import problem_record
from harness.store.store import Store
from harness.trials.catalogue import load_claim
from harness.trials.executor import Inline
from harness.trials.options import Options
from tests.tiny_project import DOCUMENT, EXPERIMENT, write_claim, write_data


@pytest.fixture
def project(tmp_path):
    """A claim that was verified, one that was refuted, and one of another document that was never run."""
    store = Store(tmp_path / ".claims/store.sqlite3")
    for name, gap in (("a_warm_one", 1.0), ("b_cold_one", -1.0)):
        folder = write_claim(tmp_path, name, gap=gap)
        for profile in ("quick", "smoke"):
            context = Context(Options(workers=1, profile=profile), store, lambda _: Inline(), f"run of {profile}")
            run_claim(load_claim(folder), context)
    store.save_record("a broken run", problem_record(tmp_path / "claims/notes/a_warm_one", DataError("gone")))
    store.close()
    other = write_claim(tmp_path, "c_new_one", replace={"document: notes": "document: letters"})
    letters = tmp_path / "claims/letters"
    letters.mkdir()
    other.rename(letters / "c_new_one")
    (letters / "document.yaml").write_text(DOCUMENT.replace("id: notes", "id: letters"))
    return tmp_path


def test_list_groups_by_document_and_shows_the_last_verdicts_of_a_run_that_gave_some(project, claims):
    code, out, error = claims("list")

    day = json.loads(claims("list", "--json")[1])[1]["last"]["finished"][:10]
    assert (code, error) == (0, "")
    assert out.splitlines() == [
        "letters  Notes on numbers",
        "  ·   c_new_one   not run",
        "       Warm numbers exceed cold ones",
        "notes  Notes on numbers",
        f"  ✓   a_warm_one  quick, {day}",
        "       Warm numbers exceed cold ones",
        f"  ✗   b_cold_one  quick, {day}",
        "       Warm numbers exceed cold ones",
        "       not as expected: as_documented REFUTED",
        "",
        "✓ holds  ✗ does not hold  ? is not decided  ! cannot be judged  - was not run; one mark a reading",
        "3 claims; `claims show ID` says all of one",
    ]


def test_list_without_a_store_says_how_to_get_verdicts_and_makes_none(tmp_path, claims):
    write_claim(tmp_path)

    code, out, _ = claims("list")

    assert code == 0
    assert out.splitlines()[-2:] == [
        f"no verdicts yet in {tmp_path}/.claims/store.sqlite3; `claims run ID` gives some",
        "1 claims; `claims show ID` says all of one",
    ]
    assert not (tmp_path / ".claims").exists()


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ((), ["c_new_one", "a_warm_one", "b_cold_one"]),
        (("--document", "letters"), ["c_new_one"]),
        (("--verdict", "VERIFIED"), ["a_warm_one"]),
        (("--verdict", "refuted"), ["b_cold_one"]),
        (("--verdict", "unexpected"), ["b_cold_one"]),
        (("--verdict", "not_run"), ["c_new_one"]),
        (("--verdict", "invalid"), []),
        (("--document", "letters", "--verdict", "verified"), []),
    ],
)
def test_list_filters_by_document_and_by_verdict(project, claims, words, ids):
    found = json.loads(claims("list", "--json", *words)[1])

    assert [row["id"] for row in found] == ids
    assert all((row["last"] is None) == (row["id"] == "c_new_one") for row in found)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["list", "--document", "leters"], "--document: no document 'leters' with claims; did you mean 'letters'?"),
        (["list", "--verdict", "good"], "argument --verdict: invalid choice: 'GOOD'"),
        (["show"], "claims show: which claim? `claims list` names them all"),
        (["show", "a_worm_one"], "no claim or document 'a_worm_one'; did you mean 'a_warm_one'?"),
    ],
)
def test_what_cannot_be_shown_is_one_line(project, claims, words, message):
    code, out, error = claims(*words)

    assert (code, out) == (2, "")
    assert message in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize("command", [["list"], ["show", "a_warm_one"]])
def test_a_store_that_cannot_be_read_hides_no_claim(project, claims, command):
    (project / "broken").write_text("no database" * 100)

    code, out, error = claims(*command, "--store", "broken")

    assert code == 0
    assert "a_warm_one" in out
    assert error.endswith("file is not a database; give another with --store; without verdicts:\n")


def test_show_says_all_that_a_reader_wants_to_know(project, claims):
    code, out, _ = claims("show", "b_cold_one")

    assert code == 0
    record = json.loads(claims("show", "b_cold_one", "--json")[1])[0]["last"]
    estimate = record["readings"]["as_documented"]["expectations"]["warm_exceeds_cold"]
    for line in (
        "statement      Numbers drawn around -1.0 exceed numbers drawn around zero.",
        "source         Notes on numbers, section 1",
        "reported       gap 1.0",
        "does not show  anything about other numbers",
        "  warm: centre -1.0",
        "reading as_documented, expected VERIFIED  ✗ last REFUTED",
        "    level [warm] minus [cold]: at least 0.5; reported 1",
        "    because half of the documented gap",
        f"    last: {estimate['estimate']:.4g} [{estimate['low']:.4g}, {estimate['high']:.4g}] degree, n 6, REFUTED",
        "control same_centre  ✓ behaved",
        "  centre 0.0, and warm_exceeds_cold must not come out as expected",
        "  quick: 6 to 12 seeds, spread 0.05",
        f"  profile quick, base seed 0, cpu, {record['finished'][:16]}; as the specification was then",
        "  claims run b_cold_one",
    ):
        assert line in out.splitlines()


def test_show_of_a_claim_without_verdicts_and_of_a_whole_document(project, claims):
    out = claims("show", "letters")[1]

    assert "reading as_documented, expected VERIFIED  not judged yet" in out
    assert f"  none in {project}/.claims/store.sqlite3" in out
    both = claims("show", "notes")[1]
    assert [line for line in both.splitlines() if line.endswith("_one") and " " not in line] == [
        "a_warm_one",
        "b_cold_one",
    ]


def test_show_as_json_has_the_specification_and_the_last_record(project, claims):
    (shown,) = json.loads(claims("show", "c_new_one", "--json")[1])

    assert shown["arms"] == {"cold": {"centre": 0.0}, "warm": {"centre": 1.0}}
    assert shown["document"]["id"] == "letters"
    assert shown["command"] == "claims run c_new_one"
    assert shown["last"] is None


def test_hostile_titles_are_harmless(tmp_path, claims):
    evil = 'title: "[red]\\e[2J\\u202eevil\\\\"'
    write_claim(tmp_path, replace={"title: Warm numbers exceed cold ones": evil, "Numbers drawn": "Drawn [/] [bold]"})

    listed, shown = claims("list")[1], claims("show", "warm_exceeds_cold")[1]

    for out in (listed, shown):
        assert "[red]�[2J�evil\\\n" in out
        assert "\x1b" not in out
    assert "statement      Drawn [/] [bold] around 1.0" in shown


def test_check_as_json(tmp_path, claims):
    write_claim(tmp_path)
    assert json.loads(claims("check", "--json")[1]) == {"sound": 1, "problems": [], "notes": []}

    write_claim(tmp_path, replace={"better: higher": "better: up"})
    code, out, _ = claims("check", "--json")
    assert code == 2
    assert json.loads(out)["sound"] == 0
    assert "better: should be" in json.loads(out)["problems"][0]


@pytest.mark.parametrize("command", [["list"], ["show", "a_warm_one"]])
def test_looking_imports_nothing_heavy(project, command):
    heavy = "('torch', 'numpy', 'sklearn', 'matplotlib', 'pandas', 'scipy.stats', 'harness.trials.plan')"
    code = f"import sys\nfrom harness.cli.main import main\nmain({command!r})\nsys.exit(str([m for m in {heavy} if m in sys.modules] or ''))"

    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=False)

    assert done.stderr.strip() == ""
    assert "✓" in done.stdout


def test_check_names_a_data_set_that_the_code_imports_and_nothing_declares(tmp_path, claims):
    imports = EXPERIMENT.replace("import numpy as np\n", "import numpy as np\n\nfrom fixtures import numbers\n")
    declares = write_data(tmp_path)
    folder = write_claim(tmp_path, experiment=imports)
    code, silent, _ = claims("check")
    write_claim(tmp_path, experiment=imports, replace=declares)
    _, declared, _ = claims("check")

    assert code == 0
    assert silent.startswith(
        f"{folder}/claim.yaml:1:1: data: its code imports fixtures/numbers.py, which describes a data"
    )
    assert "declare `data: [numbers]`" in silent
    assert declared == "1 claim is sound, 0 problems\n"
