"""The shape of what is kept of broken versions of an experiment: an answer each, and the score that a report shows."""

from __future__ import annotations

from harness.store.noise_schema import Count, NotNegative, Part, Whole


class AnswerRecord(Part, extra="forbid"):
    """What was seen of a version of a claim, as it stands or broken."""

    error: str
    numbers: str
    failed: list[str]
    verdicts: dict[str, str]
    unexpected: list[str]
    controls: dict[str, bool]
    errors: list[str]
    noticed: str
    unchanged: bool
    seconds: NotNegative


class VersionRecord(Part):
    """A broken version of an experiment, and what noticed it."""

    file: str
    line: Count
    change: str
    """before -> after"""
    operator: str
    """the kind of change"""
    noticed: str
    """what told it from the claim as it stands; empty for nothing"""
    unchanged: bool
    """whether it changes no number at the smoke scale, and nothing noticed it"""
    equal: str | None
    """why nothing could notice it, as sabotage.yaml says"""
    listed: bool
    """whether sabotage.yaml lists it as equal"""


class MutantsRecord(Part):
    """How many broken versions of its experiment a claim notices."""

    profile: str
    base_seed: Whole
    seed: Whole
    """chooses the versions"""
    possible: Count
    """versions there are"""
    noticed: Count
    counted: Count
    """versions that were tried, without those that are equal"""
    by: dict[str, Count]
    """what noticed -> how many"""
    versions: list[VersionRecord]
    finished: str
