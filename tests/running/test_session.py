"""What the claims of a run share."""

from __future__ import annotations

from contextlib import closing

import pytest

from harness.running.session import Session
from harness.trials.executor import Inline, Processes
from harness.trials.options import Options
from harness.trials.provenance import cores


@pytest.mark.parametrize(("workers", "most"), [(0, {"cpu": cores(), "cuda": 7}), (3, {"cpu": 3, "cuda": 3})])
def test_one_executor_serves_claims_on_the_cores_and_on_gpus(tmp_path, monkeypatch, workers, most):
    """`--workers` is the most of either kind."""
    for owner in ("harness.running.session", "harness.trials.options"):
        monkeypatch.setattr(f"{owner}.visible_gpus", lambda device: tuple("0123456") if device == "cuda" else ())
    monkeypatch.setattr("harness.running.session.resolve_device", lambda _: "cuda")

    with closing(Session(Options(store=tmp_path / "s", workers=workers), "run", tmp_path, print)) as session:
        executor = session.context.executor(1)

        assert isinstance(executor, Processes)
        assert session.context.executor(7) is executor
        assert executor._most == most


def test_one_worker_without_gpus_is_this_process(tmp_path):
    with closing(Session(Options(store=tmp_path / "s", workers=1, device="cpu"), "run", tmp_path, print)) as session:
        assert isinstance(session.context.executor(1), Inline)
