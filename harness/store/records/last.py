"""What a claim's last record says in short."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from harness.specification.kinds import Verdict
from harness.store.records.parts import Part, Whole


class LastReading(Part):
    """What became of a reading."""

    verdict: Verdict
    as_expected: bool
    waived: bool


class LastVerdicts(Part):
    """What became of a claim's readings when it was last run."""

    profile: str
    base_seed: Whole
    finished: str
    readings: Annotated[dict[str, LastReading], Field(min_length=1)]
