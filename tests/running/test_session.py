"""What the claims of a run share."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import ClassVar

import pytest

from harness.errors import UsageError
from harness.running.session import Session
from harness.trials.executor import Inline, Processes
from harness.trials.options import Options, resolve_workers
from harness.trials.provenance import cores
from tests.tiny_project import write_claim


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


class Elsewhere(Inline):
    """Stands for the workers of a cluster."""

    elsewhere = True
    slots: ClassVar = {"cpu": 12, "cuda": 3}
    closed = False

    def close(self):
        self.closed = True


def test_a_cluster_s_workers_serve_all_claims_and_end_with_the_session(tmp_path, monkeypatch):
    pool = Elsewhere()
    monkeypatch.setattr("harness.running.session.pool_elsewhere", lambda *_: pool)

    with closing(Session(Options(store=tmp_path / "s"), "run", tmp_path, print)) as session:
        assert session.context.executor(1) is pool
        assert [resolve_workers(session.context.options, device) for device in pool.slots] == [12, 3]
        session.stop()

    assert pool._stopped
    assert pool.closed


@pytest.mark.parametrize("elsewhere", [True, False])
def test_the_machine_of_a_run_is_held_only_while_trials_are_measured_on_it(tmp_path, monkeypatch, elsewhere):
    held = []

    @contextmanager
    def occupied(*, alone, patient):
        held.append(alone)
        yield "beside others"

    monkeypatch.setattr("harness.running.measuring.occupied", occupied)
    folder, pool = write_claim(tmp_path), Elsewhere()
    monkeypatch.setattr(pool, "elsewhere", elsewhere)
    monkeypatch.setattr("harness.running.session.pool_elsewhere", lambda *_: pool)

    with closing(Session(Options(store=tmp_path / "s"), "run", tmp_path, print)) as session:
        record = session.record_of(folder)

    assert record.trials.failed == 0
    assert bool(held) is not elsewhere


def test_a_cluster_that_is_not_there_is_waited_for_once(pytester, monkeypatch):
    asked = []

    def refuse(*_):
        asked.append(1)
        raise UsageError("--claims-ray-address: no cluster at 'auto'")

    monkeypatch.setattr("harness.running.session.pool_elsewhere", refuse)
    for name in ("warm_exceeds_cold", "warm_again"):
        write_claim(pytester.path, name)

    result = pytester.runpytest("claims", "-p", "no:cacheprovider", "--benchmark-skip")

    assert len(asked) == 1
    assert result.ret == 2
    assert str(result.stdout).count("no cluster at 'auto'") >= 4, "each test says so"
