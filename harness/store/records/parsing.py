"""Records that others may have written or edited, held against the shape they should have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from harness._text import one_line
from harness.errors import UsageError
from harness.specification.parsing import sentence, shown
from harness.specification.yaml12 import dotted
from harness.store.records.parts import Part
from harness.store.records.run import AnyClaim

if TYPE_CHECKING:
    from typing import TypeVar

    from harness.store.records.claim import ClaimRecord, ProblemRecord

    Model = TypeVar("Model", bound=Part)

REMEDY = "it was edited, or is of another version; run the claim again, or put a sound copy there"


class _Claim(Part):
    claim: AnyClaim


def parse(model: type[Model], value: Any, where: str, remedy: str = REMEDY) -> Model:
    """Return a record of plain values, as JSON holds them.

    Args:
        model: what it should be.
        value: the plain values.
        where: its place, with which a message begins.
        remedy: what a reader of a message is to do.

    Raises:
        UsageError: it is something else; names place, claim and field, and what to do.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        # Some of pydantic's messages quote a value as it is.
        raise UsageError(one_line(f"{where}: {_place(found, value)}: {_what(found)}; {remedy}")) from None


def parse_claim(value: Any, where: str, name: str) -> ClaimRecord | ProblemRecord:
    """Return the record of the claim called `name`.

    Raises:
        UsageError: it is none, or another claim's; see `parse`.
    """
    found = parse(_Claim, {"claim": value}, where).claim
    if found.id != name:
        raise UsageError(f"{where}: id: {shown(found.id)} is another claim's; {REMEDY}")
    return found


def plain(record: Part) -> dict[str, Any]:
    """Return a record as plain values, as JSON holds them."""
    return record.model_dump(mode="json")


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
