"""`claims report --open` and its like: what a person gets to see."""

from __future__ import annotations

import webbrowser

import pytest

from harness.cli.main import main
from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.store.store import Store
from harness.trials.catalogue import load_claim
from harness.trials.executor import Inline
from harness.trials.options import Options
from harness.trials.provenance import machine
from tests.tiny_project import write_claim


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """A project with one run; the addresses that a browser is asked to open."""
    store = Store(tmp_path / ".claims/store.sqlite3")
    options = Options(workers=1)
    store.start_run("a run", options.record(), machine(tmp_path))
    run_claim(load_claim(write_claim(tmp_path)), Context(options, store, lambda _: Inline(), "a run"))
    store.close()
    addresses = []
    monkeypatch.setattr(webbrowser, "open", lambda address: addresses.append(address) or True)
    return addresses


def test_the_html_report_is_opened_if_there_is_one(tmp_path, opened, capsys, monkeypatch):
    def write(_run, folder, _past, _texts):
        folder.mkdir(parents=True)
        (folder / "report.md").touch()
        (folder / "index.html").touch()

    monkeypatch.setattr("harness.report.write.write_reports", write)

    assert main(["--root", str(tmp_path), "report", "--open"]) == 0
    assert opened == [(tmp_path / "reports/latest/index.html").as_uri()]
    assert capsys.readouterr().out == f"{tmp_path}/reports/latest/index.html\n"


def test_without_html_the_markdown_is_opened(tmp_path, opened, capsys, monkeypatch):
    monkeypatch.setattr("harness.cli.results.SHOWN", ("no-such.html", "report.md"))

    assert main(["--root", str(tmp_path), "report", "--open"]) == 0
    assert opened == [(tmp_path / "reports/latest/report.md").as_uri()]


def test_nothing_is_opened_unless_asked_for(tmp_path, opened):
    assert main(["--root", str(tmp_path), "report"]) == 0
    assert opened == []


def test_without_a_browser_the_file_is_named_all_the_same(tmp_path, opened, capsys, monkeypatch):
    monkeypatch.setattr(webbrowser, "open", lambda _: False)

    assert main(["--root", str(tmp_path), "report", "--open"]) == 0
    out, error = capsys.readouterr()
    assert out.startswith(f"{tmp_path}/reports/latest/")
    assert error == "no browser was found to open it with; the file is named above\n"
