"""Waivers: a claim may come out otherwise than expected until a day, for a reason that somebody answers for.

A waiver changes no verdict. Whether it is in force is decided once, when the record is
made; from there on it is part of the record, and a report written later says the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.judging.verdict import NOT_RUN
from harness.specification.profiles import NO_VERDICT_PROFILE
from harness.specification.yaml12 import read_yaml
from harness.store.records.claim import WaiverRecord

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from harness.specification.waiver import Waiver
    from harness.store.records.claim import ClaimRecord
    from harness.store.records.expectation import ControlRecord, ReadingRecord
    from harness.trials.catalogue import ClaimFolder

REMEDY = "renew it with a reason, or remove it"


def waive(record: ClaimRecord, waiver: Waiver | None, day: date) -> ClaimRecord:
    """Return a record with its claim's waiver as of a day, and which readings and controls that waiver covers.

    Covered is what was measured and did not come out as expected. Nothing is covered by an expired waiver, under a profile
    without verdicts, or where trials failed: what broke is no outcome to have leave for.
    """
    if waiver is None:
        return record
    own = _as_of(waiver, day)
    force = not own.expired and _judged(record) and not record.errors
    readings = {
        name: r.model_copy(update={"waived": force and not r.as_expected and r.verdict != NOT_RUN})
        for name, r in record.readings.items()
    }
    controls = {
        name: c.model_copy(update={"waived": force and c.finished and not c.behaves})
        for name, c in record.controls.items()
    }
    return record.model_copy(update={"waiver": own, "readings": readings, "controls": controls})


def _as_of(waiver: Waiver, day: date) -> WaiverRecord:
    return WaiverRecord(
        reason=_one_line(waiver.reason),
        owner=_one_line(waiver.owner),
        expires=waiver.expires,
        expired=day > waiver.last_day,
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _judged(record: ClaimRecord) -> bool:
    return record.profile != NO_VERDICT_PROFILE


def expired(record: ClaimRecord) -> bool:
    """Whether a claim fails on account of its waiver: it has expired, under a profile that gives verdicts."""
    return record.waiver is not None and record.waiver.expired and _judged(record)


def unneeded(record: ClaimRecord) -> bool:
    """Whether a waiver is in force and there is nothing that it would have to cover."""
    if record.waiver is None or record.waiver.expired or record.errors or not _judged(record):
        return False
    return not any(part.waived for part in record.parts)


def mark(record: ClaimRecord) -> str:
    """Return what stands beside a verdict that a waiver covers: `WAIVED until 2026-12-31 (owner)`; nothing without one."""
    return f"WAIVED until {record.waiver.expires} ({record.waiver.owner})" if record.waiver else ""


def words(record: ClaimRecord) -> str:
    """Return the same with its reason: `WAIVED until 2026-12-31 (owner): reason`."""
    return f"{mark(record)}: {record.waiver.reason}" if record.waiver else ""


def note(record: ClaimRecord) -> str:
    """Return what there is to do about a claim's waiver; nothing if it is in force and needed, or there is none."""
    own = record.waiver
    place = f"claims/{record.document.id}/{record.id}/claim.yaml: waiver"
    if own and expired(record):
        return f"{place}: {_expiry(own.expires, own.owner)}"
    if own and unneeded(record):
        of = f"until {own.expires}, owner {own.owner}"
        return f"{place}: no longer needed ({of}), since everything came out as expected; remove it"
    return ""


def _expiry(expires: str, owner: str) -> str:
    return f"expired after {expires} (owner {owner}): it covers nothing any more, and fails the claim; {REMEDY}"


def properties(record: ClaimRecord, part: ReadingRecord | ControlRecord) -> dict[str, str]:
    """Return what JUnit reports say of a claim's waiver beside a reading or control; nothing without a waiver."""
    own = record.waiver
    if own is None:
        return {}
    facts = {"owner": own.owner, "expires": own.expires, "reason": own.reason, "expired": _text(own.expired)}
    return {"waived": _text(part.waived), **{f"waiver.{name}": value for name, value in facts.items()}}


def _text(value: bool) -> str:
    return str(value).lower()


def problems_of(folders: Iterable[ClaimFolder], day: date) -> list[str]:
    """Return one line per claim whose waiver has expired: `file:line:column: field: what, value, remedy`."""
    found = []
    for folder in folders:
        waiver = folder.claim.waiver
        if waiver is not None and day > waiver.last_day:
            message = _expiry(waiver.expires, _one_line(waiver.owner))
            found.append(read_yaml(folder.path / "claim.yaml").problem(("waiver", "expires"), message))
    return found
