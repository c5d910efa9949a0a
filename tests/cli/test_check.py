"""`claims check` on numbers that the project's texts print, and `claims index` that keeps them."""

from __future__ import annotations

import json
import re
from contextlib import closing

import pytest

from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.store.store import Store
from harness.trials.catalogue import load_claim
from harness.trials.executor import Inline
from harness.trials.options import Options
from tests.tiny_project import DOCUMENT, MACHINE, write_claim
from tests.trials.test_quotations import QUOTATION, README
from tests.trials.test_tables import EDITS
from tests.trials.test_tables import README as BENCHMARK

MARKED = """\
<!-- claims: number warm_exceeds_cold.warm_exceeds_cold to 1 -->?<!-- end --> degrees, or
% claims: number warm_exceeds_cold.warm_exceeds_cold in % to 0
?
% end
<!-- claims: number warm_exceeds_cold.warm_exceeds_cold in % to 1 with interval -->?<!-- end -->
"""


@pytest.fixture
def measured(tmp_path):
    """Return a function that runs a claim into the project's store."""

    def run(folder):
        with closing(Store(tmp_path / ".claims/store.sqlite3")) as store:
            store.start_run("run", Options().record(), MACHINE)
            return run_claim(load_claim(folder), Context(Options(workers=1), store, lambda _: Inline(), "run"))

    return run


@pytest.fixture
def folder(tmp_path):
    """A claim, and a README.md that quotes its estimate."""
    folder = write_claim(tmp_path, replace={"unit: degree": "unit: fraction"})
    (tmp_path / "README.md").write_text(README)
    (folder.parent / "document.yaml").write_text(DOCUMENT + QUOTATION + "pages: [paper.tex]\n")
    return folder


def test_a_number_without_a_verdict_is_a_problem_where_verdicts_are_asked_for(folder, claims):
    assert claims("check") == (0, "1 claim is sound, 0 problems\n", "")

    code, out, _ = claims("check", "--against-verdicts")
    assert code == 2
    assert "README.md:4: prints 1.0, of which no run has given a verdict; `claims run warm_exceeds_cold` does" in out


def test_a_number_that_the_last_interval_does_not_reach_is_a_problem(folder, claims, measured, tmp_path):
    measured(folder)
    assert claims("check", "--against-verdicts")[0] == 0

    (tmp_path / "README.md").write_text(README.replace("1.0", "1.4"))
    document = folder.parent / "document.yaml"
    document.write_text(document.read_text().replace("1.0", "1.4"))
    code, out, _ = claims("check")

    assert code == 2
    line = out.splitlines()[0]
    assert line.startswith(f"{tmp_path}/README.md:4: prints 1.4 (1.35 to 1.45), but ")
    assert re.search(r"warm_exceeds_cold has the interval \[0\.\d+, 1\.\d+\] and is VERIFIED; correct the text", line)


def test_every_report_lists_the_numbers_of_its_claims_that_do_not_hold(folder, claims, measured, tmp_path):
    for path in (tmp_path / "README.md", folder.parent / "document.yaml"):
        path.write_text(path.read_text().replace("1.0", "1.4"))
    measured(folder)

    claims("report")

    attention = (tmp_path / "reports/latest/report.md").read_text().split("## What needs attention")[1]
    assert "README.md:4: prints 1.4 " in attention.split("\n## ")[0]
    (number,) = json.loads((tmp_path / "reports/latest/report.json").read_text())["quotations"]
    assert (number["line"], number["holds"], number["found"]) == (4, False, "VERIFIED")


def test_a_verdict_that_a_text_relies_on_must_be_the_last(folder, claims, measured):
    measured(folder)
    document = folder.parent / "document.yaml"
    document.write_text(document.read_text().replace("pages", "    verdict: REFUTED\npages"))

    assert "and is VERIFIED, where the text relies on REFUTED; " in claims("check")[1]


def test_one_cell_of_a_table_edited_by_hand_is_named_with_line_number_and_interval(tmp_path, claims, measured):
    readme = tmp_path / "README.md"
    readme.write_text(BENCHMARK.replace("| 5 |", "| - |"))
    edits = {**EDITS, "warm: {centre: 1.0}": "warm: {centre: 1.05}"}
    measured(write_claim(tmp_path, replace=edits))
    assert claims("check", "--against-verdicts")[0] == 0

    readme.write_text(readme.read_text().replace("`1.1`", "`1.9`"))
    code, out, _ = claims("check")

    assert code == 2
    (line, _) = out.splitlines()
    assert line.startswith(
        f"{readme}:14: prints 1.9 (1.7 to 2.1), but warm_exceeds_cold.warm_spread_0_1 has the interval ["
    )


def test_a_report_has_the_numbers_of_a_table_where_no_document_quotes_any(tmp_path, claims, measured):
    (tmp_path / "README.md").write_text(BENCHMARK.replace("| 5 |", "| - |").replace("`1.1`", "`1.9`"))
    measured(write_claim(tmp_path, replace=EDITS))

    claims("report")

    numbers = json.loads((tmp_path / "reports/latest/report.json").read_text())["quotations"]
    assert [(number["printed"], number["holds"]) for number in numbers] == [
        ("0.0", True), ("0.0", True), ("1.0", True), ("1.9", False)
    ]  # fmt: skip


def test_index_writes_single_numbers_into_markdown_and_latex(folder, claims, measured, tmp_path):
    record = measured(folder)
    paper = tmp_path / "paper.tex"
    paper.write_text(MARKED)
    assert claims("index", "--check")[0] == 1

    claims("index")

    first, second, number, last, spanned = paper.read_text().splitlines()
    assert re.fullmatch(r"<!-- claims: number \S+ to 1 -->1\.0<!-- end --> degrees, or", first)
    assert second == MARKED.splitlines()[1]
    assert re.fullmatch(r"(9|10)\d\\,\\%", number)
    assert last == "% end"
    (found,) = record.readings["as_documented"].expectations.values()
    estimate, low, high = (f"{100 * own:.1f}" for own in (found.estimate, found.low, found.high))
    assert spanned.endswith(f"with interval -->{estimate} % [{low}, {high}]<!-- end -->")
    assert claims("index", "--check")[0] == 0


def test_a_mark_in_an_unknown_unit_is_said_with_its_line(folder, claims, tmp_path):
    (tmp_path / "paper.tex").write_text(MARKED.replace("in %", "in miles"))

    code, _, error = claims("index")

    assert code == 2
    assert f"{tmp_path}/paper.tex:2:1: claims: number: unit 'miles' is unknown; one of x, %, ms, s, min, h" in error


def test_a_mark_in_a_unit_that_the_estimate_does_not_have_is_said_with_its_line(folder, claims, measured, tmp_path):
    measured(folder)
    (tmp_path / "paper.tex").write_text(MARKED.replace("in %", "in ms"))

    assert (
        "paper.tex:2:1: claims: number: 'ms' is a unit of seconds, but the estimate has the unit 'fraction'; "
        in claims("index")[2]
    )
