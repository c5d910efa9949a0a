"""JUnit XML: one test case per reading and per control."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from harness._text import escape_unprintable, in_xml, one_line
from harness.report import wording
from harness.running import waiver
from harness.specification.profiles import NO_VERDICT_PROFILE

if TYPE_CHECKING:
    from harness.store.records.claim import ClaimRecord
    from harness.store.records.expectation import ControlRecord, ReadingRecord
    from harness.store.records.run import Run


def junit(run: Run) -> str:
    """Return the run as JUnit XML."""
    seconds = sum(claim.cost.wall_seconds for claim in run.judged)
    suite = ET.Element("testsuite", name="claims", timestamp=escape_unprintable(run.started), time=f"{seconds:.3f}")
    for claim in run.judged:
        for name, reading in claim.readings.items():
            _reading_case(suite, claim, name, reading)
        for name, control in claim.controls.items():
            _control_case(suite, claim, name, control)
        _expired_case(suite, claim)
    for broken in run.problems:
        case = ET.SubElement(suite, "testcase", classname=escape_unprintable(broken.id), name="claim.yaml", time="0")
        lines = broken.problem.lines
        ET.SubElement(case, "error", message=one_line(lines[0]), type=broken.problem.kind).text = in_xml(
            "\n".join(lines)
        )
    for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("tests", str(len(suite)))
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _reading_case(suite: ET.Element, claim: ClaimRecord, name: str, reading: ReadingRecord) -> None:
    seconds = f"{claim.cost.wall_seconds / max(1, len(claim.readings)):.3f}"
    case = ET.SubElement(
        suite, "testcase", classname=escape_unprintable(claim.id), name=escape_unprintable(name), time=seconds
    )
    facts = {
        "verdict": reading.verdict,
        "expected": reading.expected,
        "profile": claim.profile,
        "strength": claim.strength,
    }
    for key, expectation in reading.expectations.items():
        facts[f"estimate.{key}"] = wording.number(expectation.estimate)
        facts[f"interval.{key}"] = wording.span(expectation)
        facts[f"verdict.{key}"] = expectation.verdict
        facts[f"expected.{key}"] = expectation.expected
    _properties(case, {**facts, **waiver.properties(claim, reading)})
    if claim.profile == NO_VERDICT_PROFILE:
        ET.SubElement(case, "skipped", message="the smoke profile gives no verdict")
    elif not reading.as_expected:
        _failure(
            case,
            reading.verdict if reading.verdict != reading.expected else "expectation",
            [wording.reading_words(claim, name), *_leave(claim, reading)],
        )


def _control_case(suite: ET.Element, claim: ClaimRecord, name: str, control: ControlRecord) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=escape_unprintable(claim.id),
        name=escape_unprintable(f"control {name}"),
        time="0",
    )
    _properties(case, waiver.properties(claim, control))
    if claim.profile == NO_VERDICT_PROFILE:
        ET.SubElement(case, "skipped", message="the smoke profile gives no verdict")
    elif not control.behaves:
        _failure(case, "control", [*wording.control_words(claim, name), *_leave(claim, control)])


def _expired_case(suite: ET.Element, claim: ClaimRecord) -> None:
    """Add a case for a waiver that fails its claim, whatever the readings say."""
    if waiver.expired(claim):
        case = ET.SubElement(suite, "testcase", classname=escape_unprintable(claim.id), name="waiver", time="0")
        _failure(case, "waiver", [waiver.note(claim)])


def _failure(case: ET.Element, kind: str, lines: list[str]) -> None:
    """Add a failure, its first line as the message; `kind` is what servers group failures by."""
    text = in_xml("\n".join(lines))
    ET.SubElement(case, "failure", message=text.splitlines()[0], type=kind).text = text


def _leave(claim: ClaimRecord, part: ReadingRecord | ControlRecord) -> list[str]:
    return [waiver.words(claim)] if part.waived else []


def _properties(case: ET.Element, facts: dict[str, Any]) -> None:
    if facts:
        properties = ET.SubElement(case, "properties")
        for key, value in facts.items():
            ET.SubElement(properties, "property", name=escape_unprintable(f"claim.{key}"), value=in_xml(value))
