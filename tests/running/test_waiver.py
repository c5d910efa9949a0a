"""Waivers: what they cover, what they do not, and that no output turns green by them."""

from __future__ import annotations

import datetime as dt
from xml.etree import ElementTree as ET

import pytest

from harness import _clock
from harness.cli.main import main
from harness.errors import SpecError
from harness.report.badge import badge
from harness.report.index import index
from harness.report.junit import junit
from harness.report.markdown import markdown
from harness.report.terminal import table
from harness.running import waiver
from harness.running.exit_code import exit_code
from harness.running.results import run_of
from harness.specification.waiver import Waiver
from harness.store.records.claim import WaiverRecord
from harness.store.records.parsing import plain
from harness.store.records.parts import Trials
from harness.trials.catalogue import load_claim
from harness.trials.options import Options
from harness.trials.plan import make_plan, tasks_of
from tests.reported import altered, saved_claim
from tests.tiny_project import EXPERIMENT, MACHINE, write_claim

REASON = "the thermometer is being repaired"
LAST_DAY = dt.date(2026, 12, 31)
LAST_LINE = "timings: {training: [warm], inference: [warm]}\n"
RAISING = EXPERIMENT.replace("    return {", "    raise ValueError('too cold')\n    return {")
UNBROKEN = {"change: {centre: 0.0}": "change: {spread: 0.04}"}
FOR_EVER, LONG_AGO = "9999-12-31", "2020-12-31"


def write(root, name="warm_exceeds_cold", *, expires="2026-12-31", replace=None, **claim):
    """Write a tiny claim with a waiver."""
    text = f"waiver: {{reason: {REASON}, owner: maintainers, expires: {expires}}}\n"
    return write_claim(root, name, replace={LAST_LINE: LAST_LINE + text, **(replace or {})}, **claim)


# What a waiver covers.


def record(verdict="REFUTED", *, as_expected=False, behaves=True, finished=True, errors=(), profile="quick"):
    claim = saved_claim()
    reading, control = claim.readings["as_documented"], claim.controls["same_centre"]
    other = "REFUTED" if verdict == "VERIFIED" else "VERIFIED"
    one = {"verdict": verdict, "expected": verdict if as_expected else other, "as_expected": as_expected}
    readings = {
        "as_documented": reading.model_copy(update=one),
        "as_published": reading.model_copy(update={"verdict": "VERIFIED", "as_expected": behaves}),
    }
    controls = {"same_centre": control.model_copy(update={"behaves": behaves, "finished": finished})}
    given = {"id": "a_claim", "profile": profile, "errors": list(errors), "readings": readings, "controls": controls}
    return claim.model_copy(update=given)


def waived(found, day=LAST_DAY, owner="maintainers", reason=REASON):
    return waiver.waive(found, Waiver(reason=reason, owner=owner, expires="2026-12-31"), day)


def covered(found):
    parts = {**found.readings, **found.controls}
    return {name for name, part in parts.items() if part.waived}


def test_covered_is_what_came_out_otherwise_and_nothing_else():
    assert covered(waived(record())) == {"as_documented"}
    assert covered(waived(record(behaves=False))) == {"as_documented", "as_published", "same_centre"}
    assert covered(waived(record(as_expected=True))) == set()


@pytest.mark.parametrize("verdict", ["REFUTED", "VERIFIED", "INCONCLUSIVE", "INVALID"])
def test_a_covered_reading_keeps_its_verdict_and_counts_as_expected_in_the_exit_code(verdict):
    found = waived(record(verdict))

    assert found.readings["as_documented"] == record(verdict).readings["as_documented"].model_copy(
        update={"waived": True}
    )
    assert exit_code([record(verdict)]) in (1, 3)
    assert exit_code([found]) == 0


def test_what_was_not_run_is_not_covered():
    found = waived(record("NOT_RUN", behaves=False, finished=False))

    assert covered(found) == {"as_published"}
    assert exit_code([waived(record("NOT_RUN"))]) == 3


def test_without_a_waiver_nothing_is_covered():
    found = waiver.waive(record(behaves=False), None, LAST_DAY)

    assert found.waiver is None
    assert covered(found) == set()
    assert exit_code([found]) == 1
    assert not waiver.expired(found)
    assert not waiver.unneeded(found)
    assert waiver.note(found) == waiver.words(found) == ""
    assert waiver.properties(found, found.readings["as_documented"]) == {}


def test_a_waiver_has_an_effect_up_to_and_including_its_last_day():
    on, after = (waived(record(), LAST_DAY + dt.timedelta(days)) for days in (0, 1))

    words = {"reason": REASON, "owner": "maintainers", "expires": "2026-12-31"}
    assert on.waiver == WaiverRecord(**words, expired=False)
    assert after.waiver == WaiverRecord(**words, expired=True)
    assert (covered(on), covered(after)) == ({"as_documented"}, set())
    assert (exit_code([on]), exit_code([after])) == (0, 1)


@pytest.mark.parametrize(("verdict", "as_expected"), [("VERIFIED", True), ("INCONCLUSIVE", False), ("NOT_RUN", False)])
def test_an_expired_waiver_fails_its_claim_whatever_came_out(verdict, as_expected):
    found = waived(record(verdict, as_expected=as_expected), LAST_DAY + dt.timedelta(1))

    assert exit_code([found]) == 1
    assert waiver.note(found) == (
        "claims/notes/a_claim/claim.yaml: waiver: expired after 2026-12-31 (owner maintainers): it covers nothing any more, "
        "and fails the claim; renew it with a reason, or remove it"
    )


def test_failed_trials_are_not_covered():
    found = waived(record("INVALID", errors=["seed 0: ValueError"]))

    assert covered(found) == set()
    assert exit_code([found]) == 4
    assert not waiver.unneeded(found)


def test_trial_errors_are_graver_than_an_expired_waiver():
    assert exit_code([waived(record(errors=["x"]), LAST_DAY + dt.timedelta(1))]) == 4


@pytest.mark.parametrize("days", [0, 1])
def test_a_profile_without_verdicts_has_no_use_for_a_waiver(days):
    found = waived(record("NOT_RUN", profile="smoke"), LAST_DAY + dt.timedelta(days))

    assert covered(found) == set()
    assert exit_code([found]) == 0
    assert waiver.note(found) == ""


def test_one_waived_claim_excuses_no_other():
    assert exit_code([waived(record()), record("INCONCLUSIVE")]) == 3
    assert exit_code([waived(record()), record()]) == 1


def test_a_waiver_that_covers_nothing_is_no_longer_needed():
    assert waiver.unneeded(waived(record(as_expected=True)))
    assert not waiver.unneeded(waived(record()))
    assert "no longer needed (until 2026-12-31, owner maintainers)" in waiver.note(waived(record(as_expected=True)))
    assert waiver.note(waived(record())) == ""


def test_words_stand_on_one_line():
    found = waived(record(), owner=" maintainers\n", reason="a reason\n  in two lines\n")

    assert waiver.words(found) == "WAIVED until 2026-12-31 (maintainers): a reason in two lines"


# The specification and the record.


def test_an_impossible_day_is_named_with_its_place_and_remedy(tmp_path):
    folder = write(tmp_path, expires="2026-02-30")

    with pytest.raises(SpecError) as caught:
        load_claim(folder)

    *before, last = (folder / "claim.yaml").read_text().splitlines()
    place = f"{folder}/claim.yaml:{len(before) + 1}:{last.index('expires') + 1}"
    words = "should be a day of the calendar, written year-month-day such as 2026-12-31, not '2026-02-30'"
    assert caught.value.problems == [f"{place}: waiver.expires: {words}"]


def test_a_waiver_without_a_reason_is_refused(tmp_path):
    folder = write_claim(
        tmp_path, replace={LAST_LINE: f"{LAST_LINE}waiver: {{owner: maintainers, expires: 2026-12-31}}\n"}
    )

    with pytest.raises(SpecError, match=r"waiver.reason: is missing; add it \(why the claim may come out otherwise"):
        load_claim(folder)


@pytest.mark.parametrize(("today", "expired"), [(LAST_DAY, False), (LAST_DAY + dt.timedelta(1), True)])
def test_the_record_decides_by_the_day_of_the_run(tmp_path, run, monkeypatch, today, expired):
    monkeypatch.setattr(_clock, "today", lambda: today)

    found = run(write(tmp_path, gap=-1.0))

    assert found.waiver.expired is expired
    assert found.readings["as_documented"].waived is not expired
    assert found.readings["as_documented"].verdict == "REFUTED"
    assert found.controls["same_centre"].waived is False


def test_a_waiver_is_in_no_key(tmp_path, run):
    """Adding a waiver trains nothing again."""

    def keys(folder):
        plan = make_plan(load_claim(folder), Options(workers=1))
        return [task.keys for task in tasks_of(plan, [(("arm", "warm"),), (("arm", "cold"),)], range(6), lambda _: {})]

    folder = write_claim(tmp_path)
    before, first = keys(folder), run(folder)
    write(tmp_path)
    after, second = keys(folder), run(folder, run_id="again")

    assert before == after
    assert first.trials == Trials(reused=6, measured=18, failed=0)
    assert second.trials == Trials(reused=24, measured=0, failed=0)


# Every output.


@pytest.fixture
def report(tmp_path, run, store, monkeypatch):
    """Run tiny claims on a day; return the run as reports see it."""

    def make(*folders, today=LAST_DAY, profile="quick"):
        monkeypatch.setattr(_clock, "today", lambda: today)
        store.start_run("run", Options(profile=profile).record(), MACHINE)
        for folder in folders:
            run(folder, profile=profile)
        return run_of(store, "run")

    return make


NEXT_DAY = LAST_DAY + dt.timedelta(1)
MARK = "WAIVED until 2026-12-31 (maintainers)"


def test_terminal_says_waived_beside_the_verdict(tmp_path, report):
    found = report(write(tmp_path, gap=-1.0), write_claim(tmp_path, "holds"))

    lines = table(found, 200)

    assert f"  ✗ REFUTED      as_documented <- expected VERIFIED, {MARK}: {REASON}" in lines
    assert lines[-3].startswith("1 of 2 readings as expected, 1 waived; reused ")


def test_terminal_never_cuts_a_waiver_off(tmp_path, report):
    lines = table(report(write(tmp_path, gap=-1.0)), 60)

    assert max(map(len, lines)) <= 60
    assert f"expected VERIFIED, {MARK}: {REASON}" in " ".join(" ".join(lines).split())


def test_terminal_names_expired_and_unneeded_waivers(tmp_path, report):
    folder = write(tmp_path)
    fine, late = report(folder), report(folder, today=NEXT_DAY)

    assert "no longer needed (until 2026-12-31, owner maintainers)" in "".join(table(fine, 200))
    assert table(late, 40)[0].startswith("! warm_exceeds_cold: claims/notes/warm_exceeds_cold/claim.yaml: waiver: exp")
    assert table(late, 40)[0].endswith("renew it with a reason, or remove it")
    assert "1 of 1 readings as expected, 1 waiver expired; " in table(late, 200)[-3]


def test_markdown_still_lists_what_is_waived_as_needing_attention(tmp_path, report):
    found = markdown(report(write(tmp_path, gap=-1.0)))

    attention = found[found.index("## What needs attention") : found.index("## Overview")]
    assert "reading “as documented” REFUTED, expected VERIFIED" in attention
    assert f"{MARK}: {REASON}" in attention
    assert "**0 of 1 readings came out as expected, 1 waived**" in found
    assert f"| ✗ as documented: REFUTED, {MARK} |" in found
    assert f"### Reading “as documented”: ✗ REFUTED, expected VERIFIED, {MARK}" in found
    assert f"- Waiver: in force; until 2026-12-31 (maintainers): {REASON}" in found


def test_markdown_names_a_waived_control(tmp_path, report):
    found = markdown(report(write(tmp_path, replace=UNBROKEN)))

    assert f"### Control “same centre”: did not break what it must break, {MARK}" in found


def test_markdown_says_that_a_waiver_expired_or_is_no_longer_needed(tmp_path, report):
    folder = write(tmp_path)
    fine, late = markdown(report(folder)), markdown(report(folder, today=NEXT_DAY))

    assert "no longer needed (until 2026-12-31, owner maintainers)" in fine[: fine.index("## Overview")]
    assert "waiver: expired after 2026-12-31 (owner maintainers)" in late[: late.index("## Overview")]
    assert f"- Waiver: expired, covers nothing; until 2026-12-31 (maintainers): {REASON}" in late
    assert "WAIVED" not in fine + late


def test_markdown_escapes_what_a_waiver_says(tmp_path, report):
    unsafe = {"claims.0.waiver.reason": "<b>|x", "claims.0.waiver.owner": "[me](http://x)"}
    found = altered(report(write(tmp_path, gap=-1.0)), unsafe)

    assert "<b>" not in markdown(found)
    assert "[me]" not in markdown(found)


def properties(case):
    return {p.get("name"): p.get("value") for p in case.iterfind("properties/property")}


def test_junit_keeps_the_failure_and_adds_properties(tmp_path, report):
    suite = ET.fromstring(junit(report(write(tmp_path, replace=UNBROKEN))))

    assert suite.get("failures") == "2"
    for name in ("as_documented", "control same_centre"):
        case = suite.find(f"testcase[@name='{name}']")
        assert f"{MARK}: {REASON}" in case.find("failure").text
        assert {
            "claim.waived": "true",
            "claim.waiver.owner": "maintainers",
            "claim.waiver.expires": "2026-12-31",
            "claim.waiver.reason": REASON,
            "claim.waiver.expired": "false",
        }.items() <= properties(case).items()


def test_junit_has_a_failing_case_for_an_expired_waiver_alone(tmp_path, report):
    suite = ET.fromstring(junit(report(write(tmp_path), today=NEXT_DAY)))

    assert [case.get("name") for case in suite.iterfind("testcase[failure]")] == ["waiver"]
    assert "expired after 2026-12-31 (owner maintainers)" in suite.find(".//failure").get("message")
    assert properties(suite.find("testcase"))["claim.waived"] == "false"


def test_junit_says_nothing_of_waivers_where_there_are_none(tmp_path, report):
    assert "waive" not in junit(report(write_claim(tmp_path)))


def test_badge_is_not_green_by_a_waiver(tmp_path, report):
    holds, refuted = write_claim(tmp_path, "holds"), write(tmp_path, gap=-1.0)

    found = badge(report(holds, refuted))

    assert (found["message"], found["color"]) == ("1 of 2 as expected, 1 waived", "orange")


def test_badge_is_not_green_with_an_expired_waiver(tmp_path, report):
    folder = write(tmp_path)

    assert badge(report(folder))["color"] == "brightgreen"
    late = badge(report(folder, today=NEXT_DAY))
    assert (late["message"], late["color"]) == ("1 of 1 as expected, 1 waiver expired", "orange")


def test_index_marks_what_is_waived(tmp_path, report):
    folder = write(tmp_path, gap=-1.0)
    (record,) = report(folder).claims

    found = index([load_claim(folder)], {record.id: record})

    assert f"| ✗ as documented: REFUTED, {MARK} |" in found


def test_report_json_has_the_waiver_and_what_it_covers(tmp_path, report):
    (claim,) = plain(report(write(tmp_path, gap=-1.0)))["claims"]

    assert claim["waiver"] == {"reason": REASON, "owner": "maintainers", "expires": "2026-12-31", "expired": False}
    assert claim["readings"]["as_documented"]["waived"] is True
    assert claim["controls"]["same_centre"]["waived"] is False


# The command line.


def test_check_names_an_expired_waiver_and_the_claim_still_loads(tmp_path, capsys, monkeypatch):
    folder = write(tmp_path)
    monkeypatch.setattr(_clock, "today", lambda: LAST_DAY)
    assert main(["--root", str(tmp_path), "check"]) == 0
    monkeypatch.setattr(_clock, "today", lambda: NEXT_DAY)
    capsys.readouterr()

    assert main(["--root", str(tmp_path), "check"]) == 2
    problem, summary = capsys.readouterr().out.splitlines()
    assert problem.startswith(f"{folder}/claim.yaml:")
    assert ": waiver.expires: expired after 2026-12-31 (owner maintainers)" in problem
    assert summary == "0 claims are sound, 1 problem"
    assert main(["--root", str(tmp_path), "list"]) == 0


# Pytest runs, whole.

ARGUMENTS = ("claims", "--import-mode=importlib", "--benchmark-skip", "-p", "no:cacheprovider", "-r", "fEx")


@pytest.fixture
def claims(pytester):
    """Run pytest on the claims of a tiny project."""
    return lambda *more: pytester.runpytest_inprocess(*ARGUMENTS, "--claims-workers=1", *more)


def test_waived_reading_is_exit_code_0_and_xfailed_never_passed(pytester, claims):
    write(pytester.path, gap=-1.0, expires=FOR_EVER)

    result = claims("--junitxml=own.xml")

    assert result.ret == 0
    result.assert_outcomes(xfailed=1, passed=1, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "  ✗ REFUTED      as_documented <- expected VERIFIED, WAIVED until 9999-12-31*",
            f"XFAIL *test_reading[[]as_documented[]] - *REFUTED, expected VERIFIED.*; WAIVED until 9999-12-31 (maintainers): {REASON}",
        ]
    )
    theirs = ET.parse(pytester.path / "own.xml").getroot()
    assert theirs.find(".//property[@name='claim.waived']").get("value") == "true"
    assert theirs.find(".//property[@name='claim.waiver.owner']").get("value") == "maintainers"


def test_waived_control_is_xfailed_too(pytester, claims):
    write(pytester.path, expires=FOR_EVER, replace=UNBROKEN)

    result = claims()

    assert result.ret == 0
    result.assert_outcomes(xfailed=2, skipped=1)
    result.stdout.fnmatch_lines(
        ["XFAIL *test_control[[]same_centre[]] - control same_centre *did not break what it must break*WAIVED*"]
    )


def test_waived_inconclusive_reading_is_exit_code_0(pytester, claims):
    write(pytester.path, gap=0.5, expires=FOR_EVER)

    assert claims().ret == 0


def test_without_xfail_a_waived_reading_fails_and_never_passes(pytester, claims):
    write(pytester.path, gap=-1.0, expires=FOR_EVER)

    result = claims("--runxfail")

    assert result.ret == 1
    result.assert_outcomes(failed=1, passed=1, skipped=1)


@pytest.mark.parametrize("gap", [-1.0, 0.5, 1.0], ids=["refuted", "inconclusive", "verified"])
def test_expired_waiver_is_exit_code_1_whatever_came_out(pytester, claims, gap):
    write(pytester.path, gap=gap, expires=LONG_AGO)

    result = claims()

    assert result.ret == 1
    result.assert_outcomes(failed=1, passed=1, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "*claims/notes/warm_exceeds_cold/claim.yaml: waiver: expired after 2020-12-31 (owner maintainers)*",
            "*! warm_exceeds_cold: *waiver: expired*renew it with a reason, or remove it",
        ]
    )


def test_waiver_does_not_cover_failing_trials(pytester, claims):
    write(pytester.path, expires=FOR_EVER, experiment=RAISING)

    result = claims()

    assert result.ret == 4
    result.assert_outcomes(failed=2, skipped=1)
    result.stdout.no_fnmatch_line("*WAIVED*")


def test_waiver_does_not_cover_a_specification_that_cannot_be_loaded(pytester, claims):
    write(pytester.path, expires=FOR_EVER, replace={"strength: same_setting": "strenght: same_setting"})

    assert claims().ret == 2


@pytest.mark.parametrize("expires", [FOR_EVER, LONG_AGO])
def test_smoke_profile_knows_no_waiver(pytester, claims, expires):
    write(pytester.path, gap=-1.0, expires=expires)

    result = claims("--claims-profile=smoke")

    assert result.ret == 0
    result.assert_outcomes(skipped=3)
    result.stdout.no_fnmatch_line("*WAIVED*")


@pytest.mark.parametrize(("expires", "code"), [(FOR_EVER, 0), (LONG_AGO, 1)])
def test_exit_code_is_the_same_under_xdist(pytester, expires, code):
    write(pytester.path, gap=-1.0, expires=expires)
    write_claim(pytester.path, "holds")

    result = pytester.runpytest_subprocess(*ARGUMENTS, "-n", "2")

    assert result.ret == code
    result.assert_outcomes(passed=3, skipped=2, **{"xfailed" if code == 0 else "failed": 1})
