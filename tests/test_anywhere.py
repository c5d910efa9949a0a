"""`nox -s anywhere`: which machines are tried, and what is said when the tests fail on one of them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import anywhere
from tests.anywhere import VARIATIONS, main


@pytest.fixture
def run(monkeypatch):
    """Take the place of pytest; return the calls, each of which ends with what `code` says of its environment."""
    calls = []

    def answer_with(code):
        def called(command, **settings):
            calls.append(SimpleNamespace(command=command, **settings))
            return subprocess.CompletedProcess(command, code(settings["env"]))

        monkeypatch.setattr(anywhere.subprocess, "run", called)
        return calls

    return answer_with


def test_every_variation_has_the_order_of_the_seed_and_what_is_its_own(run):
    calls = run(lambda _: 0)

    assert main(["--seed", "7", "-k", "word"]) == 0
    by_name = dict(zip(VARIATIONS, calls, strict=True))
    assert all(call.command[-3:] == ["--random-order-seed=7", "-k", "word"] for call in calls)
    assert all(call.env["PYTHONHASHSEED"] == "random" for call in calls)
    assert {name: call.env["OMP_NUM_THREADS"] for name, call in by_name.items()}["two threads"] == "2"
    assert by_name["Seoul"].env["TZ"] == "Asia/Seoul"
    assert by_name["private files"].umask == 0o077
    assert len({call.env["HOME"] for call in calls} - {os.environ.get("HOME")}) == len(calls)


def test_what_fails_is_named_with_the_command_that_repeats_it(run, capsys, monkeypatch):
    monkeypatch.delenv("TZ", raising=False)
    calls = run(lambda environment: int("TZ" in environment))

    assert main(["--only", "Seoul", "--only", "locale C", "--seed", "5", "tests/cli/test_main.py"]) == 1
    assert len(calls) == 2
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "failed: nox -s anywhere -- --only 'Seoul' --seed 5 tests/cli/test_main.py"


def test_who_writes_into_the_home_fails(run, capsys):
    run(lambda environment: Path(environment["HOME"], "left").write_text("x") and 0)

    assert main(["--only", "Seoul"]) == 1
    assert "left in the home: left\n" in capsys.readouterr().out


@pytest.mark.skipif("one core" not in VARIATIONS, reason="the system has no such thing")
def test_a_process_may_be_given_one_core():
    code = "import os; from tests.anywhere import _take; _take(1); print(len(os.sched_getaffinity(0)))"
    command = [anywhere.sys.executable, "-c", code]
    assert subprocess.run(command, cwd=anywhere.PROJECT, capture_output=True, text=True, check=True).stdout == "1\n"
