"""The scripts of tests/scale: what they simulate keeps its books, and what they ask has an answer."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.scale import million
from tests.scale.schedule import simulated
from tests.scale.thousand import seconds_of, time_a_thousand

PLAN = (1, 0.5, "first: 6, step: 2, cap: 12")


@pytest.mark.parametrize(("workers", "waves"), [(1, 30), (3, 4 + 2 + 2 + 2), (6, 2 + 2 + 1)])
def test_simulated_workers_take_the_time_that_trials_took(tmp_path, workers, waves):
    """A seed has two arms, one after the other, a thousand seconds each; the control has one arm of its own, for six seeds.

    What the first look leaves idle stays so; those after it leave none idle.
    """
    row = simulated(tmp_path, workers, PLAN, np.array([1000.0]), 0.0)

    assert (row.trials, row.measuring) == (30, 30e3)
    assert row.makespan - row.driver == pytest.approx(waves * 1000.0, abs=row.driver)
    assert row.efficiency == pytest.approx(30 / waves / workers, rel=0.01)


def test_a_commit_counts_as_it_is_told(tmp_path):
    rows = [simulated(tmp_path / str(commit), 30, PLAN, np.array([1.0]), commit) for commit in (0.0, 50.0)]

    assert rows[1].driver - rows[0].driver == pytest.approx(30 * 50.0, rel=0.01)
    assert rows[1].storing - rows[0].storing == pytest.approx(30 * 50.0, rel=0.01)


def test_a_store_is_asked_everything_and_found_whole(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(million, "CLAIMS", 3)

    million.ask_a_million(tmp_path, 3 * 3 * 24)

    said = capsys.readouterr().out
    assert len(re.findall(r"^\| .* ms \| .* ms \|$", said, re.MULTILINE)) == 16
    assert re.search(r"^peak memory", said, re.MULTILINE)


def test_a_command_that_fails_ends_the_timing(tmp_path):
    with pytest.raises(SystemExit, match="exit code 3"):
        seconds_of(["sh", "-c", "exit 3"], tmp_path)


@pytest.mark.slow
def test_a_few_tiny_claims_are_checked_collected_and_run(tmp_path, capsys):
    time_a_thousand(tmp_path, 3)

    assert re.findall(r"^(.*) of 3 claims", capsys.readouterr().out, re.MULTILINE) == [
        "check",
        "collection",
        "run",
        "the same run again",
    ]
