"""What verdict is expected of every expectation, whether it came, and whether it could have failed to.

A claim is refused when it is loaded if its readings expect what their expectations do not, or if an expectation has
neither a control that turns its verdict nor a reason why none could.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.judging.verdict import INCONCLUSIVE, INVALID, NOT_RUN, REFUTED, VERIFIED, combine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.specification.kinds import Verdict
    from harness.specification.models import Claim
    from harness.specification.readings import Reading
    from harness.specification.yaml12 import Location

UNDECIDED = {INCONCLUSIVE, NOT_RUN}
"""Verdicts that more seeds may change."""


NO_CONTROL = (
    "no control breaks it, so nothing shows that it could have come out otherwise; "
    "name it in the `breaks` of a control, or say `no_control: why`"
)


def expected_of(reading: Reading) -> dict[str, Verdict]:
    """Return the verdict to expect of each expectation; the reading's own where it is the only one."""
    default = reading.expected if len(reading.expectations) == 1 else VERIFIED
    return {name: expectation.expected or default for name, expectation in reading.expectations.items()}


def expectations_expected(claim: Claim) -> dict[str, Verdict]:
    """Return the verdict to expect of each expectation of all readings."""
    return {name: wanted for reading in claim.readings.values() for name, wanted in expected_of(reading).items()}


def came_as_expected(reading: Reading, found: Mapping[str, Verdict]) -> dict[str, bool | None]:
    """Return of each expectation whether its verdict is the one to expect.

    None for one that was left undecided because another had closed the reading: it has neither passed nor failed.

    Args:
        reading: what is expected.
        found: the verdict of each of its expectations.
    """
    closed = reading.decide == "verdict" and not {REFUTED, INVALID}.isdisjoint(found.values())
    return {
        name: None if closed and found[name] in UNDECIDED else found[name] == wanted
        for name, wanted in expected_of(reading).items()
    }


def problems_of(claim: Claim) -> list[tuple[Location, str]]:
    """Return where a claim expects what cannot be, or where nothing shows that it could have failed; and what to do."""
    return [*_contradictions(claim), *_without_control(claim)]


def _contradictions(claim: Claim) -> Iterable[tuple[Location, str]]:
    """Find readings whose expected verdict is not that of their expectations together."""
    for name, reading in claim.readings.items():
        each = expected_of(reading)
        together = combine(each.values())
        if together == reading.expected:
            continue
        if reading.expected == VERIFIED:
            odd = ", ".join(e for e, wanted in each.items() if wanted != VERIFIED)
            remedy = f"of {odd} another verdict is expected; say `expected: {together}` here with a `because`, or take it out there"
        else:
            remedy = f"its expectations together are expected {together}; name those that are meant by `expected: {reading.expected}`"
        yield ("readings", name, "expected"), f"is {reading.expected}, but {remedy}"


def _without_control(claim: Claim) -> Iterable[tuple[Location, str]]:
    """Find expectations that no control turns without a word why, or with one although a control does."""
    by = {broken: name for name, control in claim.controls.items() for broken in control.breaks}
    for reading, body in claim.readings.items():
        for name, expectation in body.expectations.items():
            where: Location = ("readings", reading, "expectations", name)
            if name in by and expectation.no_control is not None:
                message = (
                    f"says why no control could turn it, but control {by[name]!r} breaks it; take out one of the two"
                )
                yield (*where, "no_control"), message
            elif name not in by and expectation.no_control is None:
                yield where, NO_CONTROL
