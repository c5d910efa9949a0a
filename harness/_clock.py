"""What day and what time it is: always in UTC, so that a night has one date everywhere."""

from __future__ import annotations

from datetime import UTC, date, datetime


def now() -> str:
    """Return the time in UTC, to the millisecond, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def today() -> date:
    """Return today's date in UTC."""
    return datetime.now(UTC).date()


def base_seed_of(day: date) -> int:
    """Return the base seed of a night: its date as a number, 20260131 for the 31st of January 2026."""
    return day.year * 10_000 + day.month * 100 + day.day


def is_day(value: object) -> bool:
    """Whether a value is a day of the calendar, written year-month-day."""
    try:
        found = date.fromisoformat(str(value))
    except ValueError:
        return False
    # Weeks and dates without hyphens are read too; here a day is written in one way.
    return isinstance(value, str) and found.isoformat() == value
