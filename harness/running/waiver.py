"""Waivers: a claim may come out otherwise than expected until a day, for a reason that somebody answers for.

A waiver changes no verdict. Whether it is in force is decided once, when the record is
made; from there on it is plain data, and a report written later says the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.judging.verdict import NOT_RUN
from harness.specification.profiles import NO_VERDICT_PROFILE
from harness.specification.yaml12 import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from harness.specification.waiver import Waiver
    from harness.trials.catalogue import ClaimFolder

Record = dict[str, Any]

REMEDY = "renew it with a reason, or remove it"


def waive(record: Record, waiver: Waiver | None, day: date) -> Record:
    """Return a record with its claim's waiver as of a day, and which readings and controls that waiver covers.

    Covered is what was measured and did not come out as expected. Nothing is covered by an expired waiver, under a profile
    without verdicts, or where trials failed: what broke is no outcome to have leave for.
    """
    plain = _plain(waiver, day)
    force = plain is not None and not plain["expired"] and _judged(record) and not record["errors"]
    readings = {name: {**r, "waived": force and _otherwise(r)} for name, r in record["readings"].items()}
    controls = {
        name: {**c, "waived": force and c["finished"] and not c["behaves"]} for name, c in record["controls"].items()
    }
    return {**record, "waiver": plain, "readings": readings, "controls": controls}


def _otherwise(reading: Record) -> bool:
    return bool(not reading["as_expected"] and reading["verdict"] != NOT_RUN)


def _plain(waiver: Waiver | None, day: date) -> Record | None:
    if waiver is None:
        return None
    return {
        "reason": _one_line(waiver.reason),
        "owner": _one_line(waiver.owner),
        "expires": waiver.expires,
        "expired": day > waiver.last_day,
    }


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _judged(record: Record) -> bool:
    return bool(record["profile"] != NO_VERDICT_PROFILE)


def covers(part: Record) -> bool:
    """Whether a reading or control came out otherwise than expected, with leave; records of old versions know none."""
    return bool(part.get("waived"))


def expired(record: Record) -> bool:
    """Whether a claim fails on account of its waiver: it has expired, under a profile that gives verdicts."""
    waiver = record.get("waiver")
    return waiver is not None and waiver["expired"] and _judged(record)


def unneeded(record: Record) -> bool:
    """Whether a waiver is in force and there is nothing that it would have to cover."""
    waiver = record.get("waiver")
    if waiver is None or waiver["expired"] or record["errors"] or not _judged(record):
        return False
    return not any(covers(part) for part in (*record["readings"].values(), *record["controls"].values()))


def mark(record: Record) -> str:
    """Return what stands beside a verdict that a waiver covers: `WAIVED until 2026-12-31 (owner)`."""
    return f"WAIVED until {record['waiver']['expires']} ({record['waiver']['owner']})"


def words(record: Record) -> str:
    """Return the same with its reason: `WAIVED until 2026-12-31 (owner): reason`."""
    return f"{mark(record)}: {record['waiver']['reason']}"


def note(record: Record) -> str:
    """Return what there is to do about a claim's waiver; nothing if it is in force and needed, or there is none."""
    if expired(record):
        return f"{_place(record)}: {_expiry(record['waiver']['expires'], record['waiver']['owner'])}"
    if unneeded(record):
        of = f"until {record['waiver']['expires']}, owner {record['waiver']['owner']}"
        return f"{_place(record)}: no longer needed ({of}), since everything came out as expected; remove it"
    return ""


def _place(record: Record) -> str:
    return f"claims/{record['document']['id']}/{record['id']}/claim.yaml: waiver"


def _expiry(expires: str, owner: str) -> str:
    return f"expired after {expires} (owner {owner}): it covers nothing any more, and fails the claim; {REMEDY}"


def properties(record: Record, part: Record) -> dict[str, str]:
    """Return what JUnit reports say of a claim's waiver beside a reading or control; nothing without a waiver."""
    waiver = record.get("waiver")
    if waiver is None:
        return {}
    facts = {f"waiver.{name}": _text(waiver[name]) for name in ("owner", "expires", "reason", "expired")}
    return {"waived": _text(covers(part)), **facts}


def _text(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else value


def problems_of(folders: Iterable[ClaimFolder], day: date) -> list[str]:
    """Return one line per claim whose waiver has expired: `file:line:column: field: what, value, remedy`."""
    found = []
    for folder in folders:
        waiver = folder.claim.waiver
        if waiver is not None and day > waiver.last_day:
            message = _expiry(waiver.expires, _one_line(waiver.owner))
            found.append(read_yaml(folder.path / "claim.yaml").problem(("waiver", "expires"), message))
    return found
