"""Tests are the same everywhere: what surrounds them, the examples of a property, and what they leave behind."""

from __future__ import annotations

import os
import sys
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.isolation import OWN, PROJECT


@pytest.fixture(scope="module")
def locks():
    """Where the locks lie as fixtures of modules see it, which run before those of functions."""
    return os.environ.get("CLAIMS_LOCKS")


def test_no_test_waits_for_a_run_outside_of_its_process(locks):
    assert os.path.isdir(locks)  # noqa: PTH112 - None, where it is not set, is no path
    assert os.environ["CLAIMS_LOCKS"] == locks


LEAVING = {
    "os.environ: LEFT_HERE is '1', was None": "os.environ['LEFT_HERE'] = '1'",
    "working directory: is '/', was ": "os.chdir('/')",
    "locale: is ": "locale.setlocale(locale.LC_ALL, 'C.UTF-8' if locale.setlocale(locale.LC_ALL) == 'C' else 'C')",
    "time zone: is ": "os.environ['TZ'] = 'Pacific/Kiritimati'; time.tzset(); del os.environ['TZ']",
    "SIGINT: is ": "signal.signal(signal.SIGINT, lambda *_: None)",
    "threads: left here": "threading.Thread(target=threading.Event().wait, daemon=True, name='left here').start()",
    "the global generator of random: was drawn from": "random.random()",
    "the global generator of numpy: was drawn from": "numpy.random.rand()",
    "torch's number type: is ": "import torch; torch.set_default_dtype(torch.float64)",
}

SUITE = """
import locale, os, random, signal, sys, threading, time
from pathlib import Path
import numpy.random, pytest, torch
DRAWN, HERE = [], Path(__file__).parent

{tests}

@pytest.mark.parametrize("turn", [1, 2])
def test_torch_and_the_path_are_given_back(turn):
    DRAWN.append(torch.rand(3).tolist())
    assert DRAWN[0] == DRAWN[-1]
    assert "added" not in sys.path
    sys.path.insert(0, "added")

def test_the_environment():
    assert not [name for name in os.environ if name.startswith(("GITHUB_", "CLAIMS_S", "PYTEST_XDIST"))]
    assert os.environ["COLUMNS"] == "80"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESTORED", "1")

def test_of_nothing():
    HERE.joinpath("left.txt").write_text("x")
    HERE.joinpath("__pycache__").mkdir(exist_ok=True)
    HERE.joinpath("__pycache__/of_python.pyc").write_text("x")
"""


@pytest.fixture
def isolated(pytester, monkeypatch):
    """Run tests in a folder that they take for the checkout, in an environment of a job."""
    pytester.makepyfile(
        isolated="import pathlib\nfrom tests import isolation\nfrom tests.isolation import *\n"
        "isolation.PROJECT = pathlib.Path.cwd()"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(PROJECT), str(pytester.path)]))
    monkeypatch.delenv("TZ", raising=False)

    def run(tests, *options, **environment):
        pytester.makepyfile(test_suite=tests)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return pytester.runpytest_subprocess("-p", "isolated", "-p", "no:randomly", "-p", "no:cacheprovider", *options)

    return run


def test_who_leaves_something_behind_fails_and_what_was_there_before_is_seen_by_none(isolated):
    tests = "\n".join(f"def test_{number}():\n    {line}" for number, line in enumerate(LEAVING.values()))

    result = isolated(
        SUITE.format(tests=tests), GITHUB_ACTIONS="true", CLAIMS_STORE="s", PYTEST_XDIST_WORKER="gw0", COLUMNS="33"
    )

    said = result.stdout.str()
    assert [words for words in LEAVING if f"the test left behind: {words}" not in said] == []
    result.assert_outcomes(passed=len(LEAVING) + 4, errors=len(LEAVING))
    result.stdout.fnmatch_lines(["*files that came or went while the tests ran*", "left.txt"])
    result.stdout.no_fnmatch_line("*of_python.pyc")


def test_workers_have_the_plugins_that_the_session_has_and_what_they_start_has_none(isolated):
    result = isolated(
        "import os\n\ndef test_it(request):\n    assert request.config.pluginmanager.hasplugin('hypothesispytest')\n"
        f"    assert os.environ['PYTEST_ADDOPTS'] == {OWN['PYTEST_ADDOPTS']!r}\n",
        "-n",
        "1",
        PYTEST_ADDOPTS="",
    )

    result.assert_outcomes(passed=1)


def test_a_session_that_leaves_a_file_fails(isolated):
    result = isolated("def test_it(): open('left.txt', 'w').close()")

    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_these_tests_themselves_run_so():
    assert {name: os.environ.get(name) for name in OWN} == OWN


def examples():
    """Return what a property of the tests is tried on."""
    found = []

    @given(st.integers())
    def look(number):
        found.append(number)

    look()
    return found


def test_a_property_is_tried_on_the_same_examples_whatever_was_imported_before(tmp_path, monkeypatch):
    first = examples()
    path = tmp_path / "constants.py"
    path.write_text("\n".join(f"number_{n} = {n}" for n in range(10**6, 10**6 + 200)))
    module = types.ModuleType("constants")
    module.__file__ = str(path)
    monkeypatch.setitem(sys.modules, "constants", module)

    assert len(set(first)) > 50
    assert examples() == first
