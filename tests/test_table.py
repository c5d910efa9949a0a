"""The verdict table in a terminal: whatever its width, every band, estimate and interval stands whole in it."""

from __future__ import annotations

import pytest

from harness.report import wording
from harness.report.terminal import table
from tests.reported import make_reports, read_saved

WIDTHS = [40, 80, 120, 200]


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    found = make_reports(tmp_path_factory.mktemp("tables"))
    return {**found, "saved": read_saved()}


def expectations(run):
    return [(name, e) for claim in run.judged for name, e in claim.expectations.items()]


def flat(lines):
    return " ".join(" ".join(lines).split())


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["night", "smoke", "left", "judged", "saved"])
def test_every_band_estimate_and_interval_stands_whole_on_one_line(reports, name, width):
    lines = table(reports[name], width)

    for expectation, e in expectations(reports[name]):
        assert any(f"band {e.band.text}" in line for line in lines)
        assert any(f"{wording.number(e.estimate)} {wording.span(e)}" in line for line in lines)
        assert f"{expectation}:" in flat(lines)
    assert not any("…" in line for line in lines)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_of_the_table_is_wider_than_the_terminal(reports, width):
    wrong = ("!", "left for lack")
    lines = [line for line in table(reports["night"], width) if not line.startswith(wrong)]

    assert max(map(len, lines)) <= width
    assert "\N{NO-BREAK SPACE}" not in "".join(lines)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_summary_is_whole_at_every_width(reports, width):
    wide, lines = flat(table(reports["night"], 400)), flat(table(reports["night"], width))

    assert lines == wide


def test_at_eighty_columns_the_band_of_a_long_name_follows_on_the_next_line(reports):
    claim = reports["night"].judged[0]
    (reading,) = claim.readings.values()
    (e,) = reading.expectations.values()
    name = "features_lose_nothing_when_they_are_handed_to_a_machine"
    renamed = claim.model_copy(
        update={"readings": {"as_documented": reading.model_copy(update={"expectations": {name: e}})}}
    )

    lines = table(reports["night"].model_copy(update={"claims": [renamed]}), 80)

    at = next(number for number, line in enumerate(lines) if line.startswith(f"      {name}:"))
    assert lines[at + 1].startswith("        ")
    assert f"band {e.band.text}" in lines[at] + lines[at + 1]
