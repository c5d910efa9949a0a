"""Numbers that texts print, in words; and the marks between which `claims index` keeps them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from harness.report.wording import number
from harness.specification.quotation import SCALES, misfit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.store.records.claim import ClaimRecord
    from harness.store.records.expectation import ExpectationRecord
    from harness.store.records.quotation import QuotationRecord

_SAYS = (
    r"claims: number (?P<claim>[a-z0-9_]+)\.(?P<expectation>[a-z0-9_]+)(?: in (?P<unit>%|[a-z]+))?(?: to (?P<digits>\d))?"
    r"(?P<interval> with interval)?"
)
MARKED = re.compile(
    rf"(?P<begin><!-- {_SAYS} -->)(?P<old>.*?)(?P<end><!-- end -->)"
    rf"|(?P<begin_tex>^[ \t]*% {_SAYS.replace('?P<', '?P<tex_')}[ \t]*\n)(?P<old_tex>.*?)(?P<end_tex>\n[ \t]*% end[ \t]*$)",
    re.DOTALL | re.MULTILINE,
)
"""Where a Markdown or LaTeX text has a number: `<!-- claims: number CLAIM.EXPECTATION in % to 1 -->2.1 %<!-- end -->`, or between
two lines of comment, `% claims: number CLAIM.EXPECTATION` and `% end`; `with interval` adds the ends of the interval."""

SAID = ("claim", "expectation", "unit", "digits", "interval")


def quotation_words(record: QuotationRecord) -> str:
    """Return where a number stands and that the last verdict does not bear it out: with its interval, or for want of one."""
    place = f"{record.file}:{record.line}: prints {record.printed}"
    name = f"{record.claim}.{record.expectation}"
    if record.holds is None:
        return f"{place}, of which no run has given a verdict; `claims run {record.claim}` does"
    low = "-inf" if record.found_low is None else number(record.found_low)
    high = "inf" if record.found_high is None else number(record.found_high)
    relied = f", where the text relies on {record.relied_on}" if record.relied_on != record.found else ""
    # A cell's verdict is of its own number, and of the one that stood there when it was judged.
    verdict = f" and is {record.found}{relied}" if record.relied_on else ""
    return (
        f"{place} ({number(record.low, 6)} to {number(record.high, 6)}), but {name} has the interval [{low}, {high}]"
        f"{verdict}; correct the text, or look at what changed"
    )


def with_numbers(text: str, last: Mapping[str, ClaimRecord]) -> tuple[str, list[tuple[int, str]]]:
    """Return a text with the last estimates between its marks, and what is wrong with marks: line and message.

    A number of which there is no verdict yet stays as it stands.
    """
    problems: list[tuple[int, str]] = []

    def written(found: re.Match[str]) -> str:
        tex = found["begin"] is None
        said = {key: found[f"tex_{key}" if tex else key] for key in SAID}
        begin, end = (found["begin_tex"], found["end_tex"]) if tex else (found["begin"], found["end"])
        record = _expectation(last.get(said["claim"]), said["expectation"])
        unit = said["unit"] or ""
        known = ", ".join(name for name in SCALES if name)
        wrong = (
            f"unit {unit!r} is unknown; one of {known}" if unit not in SCALES else record and misfit(unit, record.unit)
        )
        if wrong:
            problems.append((text.count("\n", 0, found.start()) + 1, f"claims: number: {wrong}"))
            return found[0]
        if record is None or record.estimate is None:
            return found[0]
        ends = _ends(record, unit, said["digits"]) if said["interval"] else ""
        return f"{begin}{printed(record.estimate, unit, said['digits'], tex=tex)}{ends}{end}"

    return MARKED.sub(written, text), problems


def printed(estimate: float, unit: str, digits: str | None, *, tex: bool = False) -> str:
    """Return an estimate in a unit, with so many digits after the point, or with three that count."""
    shown = _scaled(estimate, unit, digits)
    if not unit:
        return shown
    return f"{shown}\\,{unit.replace('%', chr(92) + '%')}" if tex else f"{shown} {unit}"


def _scaled(value: float, unit: str, digits: str | None) -> str:
    scaled = Decimal(repr(value)) / Decimal(SCALES[unit][0])
    return f"{scaled:.{digits}f}" if digits else f"{float(scaled):.3g}"


def _ends(found: ExpectationRecord, unit: str, digits: str | None) -> str:
    """Return the ends of an interval in a unit; one that lies at infinity shows as such."""
    ends = ((found.low, "-inf"), (found.high, "inf"))
    shown = [none if end is None else _scaled(end, unit, digits) for end, none in ends]
    return f" [{', '.join(shown)}]"


def _expectation(claim: ClaimRecord | None, name: str) -> ExpectationRecord | None:
    readings = claim.readings.values() if claim else ()
    return next((r.expectations[name] for r in readings if name in r.expectations), None)
