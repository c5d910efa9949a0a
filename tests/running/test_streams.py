"""An arm and itself: two streams of seeds, and when they are looked at."""

from __future__ import annotations

import pytest

from harness.errors import UsageError
from harness.running.streams import seed_plan, stream
from harness.specification.models import SeedPlan


def test_streams_are_derived_positive_and_distinct():
    derived = {stream(base, number) for base in range(-50, 50) for number in (1, 2)}

    assert len(derived) == 200
    assert min(derived) > 50
    assert max(derived) <= 2**48
    assert stream(0) == 208523194175521


@pytest.mark.parametrize(
    ("plan", "most", "looks"),
    [
        (SeedPlan(first=6, step=2, cap=24), None, [6, 8, 10]),
        (SeedPlan(first=6, step=2, cap=24), 7, [6, 7]),
        (SeedPlan(first=6, step=2, cap=24), 5, [5]),
        (SeedPlan(first=6, cap=6), None, [6, 8, 10]),
        (SeedPlan(first=2, cap=2), None, [5, 7, 9]),
        (SeedPlan(first=24, step=4, cap=48), 40, [24, 28, 32, 36, 40]),
    ],
)
def test_looks_are_the_profiles_from_where_an_interval_says_something(plan, most, looks):
    assert seed_plan(plan, most).looks == looks


@pytest.mark.parametrize(
    ("most", "message"), [(4, "--seeds: 4 seeds tell nothing apart"), (10_001, "--seeds: 10001 seeds are more than")]
)
def test_too_few_and_too_many_seeds_are_refused(most, message):
    with pytest.raises(UsageError, match=message):
        seed_plan(SeedPlan(first=6, cap=24), most)
