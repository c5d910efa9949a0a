"""From the verdicts of readings to what they say of a statement: one rule, in which the literal reading decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from harness.judging.verdict import INCONCLUSIVE, INVALID, NOT_RUN, REFUTED, VERIFIED, combine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.specification.kinds import Verdict

Word = Literal[
    "holds",
    "holds only when",
    "does not hold as written",
    "not decided",
    "cannot be judged",
    "not run",
    "not checked",
]

HOLDS: Final = "holds"
HOLDS_ONLY_WHEN: Final = "holds only when"
DOES_NOT_HOLD: Final = "does not hold as written"
NOT_DECIDED: Final = "not decided"
CANNOT_BE_JUDGED: Final = "cannot be judged"
UNRUN: Final = "not run"
NOT_CHECKED: Final = "not checked"

WORDS: tuple[Word, ...] = (
    HOLDS, HOLDS_ONLY_WHEN, DOES_NOT_HOLD, NOT_DECIDED, CANNOT_BE_JUDGED, UNRUN, NOT_CHECKED,
)  # fmt: skip
"""All that may be said of a statement, the best known first."""

DECIDED = {HOLDS, HOLDS_ONLY_WHEN, DOES_NOT_HOLD}

_UNDECIDED: dict[Verdict, Word] = {INCONCLUSIVE: NOT_DECIDED, INVALID: CANNOT_BE_JUDGED, NOT_RUN: UNRUN}


def word_of(literal: Sequence[Verdict], only_when: Sequence[Verdict] = ()) -> Word:
    """Return what the verdicts of readings say of the statement that they answer.

    The literal readings decide, as the expectations of a reading do: one that is refuted refutes, and the statement holds
    if all are verified. A refuted statement holds only when ... if a reading in a narrower scope is verified. What holds
    instead of it changes nothing of the word.

    Args:
        literal: verdicts of the readings that take it as it is written, at least one.
        only_when: verdicts of those that take it in a narrower scope.
    """
    verdict = combine(literal)
    if verdict == VERIFIED:
        return HOLDS
    if verdict == REFUTED:
        return HOLDS_ONLY_WHEN if VERIFIED in only_when else DOES_NOT_HOLD
    return _UNDECIDED[verdict]
