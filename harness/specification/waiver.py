"""Permission for a claim to come out otherwise than expected, for a time."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import Field, field_validator

from harness._clock import is_day
from harness.specification.kinds import Strict, Text


class Waiver(Strict):
    """Leave for a claim to come out otherwise than expected, up to and including a day."""

    reason: Text
    """why the claim may come out otherwise until then"""
    owner: Annotated[str, Field(max_length=160)]
    """who answers for it"""
    expires: Annotated[str, Field(json_schema_extra={"format": "date"})]
    """the last day, in UTC, on which it has an effect, such as 2026-12-31"""

    @field_validator("reason", "owner")
    @classmethod
    def _says_something(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("should say something")
        return value

    @field_validator("expires", mode="before")
    @classmethod
    def _is_a_day(cls, value: Any) -> Any:
        if not is_day(value):
            raise ValueError("should be a day of the calendar, written year-month-day such as 2026-12-31")
        return value

    @property
    def last_day(self) -> date:
        """The last day on which it has an effect."""
        return date.fromisoformat(self.expires)
