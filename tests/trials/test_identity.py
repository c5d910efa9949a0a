"""What makes trials comparable: every part of it enters the key, and is named where it differs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.seeds import Seed
from harness.trials.identity import Identity

ONE = Identity("d", [], {"device": "cpu", "torch": "2.1"}, {"n": 1}, {"a": {}}, {"size": [1, 2]})
CALL = {"seed": Seed(0, "c", 0), "arm": "a", "settings": {"n": 1, "m": 2}, "metrics": ["x", "y"]}


@pytest.mark.parametrize(
    "other",
    [
        {"code": "other"},
        {"data": ["other"]},
        {"environment": {"device": "cuda", "torch": "2.1"}},
        {"declared": {"file": "other"}},
    ],
    ids=lambda other: next(iter(other)),
)
def test_every_common_part_enters_the_key_and_the_fingerprint(other):
    assert replace(ONE, **other).key(**CALL) != ONE.key(**CALL)
    assert replace(ONE, **other).fingerprint() != ONE.fingerprint()


@pytest.mark.parametrize(
    "other",
    [
        {"seed": Seed(0, "other", 0)},
        {"seed": Seed(1, "c", 0)},
        {"seed": Seed(0, "c", 1)},
        {"arm": "other"},
        {"settings": {"n": "1", "m": 2}},
        {"metrics": ["x"]},
    ],
)
def test_every_part_of_a_call_enters_the_key(other):
    assert ONE.key(**{**CALL, **other}) != ONE.key(**CALL)


def test_the_key_does_not_depend_on_the_order_of_settings_and_metrics_and_stays_what_it_was():
    assert ONE.key(**{**CALL, "settings": {"m": 2, "n": 1}, "metrics": ["y", "x"]}) == ONE.key(**CALL)
    assert ONE.key(**CALL) == "ac0e7fb73acefe7adef408e3483541c3de9031971f7a3908787103a0e65e9a38"


@pytest.mark.parametrize("part", ["settings", "arms", "conditions"])
def test_all_settings_enter_the_fingerprint(part):
    assert replace(ONE, **{part: {"other": [1]}}).fingerprint() != ONE.fingerprint()


def test_differences_name_the_parts_and_what_changed_of_the_environment():
    other = replace(
        ONE, code="e", environment={"device": "cpu", "torch": "2.2", "numpy": "2"}, conditions={"size": (1, 2)}
    )

    assert ONE.differences(other) == ["code", "torch", "numpy"]
    assert ONE.differences(replace(ONE, declared={"file": "other"})) == []
