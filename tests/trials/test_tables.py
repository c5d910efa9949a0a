"""Claims made from a Markdown table: six cells, six readings; what is wrong is said with its place."""

from __future__ import annotations

import pytest

from harness.errors import SpecError
from harness.trials.catalogue import load_claim
from harness.trials.quotations import quoted_by
from tests.tiny_project import write_claim

README = """\
# Numbers

| not | this |
|---|---|
| 1 | 2 |

## The benchmark

Some words.

| centre | spread = 0.05 | spread = 0.1 | spread = 1,000 |
|:---|---:|---:|---:|
| cold | **0.0** | 0.0 | - |
| [Warm](http://x) | 1.0 | `1.1` | 5 |

| after | it |
|---|---|
| 3 | 4 |
"""

TABLE = """\
table:
  file: README.md#the-benchmark
  metric: level
  over: spread
  tolerance: 0.2
  because: measured by hand
conditions:
  spread: [0.05, 0.1, 1000]
"""
EDITS = {
    "readings:\n": "",
    "  as_documented:\n    expected: VERIFIED\n    because: the centres differ as the arms say\n": "",
    "    expectations:\n      warm_exceeds_cold:\n        contrast: {difference: level, of: {arm: warm}, minus: {arm: cold}}\n": "",
    "        band: {at_least: 0.5}\n        reported: 1.0\n        because: half of the documented gap\n": TABLE,
    "change: {centre: 0.0}": "change: {centre: 9.0}",
    "breaks: [warm_exceeds_cold]": "breaks: [table]",
    "smoke: {seeds: 2, spread: 0.05}": "smoke: {seeds: 2}",
    "cap: 12}, spread: 0.05}": "cap: 12}}",
}
CELLS = ["cold_spread_0_05", "cold_spread_0_1", "warm_spread_0_05", "warm_spread_0_1", "warm_spread_1000"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "README.md").write_text(README)
    return write_claim(tmp_path, replace=EDITS)


def problem(folder, old="", new="", *, text="", by=""):
    """Return the one problem of the claim after an edit of the claim, or of the text."""
    readme, own = folder.parents[2] / "README.md", folder / "claim.yaml"
    readme.write_text(readme.read_text().replace(text, by) if text else readme.read_text())
    own.write_text(own.read_text().replace(old, new) if old else own.read_text())
    with pytest.raises(SpecError) as caught:
        load_claim(folder)
    (line,) = caught.value.problems
    return line


def test_each_cell_with_a_number_is_a_reading_and_a_control_breaks_them_all(folder):
    claim = load_claim(folder).claim

    assert list(claim.readings) == CELLS
    assert claim.controls["same_centre"].breaks == CELLS
    expectation = claim.expectations["warm_spread_0_1"]
    assert expectation.contrast.model_dump() == {"mean": "level", "at": {"arm": "warm", "spread": 0.1}}
    assert (expectation.band.low, expectation.band.high) == pytest.approx((0.9, 1.3))
    assert (
        "README.md#the-benchmark prints 1.1 in row Warm, column spread = 0.1; up to 0.2 is admitted."
        in expectation.because
    )


def test_numbers_of_a_table_know_their_lines(folder):
    found = quoted_by(load_claim(folder))

    assert [(number.line, number.printed, number.expectation) for number in found] == [
        (13, "0.0", CELLS[0]), (13, "0.0", CELLS[1]), (14, "1.0", CELLS[2]), (14, "1.1", CELLS[3]), (14, "5", CELLS[4])
    ]  # fmt: skip


def test_without_a_condition_columns_are_metrics(tmp_path):
    (tmp_path / "README.md").write_text("| arm | level |\n|---|---|\n| cold | 0.0 |\n| warm | 1.0 |\n")
    table = "table: {file: README.md, tolerance: 0.3, because: measured}\n"
    edits = {**EDITS, list(EDITS)[3]: table, "smoke: {seeds: 2, spread: 0.05}": "smoke: {seeds: 2, spread: 0.05}"}
    folder = write_claim(tmp_path, replace={k: v for k, v in edits.items() if "spread: 0.05" not in k})

    assert list(load_claim(folder).claim.readings) == ["cold_level", "warm_level"]


@pytest.mark.parametrize(
    ("text", "by", "message"),
    [
        ("`1.1`", "about one", "README.md:14:1: table: row 'Warm', column 'spread = 0.1': 'about one' is no number; "),
        (
            "| 5 |",
            "| 5 % |",
            "README.md:14:1: table: row 'Warm', column 'spread = 1,000': '5 %' is not in the table's unit, none; ",
        ),
    ],
)
def test_a_cell_that_is_no_number_of_the_table_is_said_with_its_line(folder, text, by, message):
    assert problem(folder, text=text, by=by).startswith(f"{folder.parents[2]}/{message}")


@pytest.mark.parametrize(
    ("old", "new", "field", "message"),
    [
        ("README.md#the", "READ.md#the", "file", "'READ.md' cannot be read: "),
        ("#the-benchmark", "#the-bench", "file", "'README.md#the-bench': no table stands there; did you mean 'the-benchmark'?"),
        ("[0.05, 0.1, 1000]", "[0.05, 0.1, 100]", "columns", "'spread = 1,000' names nothing of the claim; say what it is, "),
        ("warm: {centre: 1.0}", "hot: {centre: 1.0}", "rows", "'Warm' names nothing of the claim; say what it is, "),
        ("  because: measured", "  unit: '%'\n  because: measured", "unit", "'%' is a unit of fractions, but the estimate has the unit 'degree'; "),
        ("  because: measured", "  rows: {cold: warm, Warm: warm}\n  because: measured", "rows", "two cells have one name; rows: and columns: "),
        ("  because: measured", "  rows: {Wrm: warm}\n  because: measured", "rows", "'Wrm' does not stand in the table; did you mean 'Warm'?"),
    ],
)  # fmt: skip
def test_what_the_claim_says_wrongly_of_its_table_is_said_with_its_field(folder, old, new, field, message):
    (folder / "claim.yaml").write_text(
        (folder / "claim.yaml").read_text().replace("timings: {training: [warm], inference: [warm]}\n", "")
    )
    found = problem(folder, old, new)
    assert f": table.{field}: {message}" in found
    assert found.startswith(f"{folder}/claim.yaml:")
