"""Reports, as a reader gets them."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest

from harness.report.badge import badge
from harness.report.junit import junit
from harness.report.markdown import LARGEST, markdown, text
from harness.report.selection import as_expected, lost_after_holm
from harness.report.terminal import table
from harness.report.write import write_reports
from harness.running.results import run_of
from harness.store.records.claim import ProblemRecord
from harness.store.records.parsing import parse
from harness.trials.options import Options
from tests.reported import adjusted, altered
from tests.tiny_project import MACHINE, write_claim


@pytest.fixture
def report(tmp_path, run, store):
    """Run tiny claims and return the run as reports see it."""

    def make(*claims, profile="quick"):
        store.start_run("run", Options(profile=profile).record(), MACHINE)
        for index, claim in enumerate(claims):
            run(write_claim(tmp_path, f"claim_{index}", **claim), profile=profile)
        return run_of(store, "run")

    return make


HOLDS, FAILS, OPEN = {}, {"gap": -1.0}, {"gap": 0.5}


def test_markdown_names_everything_a_stranger_needs(report):
    found = markdown(report(HOLDS))

    for words in (
        "**1 of 1 readings came out as expected** (1 VERIFIED)",
        "> Numbers drawn around 1.0 exceed numbers drawn around zero.",
        "- Where it stands: Notes on numbers, section 1",
        "- Reported there: gap 1.0",
        "the source's own setting; what it does not show: anything about other numbers",
        "### Reading “as documented”: ✓ VERIFIED (as expected)",
        "level \\[warm\\] minus \\[cold\\] (degree) | 1 | ",
        "error rate 0.001 | at least 0.5 | 6 | ✓ VERIFIED",
        "this band because half of the documented gap",
        "  - every seed: ",
        "### Control “same centre”: broke what it must break",
        "- Seeds: a look after 6, then every 2, at most 12",
        "- Profile: quick, base seed 0, on cpu",
        "- Trials: 24, of which 6 reused and 0 failed",
        "- Data: none is declared",
        f"- Commit: {'c' * 40}",
    ):
        assert words in found


def test_what_failed_comes_first(report):
    found = markdown(report(HOLDS, FAILS))

    assert found.index("## What needs attention") < found.index("How to read this") < found.index("## Overview")
    assert "reading “as documented” REFUTED, expected VERIFIED" in found[: found.index("## Overview")]
    assert (
        found.index('<a id="claim-1">')
        < found.index("## Claims that came out as expected")
        < found.index('<a id="claim-0">')
    )
    assert found.index("(#claim-1)") < found.index("(#claim-0)")


def test_nothing_needs_attention_when_all_is_as_expected(report):
    assert "What needs attention" not in markdown(report(HOLDS))


def underpowered(found, probability=0.74):
    """Return a run whose first claim may stay undecided next time."""
    forecast = "claims.0.forecast.warm_exceeds_cold"
    return altered(found, {f"{forecast}.probability": probability, f"{forecast}.underpowered": probability < 0.9})


def test_what_may_stay_undecided_needs_attention(report):
    written = markdown(underpowered(report(HOLDS)))

    words = "“warm exceeds cold” may stay undecided: 0.74 probability to decide within 12 seeds\n"
    assert words in written[: written.index("## Overview")]


def test_what_is_expected_to_stay_undecided_needs_none(report):
    found = underpowered(report({**OPEN, "expected": "INCONCLUSIVE"}))

    assert "may stay undecided" not in markdown(found)


def test_forecast_is_in_the_record(report):
    clear, unclear = (claim.forecast["warm_exceeds_cold"] for claim in report(HOLDS, OPEN).judged)

    assert clear.probability > 0.9 > unclear.probability
    assert (clear.underpowered, unclear.underpowered) == (False, True)
    assert (clear.n, unclear.n) == (6, 12)
    assert clear.seeds < unclear.seeds <= 12


@pytest.mark.parametrize(
    ("seconds", "words"), [(41.26, "about 41 s"), (6.416, "about 6.4 s"), (None, "nobody knows how long")]
)
def test_claims_left_for_lack_of_time_are_listed(report, seconds, words):
    found = altered(report(HOLDS), {"claims.0.left": {"seconds": seconds, "trials": 6}})

    line = f"left for lack of time: claim_0 ({words})"
    assert line.replace("_", "\\_") in markdown(found)
    # Even where the terminal is narrow.
    assert line in table(found, 30)


@pytest.mark.parametrize(
    ("claim", "words"), [(HOLDS, "**holds**"), (FAILS, "**does not hold as written**"), (OPEN, "**not decided**")]
)
def test_each_sentence_gets_its_words(report, claim, words):
    assert words in markdown(report(claim))


def test_markdown_stays_below_a_mebibyte(report):
    found = report(HOLDS)
    (claim,) = found.judged
    many = [claim.model_copy(update={"id": f"claim_{index}"}) for index in range(600)]

    written = markdown(found.model_copy(update={"claims": many}))

    assert len(written.encode()) < LARGEST
    assert "more claims are described in report.json" in written


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("a | b\nc", "a \\| b c"),
        ("\x1b[31mred", "\ufffd\\[31mred"),
        ("[link](http://x)", "\\[link\\](http://x)"),
    ],
)
def test_markdown_shows_text_as_it_is(raw, shown):
    assert text(raw) == shown


def test_terminal_table_fits_its_width_and_marks_the_unexpected(report):
    lines = table(report(HOLDS, FAILS), 72)

    assert max(map(len, lines)) <= 72
    assert lines[:2] == ["claim_1 (same_setting)", "  ✗ REFUTED      as_documented <- expected VERIFIED"]
    assert lines[-3] == "1 of 2 readings as expected; reused 12 of 48 trials"


def test_terminal_table_keeps_escape_codes_out(report):
    found = report(HOLDS)
    claims = [claim.model_copy(update={"id": "\x1b[2Jgone"}) for claim in found.judged]
    found = found.model_copy(update={"claims": claims})

    assert "\x1b" not in "".join(table(found, 100))


def test_smoke_run_claims_no_verdict_anywhere(report):
    found = report(HOLDS, profile="smoke")

    assert "- NOT\\_RUN" in markdown(found) or "- NOT_RUN" in markdown(found)
    assert "smoke profile gives no verdict" in table(found, 100)[-1]
    assert "<skipped" in junit(found)
    assert badge(found)["color"] != "brightgreen"


def test_junit_counts_and_is_well_formed(report):
    suite = ET.fromstring(junit(report(HOLDS, FAILS)))

    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "errors": "0",
        "skipped": "0",
    }


def test_junit_replaces_what_xml_cannot_hold(report):
    found = altered(report(FAILS), {"claims.0.readings.as_documented.reason": "bad \x1b[31m \x00 text"})

    assert ET.fromstring(junit(found)).find(".//failure") is not None


@pytest.mark.parametrize(
    ("claims", "message", "colour"),
    [
        ((HOLDS,), "1 of 1 as expected", "brightgreen"),
        ((HOLDS, FAILS), "1 of 2 as expected", "orange"),
        ((FAILS,), "0 of 1 as expected", "red"),
    ],
)
def test_badge(report, claims, message, colour):
    assert badge(report(*claims)) == {
        "schemaVersion": 1,
        "label": "claims",
        "message": message,
        "color": colour,
        "isError": False,
    }


def test_every_document_has_a_badge_and_none_is_left_of_another(report, tmp_path):
    run = report(HOLDS, FAILS)
    broken = [
        {"id": name, "document": {"id": name}, "problem": {"kind": "data", "lines": ["x"]}, "finished": ""}
        for name in ("../y", "other_notes")
    ]
    claims = [*run.claims, *(parse(ProblemRecord, record, "a test") for record in broken)]
    run = run.model_copy(update={"claims": claims})
    folder = tmp_path / "out/badges"
    folder.mkdir(parents=True)
    (folder / "gone.json").write_text("{}")
    write_reports(run, tmp_path / "out")

    found = {path.name: json.loads(path.read_text()) for path in folder.iterdir()}
    assert found == {
        "notes.json": {**badge(report(HOLDS, FAILS)), "label": "notes"},
        "other_notes.json": {
            "schemaVersion": 1,
            "label": "other notes",
            "message": "0 of 0 as expected",
            "color": "red",
            "isError": True,
        },
    }


def test_expected_false_verdicts_are_in_every_report(report):
    run = report(HOLDS, FAILS)

    assert run.error_budget.expected_false_verdicts == pytest.approx(0.002)
    assert "at most 0.002 false verdicts are to be expected, and in its controls at most 0.002." in markdown(run)
    assert "false verdicts to expect, at most: 0.002 (and 0.002 in controls)" in table(run, 200)


def test_verdicts_after_holms_adjustment_stand_beside_the_plain_ones(report):
    run = report(HOLDS)
    assert lost_after_holm(run) == []
    assert "has a chance of at most 0.05, every verdict stands." in markdown(run)
    assert "after Holm's adjustment (1 expectations, 0.05): every verdict stands" in table(run, 200)
    assert re.search(r"\| 6 \| ✓ VERIFIED \| ✓ p [0-9.e-]+ \|", markdown(run))


def test_a_verdict_that_falls_by_the_adjustment_is_named(report):
    p = "claims.0.readings.as_documented.expectations.warm_exceeds_cold.p"
    run = adjusted(altered(report(HOLDS), {p: 0.06}))

    assert "these readings would not be decided: claim\\_0 “as documented” (INCONCLUSIVE)." in markdown(run)
    assert "  claim_0, as_documented: INCONCLUSIVE" in table(run, 200)


def test_nights_of_a_series_are_shown(tmp_path, run, store):
    folder = write_claim(tmp_path, gap=0.56)
    for night in (20260101, 20260102):
        store.start_run(f"run {night}", Options(base_seed=night).record(), MACHINE)
        run(folder, run_id=f"run {night}", base_seed=night, accumulate=True)
    found = run_of(store, "run 20260102")

    text_ = markdown(found)
    assert re.search(r"- Evidence: 2 replications since [0-9-]{10}, with 24 trials of earlier ones", text_)
    assert re.search(r"\| (18|20|22|24) \(12 of earlier replications\) \|", text_)
    assert text_.count("(base seed 20260101): ") == 1
    assert "; with all before it " in text_
    assert any(line.startswith("warm_exceeds_cold (same_setting); 2 replications since ") for line in table(found, 200))


def test_as_expected_counts_readings(report):
    assert as_expected(report(HOLDS, FAILS)) == (1, 2)


def test_report_json_is_complete_and_versioned(report, tmp_path):
    write_reports(report(HOLDS), tmp_path / "out")

    found = json.loads((tmp_path / "out/report.json").read_text())
    assert found["schema_version"] == 1
    assert found["exit_code"] == 0
    (claim,) = found["claims"]
    expectation = claim["readings"]["as_documented"]["expectations"]["warm_exceeds_cold"]
    assert len(expectation["values"]) == expectation["n"] == 6
    assert expectation["looks"][-1]["low"] == expectation["low"]
    assert claim["base_seed"] == 0
    assert len(claim["code"]["digest"]) == 64


def test_unmeasured_ends_are_null_not_infinite(report, tmp_path):
    write_reports(report(HOLDS, profile="smoke"), tmp_path / "out")

    assert "Infinity" not in (tmp_path / "out/report.json").read_text()
    assert "NaN" not in (tmp_path / "out/report.json").read_text()
