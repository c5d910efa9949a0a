"""Records and reports that others may have written or edited, held against the shape they should have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from harness._text import one_line
from harness.errors import UsageError
from harness.specification.kinds import Value
from harness.specification.parsing import sentence, shown
from harness.specification.yaml12 import dotted
from harness.store.claim_schema import CodeRecord, Data
from harness.store.noise_schema import NOISE, NoiseRecord, Part, Whole
from harness.store.picture_schema import Illustration, TimingRecord
from harness.store.proof_schema import AnswerRecord, MutantsRecord
from harness.store.schema import AnyClaim, Head, Run

if TYPE_CHECKING:
    from pydantic import BaseModel

REMEDY = "it was edited, or is of another version; run the claim again, or put a sound copy there"


class _Claim(Part):
    claim: AnyClaim


class _Pictures(Part):
    pictures: list[Illustration]


_BESIDE: dict[str, type[Part]] = {
    "pictures": _Pictures,
    "timing": TimingRecord,
    NOISE: NoiseRecord,
    "answer": AnswerRecord,
    "mutants": MutantsRecord,
}
"""Kind, up to its first blank, of what lies beside trials -> its shape."""


class _Night(Part):
    base_seed: Whole
    code: CodeRecord
    data: list[Data]
    environment: dict[str, str]
    settings: dict[str, Any]
    arms: dict[str, dict[str, Any]]
    conditions: dict[str, list[Value]]


def check_run(run: Any, where: str, remedy: str = REMEDY) -> None:
    """Refuse what is no report of a run; `where` is its file.

    Raises:
        UsageError: names file, claim and field, and what to do.
    """
    _check(Run, run, where, remedy)


def check_head(head: Any, where: str) -> None:
    """Refuse a stored run whose options or machine are not what they should be; see `check_run`."""
    _check(Head, head, where, REMEDY)


def check_claim(claim: Any, where: str, name: str | None = None) -> None:
    """Refuse a stored record of a claim that is none, or of another than the one called `name`; see `check_run`."""
    _check(_Claim, {"claim": claim}, where, REMEDY)
    if name is not None and claim["id"] != name:
        raise UsageError(f"{where}: id: {shown(claim['id'])} is another claim's; {REMEDY}")


def check_beside(kind: str, record: Any, where: str) -> None:
    """Refuse what is stored beside a claim's trials and is not what its kind says; see `check_run`."""
    _check(_BESIDE.get(kind.partition(" ")[0], TimingRecord), record, where, REMEDY)


def check_night(night: Any, where: str) -> None:
    """Refuse those parts of a stored record that name the series of a night, if they are none; see `check_run`."""
    _check(_Night, night, where, REMEDY)


def _check(model: type[BaseModel], value: Any, where: str, remedy: str) -> None:
    try:
        model.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        # Some of pydantic's messages quote a value as it is.
        raise UsageError(one_line(f"{where}: {_place(found, value)}: {_what(found)}; {remedy}")) from None


def _what(found: Any) -> str:
    return "is missing" if found["type"] == "missing" else f"{sentence(found)}, not {shown(found['input'])}"


def _place(found: Any, value: Any) -> str:
    """Return where an error of pydantic stands: the claim by its id, then the field."""
    location = [part for part in found["loc"] if not str(part).startswith("(")]
    if location[:1] == ["claims"] and len(location) > 1:
        claim = value["claims"][location[1]]
        name = claim.get("id") if isinstance(claim, dict) else None
        return f"claim {shown(name or location[1])}: {dotted(tuple(location[2:]))}"
    return dotted(tuple(location[1:] if location[:1] == ["claim"] else location))
