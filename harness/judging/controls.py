"""What became of a claim's controls, and with them of its readings: one place decides what is said first.

The gravest cause comes first, as in exit codes: trials that failed, then a control that did not break what it must break
or that could not be judged, then what there was no time or no data for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.judging.verdict import INCONCLUSIVE, INVALID, NOT_RUN, combine

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from harness.specification.kinds import Verdict

FAILED = 0
DID_NOT_BREAK = 1
NOT_JUDGED = 2
CUT = 3
BEHAVES = 4
"""What may become of a control, the gravest first."""


@dataclass(frozen=True)
class Tried:
    """An expectation of a variant, the claim as it stands or a control.

    Attributes:
        name: the expectation.
        verdict: what came out.
        reason: why, in one sentence.
        expected: the verdict to expect of the claim as it stands.
        enough: whether it is decided, or has as many seeds as it gets.
    """

    name: str
    verdict: Verdict
    reason: str
    expected: Verdict
    enough: bool


@dataclass(frozen=True)
class ControlState:
    """What became of a control.

    Attributes:
        rank: what became of it, FAILED to BEHAVES.
        reason: why it shows nothing, such as `trials failed: ...`; empty where it behaves.
    """

    rank: int
    reason: str = ""

    @property
    def behaves(self) -> bool:
        """Whether it was measured, and nothing came out as expected that must not."""
        return self.rank == BEHAVES

    @property
    def finished(self) -> bool:
        """Whether it was measured to its end."""
        return self.rank != CUT

    def words(self, name: str) -> str:
        """Return the reason with the control's name."""
        if self.rank == FAILED:
            return self.reason.replace("trials", f"trials of control {name}", 1)
        return f"control {name} {self.reason}" + (", and without it there is no verdict" if self.rank == CUT else "")


def failed_words(errors: Sequence[str]) -> str:
    """Return that trials failed, with the first error, and how many more there are."""
    return f"trials failed: {errors[0]}" + (f" (and {len(errors) - 1} more)" if len(errors) > 1 else "")


def state_of(tried: Sequence[Tried], errors: Sequence[str] = (), lack: str = "") -> ControlState:
    """Return what became of a control.

    Args:
        tried: the expectations that it must break.
        errors: why trials under it failed, one line each.
        lack: why it was measured no further; empty where nobody cut it off.
    """
    invalid = [one for one in tried if one.verdict == INVALID]
    lacking = [one for one in tried if one.verdict == NOT_RUN or not one.enough]
    unbroken = [one for one in tried if one not in lacking and one.verdict == one.expected]
    if errors and (invalid or lacking):
        return ControlState(FAILED, failed_words(errors))
    if unbroken:
        what = "; ".join(f"{one.name} is {one.verdict} all the same, {one.reason}" for one in unbroken)
        return ControlState(DID_NOT_BREAK, f"did not break what it must break: {what}")
    if invalid:
        return ControlState(NOT_JUDGED, f"cannot be judged: {invalid[0].name}: {invalid[0].reason}")
    if lacking:
        what = f"{lacking[0].name}: {lacking[0].reason}" + (f"; {lack}" if lack else "")
        return ControlState(CUT, f"was not run to its end ({what})")
    return ControlState(BEHAVES)


@dataclass(frozen=True)
class Headline:
    """The verdict of a reading.

    Attributes:
        verdict: one of the five.
        reason: what decided it, in one sentence.
        by: the expectation or control that did, as `expectations.NAME` or `controls.NAME`; empty for none.
    """

    verdict: Verdict
    reason: str
    by: str


def headline(
    members: Sequence[Tried],
    controls: Mapping[str, ControlState],
    *,
    flipped: Collection[str] = (),
    errors: Sequence[str] = (),
    lack: str = "",
) -> Headline:
    """Return the verdict of a reading, with its cause.

    Args:
        members: its expectations.
        controls: what became of each control.
        flipped: those of its expectations that came out otherwise than expected.
        errors: why trials of the claim as it stands failed.
        lack: why it was measured no further; empty where nobody cut it off.
    """
    found = combine(one.verdict for one in members)
    reason, by = _decisive(found, members, flipped)
    if found == INVALID and errors:
        return Headline(INVALID, failed_words(errors), by)
    if found in (INCONCLUSIVE, NOT_RUN) and lack:
        reason = f"{reason}; {lack}"
    worst = min(controls, key=lambda name: controls[name].rank, default=None)
    # Without evidence of its own a claim is not saved or spoilt by a control.
    if found in (INVALID, NOT_RUN) or worst is None or controls[worst].behaves:
        return Headline(found, reason, by)
    return Headline(
        NOT_RUN if controls[worst].rank == CUT else INVALID, controls[worst].words(worst), f"controls.{worst}"
    )


def _decisive(found: str, members: Sequence[Tried], flipped: Collection[str]) -> tuple[str, str]:
    """Return why a reading came out so, and the expectation that decided it: one that flipped before all others."""
    odd = [one for one in members if one.name in flipped]
    if odd and found == combine(one.expected for one in members):
        # The verdict hides it: another expectation gave the reading the one that it should have.
        first = odd[0]
        return f"{first.name} is {first.verdict}, expected {first.expected}: {first.reason}", _place(first)
    decisive = next(one for one in (*odd, *members) if one.verdict == found)
    return (decisive.reason if len(members) == 1 else f"{decisive.name}: {decisive.reason}"), _place(decisive)


def _place(one: Tried) -> str:
    return f"expectations.{one.name}"
