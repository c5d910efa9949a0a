"""The tables that `claims index` writes."""

from __future__ import annotations

import pytest

from harness.cli import main
from harness.report import run_of
from harness.report.index import verdict_table, with_table
from tests.tiny_project import MACHINE, write_claim

README = "# A project\n\n<!-- claims: verdicts -->\nwhat was here before\n<!-- end -->\n\nmore\n"


@pytest.fixture
def finished(tmp_path, run, store):
    store.start_run("run", {"profile": "quick", "base_seed": 0}, MACHINE)
    run(write_claim(tmp_path, "holds"))
    run(write_claim(tmp_path, "fails", gap=-1.0))
    return run_of(store, "run")


def test_a_row_for_every_claim_with_the_estimates_of_its_readings(finished):
    table = verdict_table(finished)

    assert table[0].endswith("profile quick, base seed 0, a processor, 2 cores: 1 of 2 readings as expected.")
    assert [row.split("](")[1].split(")")[0] for row in table[4:]] == [
        "claims/notes/fails/claim.yaml",
        "claims/notes/holds/claim.yaml",
    ]
    assert "| ✗ as documented (REFUTED, expected VERIFIED): warm exceeds cold -1.08 [" in table[4]
    assert "| ✓ as documented: warm exceeds cold " in table[5]


def test_only_what_stands_between_the_lines_is_written_anew(finished):
    text = with_table(README, finished)

    assert "what was here before" not in text
    assert text.startswith("# A project\n\n<!-- claims: verdicts -->\nRun of ")
    assert text.endswith("|\n<!-- end -->\n\nmore\n")
    assert with_table(text, finished) == text
    assert with_table("no such lines\n", finished) == "no such lines\n"


def test_claims_index_writes_both_files(tmp_path, finished, capsys):
    (tmp_path / "README.md").write_text(README)

    assert main(["--root", str(tmp_path), "index", "--store", "store.sqlite3"]) == 0
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / "claims/README.md"), str(tmp_path / "README.md")]
    assert "✗ as documented" in (tmp_path / "README.md").read_text()
    assert "✗ as documented" in (tmp_path / "claims/README.md").read_text()
