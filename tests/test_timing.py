"""Timing waits for the device before and after the work."""

from __future__ import annotations

import pytest
import torch

from harness.timing import synchronised


@pytest.mark.parametrize(("device", "order"), [("cuda", ["wait", "work", "wait"]), ("cpu", ["work"])])
def test_work_stands_between_two_synchronisations(monkeypatch, device, order):
    seen = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: seen.append("wait"))

    assert synchronised(lambda: seen.append("work") or 5, device)() == 5
    assert seen == order
