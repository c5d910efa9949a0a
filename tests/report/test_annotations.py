"""Annotations of GitHub Actions, as its runner reads them."""

from __future__ import annotations

import re
import subprocess

import pytest

from harness._text import JOINERS
from harness.report.annotations import Annotation, _decided, as_command, commands, summed_up, wanted
from harness.running.results import run_of
from harness.trials.options import Options
from tests.pytest_plugin.test_hooks import ARGUMENTS
from tests.reported import altered, make_reports, saved_claim
from tests.test_hostile import EVIL, evil_claim
from tests.tiny_project import MACHINE, write_claim

COMMAND = re.compile(r"::(?P<kind>error|warning|notice) (?P<properties>[^:]*)::(?P<message>.*)")


def parsed(line):
    """Return kind, properties and message of a command, by the rules of GitHub's runner."""
    found = COMMAND.fullmatch(line)
    assert found, line
    properties = dict(part.split("=", 1) for part in found["properties"].split(","))
    for old, new in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        properties = {name: value.replace(old, new) for name, value in properties.items()}
    message = found["message"].replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
    return found["kind"], properties, message


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project in a folder of a repository, with its reports."""
    root = tmp_path_factory.mktemp("repository") / "below"
    root.mkdir()
    subprocess.run(["git", "init", "-q", str(root.parent)], check=True)
    return root, make_reports(root)


@pytest.fixture
def night(project):
    root, reports = project
    return [parsed(line) for line in commands(reports["night"], root)]


def of(found, name):
    return [one for one in found if f"/{name}/" in one[1].get("file", "")]


def line_of(root, name, text):
    lines = (root / f"claims/notes/{name}/claim.yaml").read_text().splitlines()
    return str(next(number for number, line in enumerate(lines, start=1) if line.strip().startswith(text)))


def test_a_refuted_reading_is_an_error_at_the_expectation_that_decided_it(project, night):
    ((kind, properties, message),) = of(night, "does_not_hold")

    assert kind == "error"
    assert properties == {
        "file": "below/claims/notes/does_not_hold/claim.yaml",
        "line": line_of(project[0], "does_not_hold", "warm_exceeds_cold:"),
        "col": "7",
        "title": "REFUTED, expected VERIFIED: Warm numbers exceed cold ones",
    }
    assert message.startswith("does_not_hold, reading as_documented: the interval [")
    assert "wholly outside the band (at least 0.5)\nThe evidence is against the reading" in message


def test_what_is_undecided_is_a_warning_and_what_is_waived_a_notice(night):
    assert [one[0] for one in of(night, "is_undecided")] == ["warning"]
    ((kind, _, message),) = of(night, "is_waived")
    assert kind == "notice"
    assert message.endswith("WAIVED until 9999-12-31 (maintainers): the thermometer is being repaired")


def test_what_a_control_made_invalid_stands_at_the_control(project, night):
    ((kind, properties, _),) = of(night, "is_invalid")

    assert kind == "error"
    assert properties["line"] == line_of(project[0], "is_invalid", "same_centre:")


def test_problems_of_a_specification_stand_at_their_own_lines(project, night):
    found = of(night, "is_broken")

    assert {one[1]["line"] for one in found} == {"1", line_of(project[0], "is_broken", "strenght:")}
    assert all(one[0] == "error" for one in found)


def test_what_came_out_as_expected_has_none_and_errors_come_first(night):
    assert of(night, "holds") == []
    kinds = [one[0] for one in night]
    assert kinds == sorted(kinds, key=["error", "warning", "notice"].index)


def test_a_smoke_run_annotates_what_broke_and_no_verdict(project):
    root, reports = project
    found = [parsed(line) for line in commands(reports["smoke"], root)]

    assert {one[1]["title"] for one in found} == {
        "is_broken could not be run (specification)",
        "raises: trial failed",
        "is_out_of_bounds: trial failed",
    } - ({"is_out_of_bounds: trial failed"} if not of(found, "is_out_of_bounds") else set())
    assert of(found, "raises")


def test_claims_left_for_lack_of_time_are_warnings(project):
    root, reports = project
    found = [parsed(line) for line in commands(reports["left"], root)]

    assert {one[0] for one in of(found, "does_not_hold")} == {"warning"}


def test_paths_begin_at_the_workspace_of_the_job(project, monkeypatch):
    root, reports = project
    monkeypatch.setenv("GITHUB_WORKSPACE", str(root))

    assert "file=claims/notes/does_not_hold/claim.yaml," in "\n".join(commands(reports["night"], root))


def test_a_claim_whose_file_is_gone_still_has_its_annotation(project, tmp_path):
    found = [parsed(line) for line in commands(project[1]["night"], tmp_path)]

    assert any(one[1]["title"].startswith("REFUTED") and "file" not in one[1] for one in found)


def test_of_each_kind_at_most_ten_are_shown_and_the_last_sums_up():
    found = [Annotation("error", f"title {number}", "text") for number in range(25)]

    shown = summed_up(found)

    assert shown[:9] == found[:9]
    assert len(shown) == 10
    assert shown[9].title == "16 more, see report.md"
    assert shown[9].message.splitlines() == [f"title {number}" for number in range(9, 25)]
    assert summed_up(found[:10]) == found[:10]


def test_many_claims_give_ten_commands_of_a_kind(tmp_path, project):
    night = project[1]["night"]
    refuted = next(claim for claim in night.judged if claim.id == "does_not_hold")
    claims = [refuted.model_copy(update={"id": f"claim_{number}"}) for number in range(30)]
    many = night.model_copy(update={"claims": claims})

    assert len(commands(many, tmp_path)) == 10


FORGED = f"%0A::error::x\n::set-env name=A::b\r\n##[add-path]/x,file=/etc/passwd,line=1::{EVIL}"


@pytest.mark.parametrize("kind", ["error", "warning", "notice"])
def test_no_text_forges_a_command_or_a_property(tmp_path, kind):
    line = as_command(Annotation(kind, FORGED, FORGED, tmp_path / FORGED.replace("/", ""), (3, 4)), tmp_path)

    assert line.isprintable()
    assert "\n" not in line
    assert "##[" not in line
    found, properties, message = parsed(line)
    assert found == kind
    assert set(properties) == {"file", "line", "col", "title"}
    assert (properties["line"], properties["col"]) == ("3", "4")
    assert properties["title"].startswith("%0A::error::x")
    assert "%0A" in message


# In a run.


@pytest.fixture
def shown(pytester):
    """Run a refuted claim of hostile words and return the lines of the log."""

    def run(*arguments):
        evil_claim(pytester.path, "does_not_hold", gap=-1.0)
        write_claim(pytester.path, "holds")
        result = pytester.runpytest_subprocess(*ARGUMENTS, "--claims-workers=1", *arguments)
        assert result.ret == 1
        return result.outlines

    return run


def commands_in(lines):
    """Return what GitHub's runner takes for commands: `::` after leading space, `##[` anywhere."""
    return [line for line in lines if line.lstrip().startswith("::") or "##[" in line]


def test_a_run_prints_none_by_itself(shown):
    assert commands_in(shown()) == []


def test_a_run_prints_them_if_asked(shown):
    (line,) = commands_in(shown("--claims-annotations"))

    assert parsed(line)[1]["file"].endswith("claims/notes/does_not_hold/claim.yaml")


def test_a_job_prints_them_by_itself(shown, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    lines = shown()
    assert len(commands_in(lines)) == 1
    assert not {c for line in lines for c in line if not c.isprintable() and c not in JOINERS}


def test_workers_print_none_of_their_own(shown):
    assert len(commands_in(shown("--claims-annotations", "-n", "2"))) == 1


def test_only_the_word_true_is_a_job(monkeypatch):
    assert not wanted(asked=False)
    assert wanted(asked=True)
    monkeypatch.setenv("GITHUB_ACTIONS", "false")
    assert not wanted(asked=False)


def test_a_specification_with_commands_in_its_words_starts_none_in_the_log(pytester, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    evil = 'title: "long enough to be wrapped somewhere ::error::forged ##[add-path]/x"'
    write_claim(pytester.path, gap=-1.0, replace={
        "title: Warm numbers exceed cold ones": evil,
        "because: half of the documented gap": 'because: "::set-output name=a::b\\n::error::c ##[error]d"',
    }, experiment="def measure(arm, seeds, **_):\n    raise ValueError('x\\n::error::forged\\n ##[error]y')\n")  # fmt: skip

    lines = pytester.runpytest_subprocess(*ARGUMENTS, "--claims-workers=1").outlines

    assert [line for line in commands_in(lines) if not COMMAND.fullmatch(line)] == []
    assert len(commands_in(lines)) == 1


@pytest.mark.parametrize(
    ("by", "place"),
    [
        ("expectations.broken", ("readings", "as_documented", "expectations", "broken")),
        ("controls.cut", ("controls", "cut")),
        ("", ("readings", "as_documented")),
    ],
)
def test_an_annotation_stands_at_what_decided_the_reading(by, place):
    claim = altered(saved_claim(), {"readings.as_documented.decided_by": by})

    assert _decided(claim, "as_documented") == place


FLIPS = {
    "expected": "REFUTED",
    "replace": {
        "        because: half of the documented gap\n": """        because: half of the documented gap
        expected: REFUTED
      warm_is_warm:
        contrast: {mean: level, at: {arm: warm}}
        band: {at_least: -0.5}
        because: its centre, less half
        no_control: the arm is what its centre is
""",
        "change: {centre: 0.0}": "change: {centre: 2.0}\n    arms: [warm]",
    },
}
"""A reading that is refuted as expected, while another expectation, which should hold, does not: warm is around -1."""


def test_an_expectation_that_flips_behind_an_expected_refutation_is_an_error_at_its_own_line(tmp_path, run, store):
    store.start_run("run", Options().record(), MACHINE)
    folder = write_claim(tmp_path, "flips", gap=-1.0, **FLIPS)
    run(folder)

    (line,) = commands(run_of(store, "run"), tmp_path)

    kind, properties, message = parsed(line)
    assert kind == "error"
    assert properties["line"] == line_of(tmp_path, "flips", "warm_is_warm:")
    assert "warm_is_warm is REFUTED, expected VERIFIED" in properties["title"]
    assert "reading as_documented: warm_is_warm is REFUTED, expected VERIFIED: the interval [" in message
