"""JUnit XML: one test case per reading and per control."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from harness import explain
from harness.options import NO_VERDICT_PROFILE
from harness.report.rows import judged, problems

if TYPE_CHECKING:
    from harness.report import Run

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, terminal escapes among them."""


def junit(run: Run) -> str:
    """Return the run as JUnit XML."""
    suite = ET.Element("testsuite", name="claims", timestamp=run["started"])
    for claim in judged(run):
        for name, reading in claim["readings"].items():
            _reading_case(suite, claim, name, reading)
        for name, control in claim["controls"].items():
            _control_case(suite, claim, name, control)
    for claim in problems(run):
        case = ET.SubElement(suite, "testcase", classname=claim["id"], name="claim.yaml")
        ET.SubElement(case, "error", message=_clean(claim["problem"]["lines"][0])).text = _clean(
            "\n".join(claim["problem"]["lines"])
        )
    for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("tests", str(len(suite)))
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _reading_case(suite: ET.Element, claim: dict[str, Any], name: str, reading: dict[str, Any]) -> None:
    seconds = f"{claim['cost']['wall_seconds'] / max(1, len(claim['readings'])):.3f}"
    case = ET.SubElement(suite, "testcase", classname=claim["id"], name=name, time=seconds)
    properties = ET.SubElement(case, "properties")
    facts = {
        "verdict": reading["verdict"],
        "expected": reading["expected"],
        "profile": claim["profile"],
        "strength": claim["strength"],
    }
    for key, expectation in reading["expectations"].items():
        facts[f"estimate.{key}"] = explain.number(expectation["estimate"])
        facts[f"interval.{key}"] = explain.span(expectation)
    for key, value in facts.items():
        ET.SubElement(properties, "property", name=f"claim.{key}", value=_clean(str(value)))
    if claim["profile"] == NO_VERDICT_PROFILE:
        ET.SubElement(case, "skipped", message="the smoke profile gives no verdict")
    elif not reading["as_expected"]:
        text = _clean(explain.reading_words(claim, name))
        ET.SubElement(case, "failure", message=text.splitlines()[0]).text = text


def _control_case(suite: ET.Element, claim: dict[str, Any], name: str, control: dict[str, Any]) -> None:
    case = ET.SubElement(suite, "testcase", classname=claim["id"], name=f"control {name}")
    if claim["profile"] == NO_VERDICT_PROFILE:
        ET.SubElement(case, "skipped", message="the smoke profile gives no verdict")
    elif not control["behaves"]:
        text = _clean("\n".join(explain.control_words(claim, name)))
        ET.SubElement(case, "failure", message=text.splitlines()[0]).text = text


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
