"""What claim.yaml may say, and the JSON Schema that editors read."""

from __future__ import annotations

import datetime as dt
import json
import math
from pathlib import Path

import pytest
from pydantic import ValidationError

from harness.specification.document import Document
from harness.specification.kinds import KINDS
from harness.specification.models import Claim, Condition, Metric, SeedPlan, schema
from harness.specification.readings import Band
from tests.specimen import claim, claim_with, sound

SCHEMA = Path(__file__).parents[2] / "claims" / "claim.schema.json"
NET = {"arm": "net", "width": 4, "scene": "plain"}


def test_the_schema_for_editors_is_current():
    # If this fails: `claims schema > claims/claim.schema.json`.
    assert json.loads(SCHEMA.read_text()) == schema()


def test_the_schema_names_every_part_of_a_claim_and_every_kind_of_contrast():
    found = schema()
    assert set(found["properties"]) == set(Claim.model_fields)
    assert {model.__name__ for model in KINDS.values()} <= set(found["$defs"])
    assert found["additionalProperties"] is False


def test_the_schema_admits_the_short_forms():
    definitions = schema()["$defs"]
    assert definitions["SeedPlan"]["anyOf"][0] == {"anyOf": [{"type": "integer", "minimum": 1}, {"const": "all"}]}
    assert definitions["Condition"]["anyOf"][0] == {"type": "array", "minItems": 1}


def test_a_kind_is_named_by_the_first_field_of_its_model():
    assert {kind: next(iter(model.model_fields)) for kind, model in KINDS.items()} == {kind: kind for kind in KINDS}


def test_a_model_passes_through_validation_unchanged():
    once = claim()
    assert Claim.model_validate(once.model_dump(exclude_none=True)) == once
    contrast = once.expectations["low_error"].contrast
    assert claim_with(contrast).expectations["e"].contrast == contrast


@pytest.mark.parametrize(
    ("form", "low", "high", "text"),
    [
        ({"at_most": 0.5}, -math.inf, 0.5, "at most 0.5"),
        ({"at_least": 0}, 0, math.inf, "at least 0"),
        ({"at_most": 0}, -math.inf, 0, "at most 0"),
        ({"between": [1, 2]}, 1, 2, "between 1 and 2"),
    ],
)
def test_the_three_forms_of_a_band(form, low, high, text):
    band = Band.model_validate(form)
    assert (band.low, band.high, str(band)) == (low, high, text)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({}, "give exactly one of at_most, at_least, between"),
        ({"at_most": 1, "at_least": 0}, "give exactly one of at_most, at_least, between"),
        ({"between": [1, 1]}, "between needs a lower end below its upper end"),
        ({"between": [2, 1]}, "between needs a lower end below its upper end"),
        ({"between": [1]}, "at least 2 items"),
        ({"at_most": math.inf}, "finite number"),
        ({"at_most": math.nan}, "finite number"),
        ({"at_most": "1"}, "valid number"),
        ({"at_most": True}, "valid number"),
    ],
)
def test_anything_else_is_no_band(form, message):
    with pytest.raises(ValidationError, match=message):
        Band.model_validate(form)


@pytest.mark.parametrize(
    ("plan", "looks"),
    [
        (6, [6]),
        ({"first": 6, "cap": 6}, [6]),
        ({"first": 6, "cap": 12}, [6, 8, 10, 12]),
        ({"first": 6, "step": 4, "cap": 12}, [6, 10, 12]),
        ({"first": 1, "step": 100, "cap": 2}, [1, 2]),
    ],
)
def test_looks_begin_with_the_first_and_end_with_the_cap(plan, looks):
    assert SeedPlan.model_validate(plan).looks == looks


@pytest.mark.parametrize(
    "plan", [0, -1, True, 2.5, "6", {"first": 7, "cap": 6}, {"first": 1, "cap": 10_001}, {"cap": 3}]
)
def test_anything_else_is_no_seed_plan(plan):
    with pytest.raises(ValidationError):
        SeedPlan.model_validate(plan)


@pytest.mark.parametrize("resolution", [0, -0.1, math.inf, math.nan, "n_test", "1/N", "2/n_test", True])
def test_a_resolution_is_a_positive_number_or_one_over_a_setting(resolution):
    with pytest.raises(ValidationError):
        Metric(unit="nat", better="lower", resolution=resolution)


@pytest.mark.parametrize("bounds", [[1, 0], [0, 0], [0], [0, 1, 2], [math.nan, 1], [0, math.inf]])
def test_bounds_are_two_numbers_in_order_or_null(bounds):
    with pytest.raises(ValidationError):
        Metric(unit="nat", better="lower", bounds=bounds)


@pytest.mark.parametrize("values", [[], [1, 1], [1, 1.0], [1, True], ["a", "a"]])
def test_a_condition_takes_each_value_once(values):
    with pytest.raises(ValidationError):
        Condition.model_validate(values)


def test_a_condition_may_be_a_list_or_say_more():
    assert Condition.model_validate([1, 2]) == Condition(values=[1, 2], together=False)
    assert Condition.model_validate({"values": [1, 2], "together": True}).together


@pytest.mark.parametrize("expected", ["REFUTED", "INCONCLUSIVE"])
def test_a_reading_that_is_not_expected_to_hold_needs_a_reason(expected):
    value = sound()
    value["readings"]["as_documented"]["expected"] = expected
    with pytest.raises(ValidationError, match=f"expected: {expected} needs a `because` from theory or source"):
        Claim.model_validate(value)


@pytest.mark.parametrize("alpha", [0, -0.1, 0.21, math.nan])
def test_an_error_rate_is_above_zero_and_at_most_a_fifth(alpha):
    with pytest.raises(ValidationError):
        claim_with({"mean": "loss", "at": NET}, expectation={"alpha": alpha})


def test_the_error_rate_is_one_in_a_thousand_unless_said_otherwise():
    assert claim().expectations["low_error"].alpha == 0.001


WAIVER = {"reason": "the reference is being measured again", "owner": "Ada", "expires": "2026-12-31"}


def test_a_waiver_says_why_who_and_until_when():
    assert claim(waiver=WAIVER).waiver.last_day == dt.date(2026, 12, 31)
    assert claim().waiver is None


@pytest.mark.parametrize("lacking", WAIVER)
def test_a_waiver_lacks_none_of_its_parts(lacking):
    with pytest.raises(ValidationError, match=f"waiver.{lacking}\n.*Field required"):
        claim(waiver={name: value for name, value in WAIVER.items() if name != lacking})


@pytest.mark.parametrize("part", ["reason", "owner"])
@pytest.mark.parametrize("blank", ["", "   ", " \n "])
def test_a_waiver_for_no_reason_or_of_nobody_is_refused(part, blank):
    with pytest.raises(ValidationError, match=f"waiver.{part}"):
        claim(waiver={**WAIVER, part: blank})


@pytest.mark.parametrize(
    "expires",
    [
        "2026-02-30",
        "2026-13-01",
        "20261231",
        "2026-W53-4",
        "31.12.2026",
        "2026-12-31T00:00",
        "",
        "never",
        2026,
        None,
    ],
)
def test_a_waiver_ends_on_a_day_of_the_calendar(expires):
    with pytest.raises(ValidationError, match="should be a day of the calendar"):
        claim(waiver={**WAIVER, "expires": expires})


def test_a_profiles_settings_are_all_but_its_seeds():
    value = sound()["profiles"] | {"paper": {"seeds": 8, "steps": 5, "sizes": [1, 2]}}
    assert claim(profiles=value).profiles["paper"].settings == {"steps": 5, "sizes": [1, 2]}


@pytest.mark.parametrize("place", ["settings", "arms", "profiles", "controls"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, {"a": 1}, [[1]], [math.nan]])
def test_a_setting_is_a_plain_finite_value_or_a_list_of_such(place, bad):
    value = sound()
    {
        "settings": value["settings"],
        "arms": value["arms"]["net"],
        "profiles": value["profiles"]["quick"],
        "controls": value["controls"]["shallow"]["change"],
    }[place]["rate"] = bad
    with pytest.raises(ValidationError):
        Claim.model_validate(value)


@pytest.mark.parametrize("name", ["", "Wide", "1st", "a-b", "a b", "a\n", "ä", "a" * 81])
def test_names_are_snake_case(name):
    with pytest.raises(ValidationError):
        claim(id=name)


def test_a_document_says_who_wrote_what_and_when():
    document = Document(id="notes", title="Notes", authors="nobody", year=2026, summary="What it is.")
    assert document.url is None
