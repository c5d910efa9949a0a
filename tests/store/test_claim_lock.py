"""Turns: one at a time, given up by whoever dies, waited for as long as there is patience."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.running.time_budget import Budget
from harness.store.claim_lock import folder_of, turn
from harness.trials.catalogue import load_claim
from harness.trials.executor import Inline
from harness.trials.options import Options
from tests.tiny_project import write_claim

CLAIM = "warm_exceeds_cold"

HOLD = """
import sys, time
from pathlib import Path
from harness.store.claim_lock import turn
with turn(Path(sys.argv[1]), "warm_exceeds_cold", lambda: True):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
    print(time.monotonic(), flush=True)
"""


@pytest.fixture
def hold(tmp_path):
    """Return a function that starts a process which holds the turn of CLAIM for some seconds."""
    started = []

    def start(seconds=3600.0):
        command = [sys.executable, "-c", HOLD, tmp_path / "s.sqlite3", str(seconds)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        assert started[-1].stdout.readline() == "held\n"
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def taken(path, claim=CLAIM):
    """Return whether another has the turn."""
    asked = []
    with turn(path, claim, lambda: asked.append("once")):
        return bool(asked)


def test_a_turn_is_held_by_one_at_a_time_and_each_claim_and_store_has_its_own(tmp_path, hold):
    path = tmp_path / "s.sqlite3"
    assert not taken(path)
    hold()

    assert taken(path)
    assert not taken(path, "another_claim")
    assert not taken(tmp_path / "other.sqlite3")


def test_a_turn_ends_with_its_block_even_if_that_fails(tmp_path):
    path = tmp_path / "s.sqlite3"

    def fail():
        with turn(path, CLAIM, lambda: True):
            assert taken(path)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not taken(path)


def test_the_turn_is_waited_for(tmp_path, hold):
    holder = hold(0.5)

    with turn(tmp_path / "s.sqlite3", CLAIM, lambda: True):
        had = time.monotonic()
        assert taken(tmp_path / "s.sqlite3")

    assert 0 < had - float(holder.stdout.readline()) < 10


def test_who_is_killed_gives_up_the_turn(tmp_path, hold):
    holder = hold()
    holder.kill()
    holder.wait()

    assert not taken(tmp_path / "s.sqlite3")


def test_where_nothing_can_be_locked_nobody_waits(tmp_path):
    folder_of(tmp_path / "s.sqlite3").write_text("a file where the folder should be")

    assert not taken(tmp_path / "s.sqlite3")


def run(folder, store, options, budget):
    """Run a claim while another process measures it; at the first word about it, an end is asked for."""
    said = []

    def say(line):
        said.append(line)
        budget.stopped = budget.stopped or "another run" in line

    with turn(store.path, CLAIM, lambda: True):
        return run_claim(load_claim(folder), Context(options, store, lambda _: Inline(), "run", say, budget)), said


def test_who_waits_is_told_why_and_can_be_stopped(tmp_path, store):
    folder = write_claim(tmp_path)

    record, said = run(folder, store, Options(workers=1), Budget())

    words = f"{CLAIM}: another run on {store.path} is measuring this claim; waiting for its trials "
    assert [words in line for line in said] == [True], "once, and no more after the end was asked for"
    assert record.left.trials == 24, "twelve of the claim, twelve of its control"
    assert store._database.execute("SELECT count(*) FROM trial").fetchone() == (0,)


def test_a_fresh_run_waits_for_nobody(tmp_path, store):
    folder = write_claim(tmp_path)

    record, said = run(folder, store, Options(workers=1, fresh=True), Budget())

    assert not any("another run" in line for line in said)
    assert record.readings["as_documented"].verdict == "VERIFIED"
