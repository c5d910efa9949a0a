"""What is asked about a version of a claim; it travels as JSON, as its answer does."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from harness.store.records.parsing import plain
from harness.store.records.proof import Answer

SMOKE, INSTRUMENT, READINGS, CONTROLS = STAGES = ("smoke", "instrument", "readings", "controls")
"""What a version can be put through, the cheapest first."""


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
        watched: files of which the answer says what ran.
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
    watched: tuple[str, ...] = ()

    def as_json(self) -> str:
        """Return the request as JSON."""
        return json.dumps({**asdict(self), "intact": plain(self.intact) if self.intact else None})

    @classmethod
    def of(cls, text: str) -> Request:
        """Return the request that JSON holds."""
        value = json.loads(text)
        intact = Answer(**value["intact"]) if value["intact"] else None
        readings = None if value["readings"] is None else tuple(value["readings"])
        several = {name: tuple(value[name]) for name in ("stages", "watched")}
        return cls(**{**value, **several, "intact": intact, "readings": readings})
