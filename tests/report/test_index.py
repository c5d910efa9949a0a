"""The tables that `claims index` writes."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

import pytest

from harness._text import in_markdown
from harness.cli.main import main
from harness.report.index import with_table
from harness.report.place_text import machine_words
from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.running.time_budget import Budget
from harness.trials.catalogue import load_claim
from harness.trials.executor import Inline
from harness.trials.options import Options
from harness.trials.place import place_here
from tests.tiny_project import MACHINE, write_claim

README = "# A project\n\n<!-- claims: verdicts -->\nwhat was here before\n<!-- end -->\n\nmore\n"


HERE = in_markdown(machine_words(place_here("cpu", alone=False).clock))


@pytest.fixture
def project(tmp_path, run, store):
    """A project of two claims, run once; returns the command `claims index` there."""
    store.start_run("run", Options().record(), MACHINE)
    run(write_claim(tmp_path, "holds"))
    run(write_claim(tmp_path, "fails", gap=-1.0))
    (tmp_path / "README.md").write_text(README)

    def command(*arguments):
        return main(["--root", str(tmp_path), "index", "--store", "store.sqlite3", *arguments])

    return command


def rows(path):
    """Return claim -> its row in a page."""
    lines = path.read_text().splitlines()
    return {line.split("/claim.yaml)")[0].rsplit("/", 1)[1]: line for line in lines if "/claim.yaml) |" in line}


def table(tmp_path):
    return (tmp_path / "README.md").read_text()


def another_run(tmp_path, run, store, number, *claims, **options):
    store.start_run(f"run {number}", Options(**options).record(), MACHINE)
    for claim in claims:
        run(tmp_path / "claims/notes" / claim, run_id=f"run {number}", **options)


def test_a_row_for_every_claim_with_the_estimates_of_its_readings(tmp_path, project):
    assert project() == 0

    text = table(tmp_path)
    assert re.search(
        rf"^Run of [\d-]+, profile quick, base seed 0, {re.escape(HERE)}: 1 of 2 readings as expected\.$",
        text,
        re.MULTILINE,
    )
    assert list(rows(tmp_path / "README.md")) == ["fails", "holds"]
    assert (
        "| ✗ as documented (REFUTED, expected VERIFIED): warm exceeds cold -1.08 ["
        in rows(tmp_path / "README.md")["fails"]
    )
    assert "| ✓ as documented: warm exceeds cold " in rows(tmp_path / "README.md")["holds"]
    assert "**does not hold as written** | ✗ as documented: REFUTED |" in rows(tmp_path / "claims/README.md")["fails"]
    assert f", profile quick, base seed 0, {HERE} |" in rows(tmp_path / "claims/README.md")["fails"]


def test_only_what_stands_between_the_lines_is_written_anew(tmp_path, project):
    project()

    text = table(tmp_path)
    assert "what was here before" not in text
    assert text.startswith("# A project\n\n<!-- claims: verdicts -->\nRun of ")
    assert text.endswith("|\n<!-- end -->\n\nmore\n")
    assert with_table("no such lines\n", [], {}) == "no such lines\n"


def test_a_second_time_nothing_is_left_to_write(tmp_path, project, capsys):
    project()
    written = capsys.readouterr().out.splitlines()
    before = table(tmp_path), (tmp_path / "claims/README.md").read_text()

    assert project() == 0
    assert written == [str(tmp_path / "claims/README.md"), str(tmp_path / "README.md")]
    assert capsys.readouterr().out == "up to date\n"
    assert (table(tmp_path), (tmp_path / "claims/README.md").read_text()) == before


def test_neither_a_smoke_run_nor_one_without_time_spoils_a_row(tmp_path, project, run, store):
    project()
    before = table(tmp_path), (tmp_path / "claims/README.md").read_text()

    another_run(tmp_path, run, store, 2, "holds", "fails", profile="smoke")
    store.start_run("run 3", Options(base_seed=9).record(), MACHINE)
    context = Context(Options(base_seed=9, workers=1), store, lambda _: Inline(), "run 3")
    cut = run_claim(load_claim(tmp_path / "claims/notes/holds"), replace(context, budget=Budget(stopped=True)))

    assert cut.readings["as_documented"].verdict == "NOT_RUN"
    assert project() == 0
    assert (table(tmp_path), (tmp_path / "claims/README.md").read_text()) == before


def test_a_run_of_one_claim_leaves_the_others_and_then_every_row_says_what_it_is_of(tmp_path, project, run, store):
    project()

    another_run(tmp_path, run, store, 2, "holds", base_seed=7)
    project()

    found = rows(tmp_path / "README.md")
    assert list(found) == ["fails", "holds"]
    assert found["fails"].endswith(f"profile quick, base seed 0, {HERE} |")
    assert found["holds"].endswith(f"profile quick, base seed 7, {HERE} |")
    assert "\nEach claim as it came out last: 1 of 2 readings as expected.\n" in table(tmp_path)


def test_a_claim_that_the_store_knows_nothing_of_keeps_its_row(tmp_path, project, run, store):
    """As in a clone where one claim was run."""
    project()
    before, index = rows(tmp_path / "README.md"), rows(tmp_path / "claims/README.md")
    store._write("DELETE FROM record")

    assert project("--check") == 0
    another_run(tmp_path, run, store, 2, "holds", base_seed=7)
    project()

    found = rows(tmp_path / "README.md")
    assert found["fails"].startswith(before["fails"].removesuffix(" |"))
    assert found["fails"].endswith(f"profile quick, base seed 0, {HERE} |")
    assert "base seed 7" in found["holds"]
    assert rows(tmp_path / "claims/README.md")["fails"] == index["fails"]
    assert "1 of 2 readings as expected." in table(tmp_path)


def test_a_claim_that_is_gone_has_no_row_and_a_new_one_waits_for_a_run(tmp_path, project):
    project()
    shutil.rmtree(tmp_path / "claims/notes/fails")
    write_claim(tmp_path, "newcomer")
    project()

    assert list(rows(tmp_path / "README.md")) == ["holds"]
    assert "1 of 1 readings as expected." in table(tmp_path)
    assert rows(tmp_path / "claims/README.md")["newcomer"].endswith("/newcomer/claim.yaml) | not run yet | | |")


def test_check_writes_nothing_and_names_the_rows_that_are_not_up_to_date(tmp_path, project, run, store, capsys):
    project()
    another_run(tmp_path, run, store, 2, "holds", base_seed=7)
    before = table(tmp_path), (tmp_path / "claims/README.md").read_text()
    capsys.readouterr()

    assert project("--check") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{tmp_path / 'claims/README.md'}: is not up to date (holds); `claims index` writes it"
    assert lines[1].startswith(f"{tmp_path / 'README.md'}: is not up to date (")
    assert (table(tmp_path), (tmp_path / "claims/README.md").read_text()) == before
    project()
    assert project("--check") == 0


def test_check_notices_a_row_that_was_edited_and_a_page_that_is_missing(tmp_path, project, capsys):
    project()
    path = tmp_path / "README.md"
    path.write_text(path.read_text().replace("✗ as documented", "✓ as documented"))
    (tmp_path / "claims/README.md").unlink()
    capsys.readouterr()

    assert project("--check") == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path / 'claims/README.md'}: is not up to date (fails, holds); `claims index` writes it",
        f"{path}: is not up to date (fails); `claims index` writes it",
    ]
