"""What is asked about a version of a claim, and what is answered; both travel as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SMOKE, INSTRUMENT, READINGS, CONTROLS = STAGES = ("smoke", "instrument", "readings", "controls")
"""What a version can be put through, the cheapest first."""


@dataclass
class Answer:
    """What is seen of a version.

    Attributes:
        error: why it does not run; empty if it does.
        numbers: SHA-256 of every number of the smoke run that is no duration.
        failed: instrument tests that fail.
        verdicts: reading -> its verdict at the look.
        unexpected: readings that did not come out as expected.
        controls: control -> whether it breaks what it must.
        errors: why trials failed at the look.
        noticed: what told it from the claim as it stands, in words; empty for nothing.
        unchanged: whether every number of the smoke run is that of the claim as it stands.
        seconds: processor time.
    """

    error: str = ""
    numbers: str = ""
    failed: list[str] = field(default_factory=list)
    verdicts: dict[str, str] = field(default_factory=dict)
    unexpected: list[str] = field(default_factory=list)
    controls: dict[str, bool] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    noticed: str = ""
    unchanged: bool = False
    seconds: float = 0.0


@dataclass(frozen=True)
class Request:
    """What is to be looked at.

    Attributes:
        folder: of the claim.
        profile: by whose first look readings and controls are judged.
        base_seed: enters every random draw.
        device: auto, cpu or cuda.
        stages: of STAGES.
        readings: those that are judged; None for all that read no durations.
        to_the_end: look after look until the readings are decided, instead of the first look alone.
        file: the module that is broken; empty for the claim as it stands.
        text: what stands in its place.
        intact: what was seen of the claim as it stands; None looks at every stage.
        seconds: processor time that it may take; None for any.
    """

    folder: str
    profile: str = "quick"
    base_seed: int = 0
    device: str = "cpu"
    stages: tuple[str, ...] = STAGES
    readings: tuple[str, ...] | None = None
    to_the_end: bool = False
    file: str = ""
    text: str = ""
    intact: Answer | None = None
    seconds: float | None = None

    @classmethod
    def of(cls, value: dict[str, Any]) -> Request:
        """Return the request that JSON holds."""
        intact = Answer(**value["intact"]) if value["intact"] else None
        readings = None if value["readings"] is None else tuple(value["readings"])
        return cls(**{**value, "intact": intact, "readings": readings, "stages": tuple(value["stages"])})
