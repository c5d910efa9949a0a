"""Profiles of measure(), for those who ask."""

from __future__ import annotations

import pstats

from harness.trials.profiling import VARIABLE, profiled


def test_every_call_leaves_its_statistics_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "new"))

    for _ in range(2):
        with profiled("claim"):
            sorted([2, 1])

    files = list((tmp_path / "new").glob("claim.*.pstats"))
    assert len(files) == 2
    assert "<built-in method builtins.sorted>" in {name for _, _, name in pstats.Stats(str(files[0])).stats}


def test_nothing_is_profiled_unasked(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)

    with profiled("claim"):
        pass

    assert list(tmp_path.iterdir()) == []
