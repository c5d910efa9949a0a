"""The report in the summary of a job."""

from __future__ import annotations

import pytest

from harness.report.markdown import LARGEST, markdown
from harness.report.summary import append_summary
from tests.pytest_plugin.test_hooks import ARGUMENTS
from tests.reported import read_saved
from tests.tiny_project import write_claim


@pytest.fixture
def saved():
    return read_saved()


@pytest.fixture
def summary(tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    return tmp_path / "summary.md"


def test_the_report_is_appended_once(saved, summary):
    summary.write_text("# Of another tool")
    append_summary(saved)
    append_summary(saved)

    text = summary.read_text()
    assert text.startswith("# Of another tool\n<!-- claims run night -->\n# ")
    assert text.endswith(markdown(saved))
    assert text.count("<!-- claims run") == 1


def test_another_run_of_the_same_step_is_added(saved, summary):
    append_summary(saved)
    append_summary(saved.model_copy(update={"id": "another"}))

    assert summary.read_text().count("<!-- claims run") == 2


@pytest.mark.parametrize("there", [0, 500_000, 950_000])
def test_the_summary_stays_below_a_mebibyte_whatever_is_there(saved, summary, there):
    claim = next(claim for claim in saved.judged if claim.id == "holds")
    claims = [claim.model_copy(update={"id": f"claim_{number}"}) for number in range(400)]
    many = saved.model_copy(update={"claims": claims})
    summary.write_text("x" * there)

    append_summary(many)

    assert there <= len(summary.read_bytes()) <= LARGEST
    assert (len(summary.read_bytes()) > there) == (there < 900_000)


def test_elsewhere_nothing_is_written(saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    append_summary(saved)

    assert list(tmp_path.iterdir()) == []


def test_a_summary_that_cannot_be_written_fails_nothing(saved, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "nowhere/summary.md"))
    append_summary(saved)

    assert not (tmp_path / "nowhere").exists()


def test_a_run_in_a_job_appends_its_report(pytester, summary):
    write_claim(pytester.path)

    assert pytester.runpytest_subprocess(*ARGUMENTS, "--claims-workers=1", "-n", "2").ret == 0

    report = (pytester.path / "reports/latest/report.md").read_text()
    assert summary.read_text().split("-->\n", 1)[1] == report
