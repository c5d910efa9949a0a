"""What a duration was measured by: named by the process that measured, and compared before anything is reused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.trials import clock
from harness.trials.clock import clock_here, clock_of, keeps_time
from harness.trials.provenance import cores, processor


def test_a_clock_says_what_can_be_seen_here(monkeypatch, tmp_path):
    monkeypatch.setattr(clock, "GOVERNOR", tmp_path / "governor")
    here = clock_here("cpu", alone=True)
    assert here == clock.Clock(processor(), None, cores(), alone=True)

    (tmp_path / "governor").write_text("powersave\n")
    assert clock_here("cpu", alone=False) == replace(here, governor="powersave", alone=False)


def test_on_a_gpu_its_model_is_part_of_the_clock(monkeypatch):
    monkeypatch.setattr(clock, "gpus", lambda: ["a GPU", "another"])

    assert clock_here("cuda", alone=True).processor == f"{processor()} with a GPU"
    assert clock_here("cpu", alone=True).processor == processor()


def test_a_clock_is_read_as_it_was_written():
    for alone in (True, False):
        here = clock_here("cpu", alone=alone)
        assert clock_of(here.text()) == here


@pytest.mark.parametrize("text", [None, "", "null", "1", "[]", "{}", "no JSON", '{"processor":"p","governor":null}'])
def test_what_is_no_clock_keeps_no_time(text):
    assert clock_of(text) is None
    assert not keeps_time(clock_of(text), "cpu")


def test_a_clock_keeps_time_with_its_like_only():
    here = clock_here("cpu", alone=True)
    assert keeps_time(here, "cpu")
    for other in ({"processor": "another"}, {"governor": "another"}, {"cores": 99}, {"alone": False}):
        assert not keeps_time(replace(here, **other), "cpu")
