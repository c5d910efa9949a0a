"""Instrument tests run once, and again when something changes that they rest on; by real pytest runs inside pytest."""

from __future__ import annotations

import pytest

from tests.tiny_project import write_claim

ARGUMENTS = ("claims", "-p", "no:cacheprovider", "--benchmark-skip", "-q", "--claims-workers=1")
WANTED = "--claims-wanted"

TESTS = """
from pathlib import Path

import pytest

from fixtures.thermometer import SCALE
from harness.claim_tests import test_control, test_reading

PROJECT = Path(__file__).parents[3]


@pytest.fixture
def table():
    return PROJECT.joinpath("table.txt").read_text()


@pytest.mark.parametrize("side", ["left", "right"])
def test_instrument(side, table, claim):
    with PROJECT.parent.joinpath("ran.txt").open("a") as file:
        file.write(side + " ")
    assert table == "1 2 3" and SCALE > 0 and claim.experiment.measure
"""


@pytest.fixture
def project(pytester):
    """A tiny project in a folder of its own, with an instrument test that reads a table and a module."""
    root = pytester.mkdir("project")
    folder = write_claim(root)
    (folder / "test_claim.py").write_text(TESTS)
    (root / "fixtures").mkdir()
    (root / "fixtures/__init__.py").touch()
    (root / "fixtures/thermometer.py").write_text("SCALE = 1\n")
    (root / "table.txt").write_text("1 2 3")
    (root / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    return root


@pytest.fixture
def ran(pytester, project):
    """Run pytest in the project by itself, and return what the instrument test did and how pytest ended."""
    log = project.parent / "ran.txt"

    def run(*arguments):
        log.write_text("")
        result = pytester.runpytest_subprocess(f"--rootdir={project}", *arguments, *ARGUMENTS)
        return log.read_text().split(), result

    return run


@pytest.fixture(autouse=True)
def _in_the_project(project, monkeypatch):
    monkeypatch.chdir(project)


CHANGES = {
    "fixtures/thermometer.py": ("SCALE = 1", "SCALE = 2"),
    "claims/notes/warm_exceeds_cold/test_claim.py": ("SCALE > 0", "SCALE >= 0"),
    "claims/notes/warm_exceeds_cold/experiment.py": ("def measure", "X = 1\n\n\ndef measure"),
    "claims/notes/warm_exceeds_cold/claim.yaml": ("title:", "# !\ntitle:"),
    "claims/notes/warm_exceeds_cold/beside.txt": ("", "beside the claim"),
    "claims/conftest.py": ("", "HERE = 1\n"),
    "table.txt": ("1 2 3", "1 2"),  # nobody declared it: it was seen to be read
}


def test_one_that_passed_runs_again_when_something_changes_that_it_rests_on(ran, project):
    assert ran(WANTED)[0] == ["left", "right"]
    for file, (old, new) in CHANGES.items():
        text = (project / file).read_text() if old else ""
        (project / file).write_text(text.replace(old, new, 1) if old else new)
        again, result = ran(WANTED)
        assert (file, again) == (file, ["left", "right"])

    assert result.ret != 0, "the last change has it fail"
    assert ran(WANTED)[0] == ["left", "right"], "what failed is run again"


def test_one_that_passed_does_not_run_again_and_the_run_says_so_but_for_fresh_and_pytest_by_itself(ran):
    ran(WANTED)
    again, result = ran(WANTED)

    assert (again, result.ret) == ([], 0)
    result.stdout.fnmatch_lines(
        ["claims: 2 instrument tests did not run: they passed on the same code, data and files"]
    )
    result.assert_outcomes(passed=4)
    assert ran(WANTED, "--claims-fresh")[0] == ["left", "right"]
    assert ran()[0] == ["left", "right"]


def test_one_that_reads_trials_or_draws_of_another_base_seed_runs(ran, project):
    tests = project / "claims/notes/warm_exceeds_cold/test_claim.py"
    ran(WANTED)
    assert ran(WANTED, "--claims-base-seed=1")[0] == ["left", "right"]

    tests.write_text(TESTS.replace("claim.experiment.measure", "claim.record.readings"))
    ran(WANTED)
    assert ran(WANTED)[0] == ["left", "right"]


def test_one_that_starts_a_command_is_always_run(ran, project):
    tests = project / "claims/notes/warm_exceeds_cold/test_claim.py"
    tests.write_text(
        TESTS.replace("    assert table", "    import subprocess\n\n    subprocess.run(['true'])\n    assert table")
    )
    ran(WANTED)

    assert ran(WANTED)[0] == ["left", "right"]
