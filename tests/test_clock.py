"""Days and times are UTC, whatever the machine's zone."""

from __future__ import annotations

import datetime as dt
import time

from harness import _clock


def test_a_night_has_its_date_as_base_seed():
    assert _clock.base_seed_of(dt.date(2026, 1, 31)) == 20260131


def test_now_and_today_are_in_utc(monkeypatch):
    # Fourteen hours ahead of UTC: the local date differs for more than half of the day.
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        assert _clock.now().endswith("+00:00")
        # Midnight may lie between.
        before, day, after = _clock.now()[:10], _clock.today().isoformat(), _clock.now()[:10]
        assert day in {before, after}
        assert abs((dt.datetime.fromisoformat(_clock.now()) - dt.datetime.now(dt.UTC)).total_seconds()) < 60
    finally:
        monkeypatch.undo()
        time.tzset()
