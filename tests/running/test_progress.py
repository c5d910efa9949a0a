"""How far a run is, and the time that is left: never a number that nobody knows."""

from __future__ import annotations

import pytest

from harness.running import progress
from harness.running.progress import Progress, Step, duration, verdicts_of
from tests.reported import read_saved, saved_claim


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is set."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (3.6, "4 s"), (99.4, "99 s"), (100, "2 min"), (5940, "99 min"), (7500, "2 h 5 min")],
)
def test_a_time_is_told_as_one_says_it(seconds, words):
    assert duration(seconds) == words


def test_without_any_estimate_nobody_knows(clock):
    run = Progress(clock[0])
    run.expect(["a", "b", "a"])
    run.estimate("a", None)

    assert run.left() == (0, 2)
    assert run.words() == "0 of 2 claims done, 0 s; nobody knows how long yet"


def test_what_is_unknown_is_counted_beside_what_is_known(clock):
    run = Progress(clock[0])
    run.expect(["a", "b", "c"])
    run.estimate("a", 40.0)
    run.estimate("b", 200.0)

    assert run.left_words() == "about 4 min left, and 1 claim of which nobody knows"
    run.estimate("c", 0.0)
    assert run.left_words() == "about 4 min left"


def test_only_the_claim_under_way_gets_nearer_its_end(clock):
    run = Progress(clock[0])
    run.expect(["a", "b"])
    run.estimate("a", 40.0)
    run.estimate("b", 50.0)

    run.begin("a")
    clock[0] += 30
    assert run.left() == (60, 0)
    clock[0] += 30
    assert run.left() == (50, 0), "an estimate that was too short does not shorten the others"
    run.estimate("a", 10.0)
    assert run.left() == (60, 0)
    run.finish("a")
    assert run.words() == "1 of 2 claims done, 60 s; about 50 s left"


def test_a_finished_run_has_nothing_left_and_a_late_one_is_almost_done(clock):
    run = Progress(clock[0])
    run.expect(["a"])
    run.estimate("a", 5.0)
    run.begin("a")
    clock[0] += 6
    assert run.left_words() == "almost done"
    run.finish("a")
    assert run.left_words() == "nothing left"


def test_a_claim_is_found_once_with_verdicts_and_its_own_time(clock):
    run = Progress(clock[0])
    run.expect(["a", "b"])
    clock[0] += 5
    run.begin("a")
    run.step = Step("a", "", 6, 12, 0, 12)
    assert run.current() == "a"
    run.judge("a", [("VERIFIED", True)])
    clock[0] += 7
    run.finish("a")
    run.finish("a")
    run.finish("nobody")
    run.finish("b")

    assert [(found.claim, found.verdicts, found.seconds) for found in run.found] == [
        ("a", (("VERIFIED", True),), 7),
        ("b", (), 0),
    ]
    assert run.step is run.current() is None
    assert run.total == 2


def test_a_waived_verdict_counts_as_expected_and_a_problem_has_none():
    waived = saved_claim("is_waived")
    (reading,) = waived.readings.values()
    readings = {"one": reading, "two": reading.model_copy(update={"waived": False})}

    found = verdicts_of(waived.model_copy(update={"readings": readings}))

    assert found == [("REFUTED", True), ("REFUTED", False)]
    assert verdicts_of(read_saved().problems[0]) == []
