"""What the verdicts of readings say of a statement: every combination of them."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest

from harness.judging.statements import (
    CANNOT_BE_JUDGED,
    DOES_NOT_HOLD,
    HOLDS,
    HOLDS_ONLY_WHEN,
    NOT_CHECKED,
    NOT_DECIDED,
    UNRUN,
    WORDS,
    Word,
    word_of,
)
from harness.specification.kinds import Verdict

VERDICTS = get_args(Verdict)

LITERAL = {
    "VERIFIED": HOLDS,
    "REFUTED": DOES_NOT_HOLD,
    "INCONCLUSIVE": NOT_DECIDED,
    "INVALID": CANNOT_BE_JUDGED,
    "NOT_RUN": UNRUN,
}
"""What one literal reading says, without any in a narrower scope."""

GRAVEST = ("REFUTED", "INVALID", "NOT_RUN", "INCONCLUSIVE", "VERIFIED")
"""Of several literal readings the first of these decides."""


@pytest.mark.parametrize("literal", VERDICTS)
@pytest.mark.parametrize("scope", [(), *((verdict,) for verdict in VERDICTS)])
def test_a_single_literal_reading_decides_and_a_scope_softens_a_refutation_alone(literal, scope):
    softened = literal == "REFUTED" and scope == ("VERIFIED",)

    assert word_of([literal], scope) == (HOLDS_ONLY_WHEN if softened else LITERAL[literal])


@pytest.mark.parametrize("literal", list(product(VERDICTS, repeat=3)))
def test_of_several_literal_readings_the_gravest_decides(literal):
    gravest = min(literal, key=GRAVEST.index)

    assert word_of(literal) == LITERAL[gravest]


@pytest.mark.parametrize("scopes", list(product(VERDICTS, repeat=2)))
def test_one_verified_scope_of_several_is_enough(scopes):
    assert word_of(["REFUTED", "VERIFIED"], scopes) == (HOLDS_ONLY_WHEN if "VERIFIED" in scopes else DOES_NOT_HOLD)


def test_every_word_has_its_place_in_the_order():
    assert set(WORDS) == set(get_args(Word))
    assert len(WORDS) == len(set(WORDS))
    assert {word_of([verdict], scope) for verdict in VERDICTS for scope in ([], ["VERIFIED"])} == set(WORDS) - {
        NOT_CHECKED
    }
