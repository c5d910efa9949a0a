"""junit.xml, by the form that CI servers read (Jenkins' junit-10.xsd, with properties of cases as pytest writes them)."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from harness.report.junit import junit
from tests.reported import make_reports, read_saved

COUNTS = {"tests", "failures", "errors", "skipped"}
OUTCOMES = {"failure", "error", "skipped"}

ATTRIBUTES = {
    "testsuite": {"name", "timestamp", "time", *COUNTS},
    "testcase": {"classname", "name", "time"},
    "properties": set(),
    "property": {"name", "value"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
}
CHILDREN = {"testsuite": {"testcase"}, "testcase": {"properties", *OUTCOMES}, "properties": {"property"}}


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    return make_reports(tmp_path_factory.mktemp("reported")) | {"saved": read_saved()}


def suite_of(run):
    return ET.fromstring(junit(run).encode())


@pytest.mark.parametrize("name", ["night", "smoke", "left", "judged", "saved"])
def test_it_has_the_form_that_servers_read(reports, name):
    suite = suite_of(reports[name])

    assert suite.tag == "testsuite"
    for element in suite.iter():
        assert set(element.attrib) == ATTRIBUTES[element.tag], element.tag
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set()), element.tag
    for case in suite:
        assert sum(child.tag in OUTCOMES for child in case) <= 1, "a case has one outcome"
        assert float(case.get("time")) >= 0
    found = {
        "tests": len(suite),
        **{tag + "s" * (tag != "skipped"): len(suite.findall(f"testcase/{tag}")) for tag in OUTCOMES},
    }
    assert {count: int(suite.get(count)) for count in COUNTS} == found


def names(run):
    return [(case.get("classname"), case.get("name")) for case in suite_of(run)]


def test_names_are_those_of_claims_readings_and_controls_whatever_came_out(reports):
    """Servers follow a test by its name from run to run."""
    assert names(reports["night"]) == names(reports["smoke"]) == names(reports["left"]) == names(reports["saved"])
    assert len(set(names(reports["night"]))) == len(names(reports["night"]))
    assert ("holds", "as_documented") in names(reports["night"])
    assert ("holds", "control same_centre") in names(reports["night"])
    assert ("is_broken", "claim.yaml") in names(reports["night"])


def test_failures_are_grouped_by_their_verdict(reports):
    kinds = {
        case.get("classname"): case.find("failure")
        for case in suite_of(reports["night"])
        if case.get("name") == "as_documented"
    }

    assert kinds["does_not_hold"].get("type") == "REFUTED"
    assert kinds["is_invalid"].get("type") == "INVALID"
    assert kinds["holds"] is None
