"""Loaders of data, which belong to a project."""

from __future__ import annotations

import sys

import pytest

from harness.cli.loaders import loader_of
from harness.cli.main import main
from harness.errors import UsageError


@pytest.fixture
def apart(monkeypatch):
    """Nothing named `fixtures` is imported yet, and nothing of it stays."""
    for name in [name for name in sys.modules if name.split(".")[0] == "fixtures"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "fixtures"]:
        del sys.modules[name]


@pytest.mark.usefixtures("apart")
def test_the_loader_is_the_projects_own(tmp_path, capsys):
    (tmp_path / "fixtures").mkdir()
    (tmp_path / "fixtures/mnist.py").write_text("def fetch():\n    return 'fetched \\x1b[2J'\n")

    assert main(["--root", str(tmp_path), "fetch", "mnist"]) == 0
    assert capsys.readouterr().out == "fetched \ufffd[2J\n"


@pytest.mark.usefixtures("apart")
def test_without_a_loader_fetch_says_what_it_needs(tmp_path, capsys):
    code = main(["--root", str(tmp_path), "fetch", "mnist"])

    error = capsys.readouterr().err
    assert code == 2
    assert error.startswith(f"{tmp_path}/fixtures/mnist.py: no such file; ")
    assert "a module with fetch() there" in error


@pytest.mark.usefixtures("apart")
def test_a_loader_without_fetch_is_named(tmp_path):
    (tmp_path / "fixtures").mkdir()
    (tmp_path / "fixtures/mnist.py").write_text("")

    with pytest.raises(UsageError, match=r"has no function fetch\(\)"):
        loader_of(tmp_path, "mnist")
