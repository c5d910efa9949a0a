"""Timing waits for the device before and after the work."""

from __future__ import annotations

import pytest
import torch

from harness.timing import synchronised, timed


@pytest.mark.parametrize(("device", "order"), [("cuda", ["wait", "work", "wait"]), ("cpu", ["work"])])
def test_work_stands_between_two_synchronisations(monkeypatch, device, order):
    seen = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: seen.append("wait"))

    assert synchronised(lambda: seen.append("work") or 5, device)() == 5
    assert seen == order


@pytest.mark.parametrize(("device", "order"), [("cuda", ["wait", "work", "wait"]), ("cpu", ["work"])])
def test_seconds_are_of_the_work_between_two_synchronisations(monkeypatch, device, order):
    """The clock of a GPU runs on; a processor's does not while others are served."""
    seen = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: seen.append("wait"))
    clocks = {"cuda": iter([10.0, 12.5]), "cpu": iter([3.0, 3.25])}
    monkeypatch.setattr("harness.timing.time.perf_counter", lambda: next(clocks["cuda"]))
    monkeypatch.setattr("harness.timing.time.process_time", lambda: next(clocks["cpu"]))

    assert timed(lambda: seen.append("work") or 5, device) == (5, {"cuda": 2.5, "cpu": 0.25}[device])
    assert seen == order
