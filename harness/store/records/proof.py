"""What is kept of broken versions of an experiment: an answer each, and the score that a report shows."""

from __future__ import annotations

from harness.store.records.parts import Count, NotNegative, Part, Whole


class Answer(Part, frozen=False):
    """What is seen of a version of a claim, as it stands or broken; it is filled in stage by stage."""

    error: str = ""
    """why it does not run; empty if it does"""
    numbers: str = ""
    """SHA-256 of every number of the smoke run that is no duration"""
    failed: list[str] = []
    """instrument tests that fail"""
    verdicts: dict[str, str] = {}
    """reading -> its verdict at the look"""
    unexpected: list[str] = []
    """readings that did not come out as expected"""
    controls: dict[str, bool] = {}
    """control -> whether it breaks what it must"""
    errors: list[str] = []
    """why trials failed at the look"""
    noticed: str = ""
    """what told it from the claim as it stands, in words; empty for nothing"""
    unchanged: bool = False
    """whether every number of the smoke run is that of the claim as it stands"""
    seconds: NotNegative = 0.0
    """processor time"""
    reached: dict[str, list[int]] = {}
    """file -> its lines that ran, of the files that the request watches"""


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
    """versions there are, of lines that some trial or instrument test runs"""
    noticed: Count
    counted: Count
    """versions that were tried, without those that are equal"""
    by: dict[str, Count]
    """what noticed -> how many"""
    versions: list[VersionRecord]
    finished: str
