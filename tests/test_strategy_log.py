"""Choices noted while something runs, and by whom they are heard."""

from __future__ import annotations

from harness._strategy_log import note, recorded


def test_what_is_noted_inside_is_recorded_once_and_nothing_else():
    note("before")
    with recorded() as noted:
        note("stacked")
        note("stacked")
        with recorded() as inner:
            note("loop")
    note("after")

    assert noted == {"stacked"}
    assert inner == {"loop"}
