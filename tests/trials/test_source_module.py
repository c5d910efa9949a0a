"""A module is run as its file is now, whatever bytecode lies beside it."""

from __future__ import annotations

import os
import py_compile
import sys

import pytest

from harness.trials.source_module import module_of


@pytest.fixture
def name(monkeypatch):
    """The name of a module that is forgotten after the test."""
    monkeypatch.setitem(sys.modules, "a_module_of_tests", None)
    return "a_module_of_tests"


def test_an_edit_that_keeps_second_and_size_is_run(tmp_path, name):
    path = tmp_path / "experiment.py"
    for number in (1, 2):
        path.write_text(f"NUMBER = {number}\n")
        os.utime(path, (1_000_000_000,) * 2)
        assert number == module_of(path, name).NUMBER
        py_compile.compile(str(path))


def test_a_dataclass_finds_its_module_and_nothing_is_written(tmp_path, name):
    path = tmp_path / "experiment.py"
    path.write_text("from dataclasses import dataclass\n\n@dataclass\nclass Row:\n    number: 'int' = 3\n")
    module = module_of(path, name)

    assert (module.Row().number, module.__file__, sys.modules[name]) == (3, str(path), module)
    assert list(tmp_path.iterdir()) == [path]
