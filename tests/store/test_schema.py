"""The shape of report.json: complete, published, and held against whatever is read."""

from __future__ import annotations

import copy
import json
import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from harness.cli.main import main
from harness.errors import UsageError
from harness.report.comparison_text import as_markdown, lines
from harness.report.terminal import table
from harness.report.write import write_reports
from harness.retrospect.compare import compare
from harness.retrospect.find_run import load_run
from harness.store.records.parsing import parse, plain
from harness.store.records.run import SCHEMA_VERSION, Run, schema
from harness.store.store import Store
from tests.reported import SAVED, make_reports
from tests.tiny_project import write_claim

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Real reports of tiny claims, as a program reads them."""
    made = make_reports(tmp_path_factory.mktemp("reported"))
    return {name: plain(run) for name, run in made.items()}


def closed(part):
    """Return a schema in which every object has the fields that are named, and no other."""
    if isinstance(part, list):
        return [closed(item) for item in part]
    if not isinstance(part, dict):
        return part
    found = {key: closed(value) for key, value in part.items()}
    if isinstance(part.get("properties"), dict):
        found["additionalProperties"] = False
    return found


@pytest.mark.parametrize("name", ["night", "smoke", "left", "judged"])
def test_every_field_of_a_report_is_in_the_schema(reports, name):
    problems = list(Draft202012Validator(closed(schema())).iter_errors(reports[name]))

    assert [f"{error.json_path}: {error.message[:200]}" for error in problems] == []


def test_the_reports_came_out_in_every_way(reports):
    claims = {claim["id"]: claim for claim in reports["night"]["claims"]}
    verdicts = {
        name: claim["readings"]["as_documented"]["verdict"] for name, claim in claims.items() if "readings" in claim
    }

    assert verdicts == {
        "holds": "VERIFIED", "does_not_hold": "REFUTED", "is_undecided": "INCONCLUSIVE", "is_invalid": "INVALID",
        "is_waived": "REFUTED", "raises": "INVALID", "is_out_of_bounds": "INVALID", "is_of_every_kind": "VERIFIED",
    }  # fmt: skip
    assert claims["is_broken"]["problem"]["kind"] == "specification"
    assert claims["is_waived"]["readings"]["as_documented"]["waived"]
    assert claims["holds"]["series"]["replications"] == 2
    assert claims["holds"]["noise"]["verdict"] == "NO_DIFFERENCE_DETECTED"
    assert {claim["profile"] for claim in reports["smoke"]["claims"] if "profile" in claim} == {"smoke"}
    assert any(claim.get("left") for claim in reports["left"]["claims"])
    assert any(claim.get("missing_trials") for claim in reports["judged"]["claims"])


def seen(part, value, definitions, title, found):
    """Add to `found` every field of the schema that a value has, as (name of the part, field)."""
    if "$ref" in part:
        title = part["$ref"].rsplit("/", 1)[1]
        part = definitions[title]
    for choice in (*part.get("anyOf", ()), *part.get("oneOf", ())):
        if Draft202012Validator({"$defs": definitions, **choice}).is_valid(value):
            seen(choice, value, definitions, title, found)
    if isinstance(value, dict):
        for key, item in value.items():
            if key in part.get("properties", {}):
                found.add((title, key))
                seen(part["properties"][key], item, definitions, title, found)
            else:
                rest = part.get("additionalProperties") or {}
                inner = next(iter(part.get("patternProperties", {}).values()), rest)
                seen(inner if isinstance(inner, dict) else {}, item, definitions, title, found)
    if isinstance(value, list):
        for item in value:
            seen(part.get("items", {}), item, definitions, title, found)


def test_every_field_of_the_schema_is_in_some_report(reports):
    """So that the schema cannot rot: what no report has any more is taken out of it."""
    whole, found = schema(), set()
    for run in reports.values():
        seen(whole, run, whole["$defs"], "Run", found)

    everything = {(title, key) for title, part in whole["$defs"].items() for key in part.get("properties", {})}
    everything |= {("Run", key) for key in whole["properties"]}
    assert everything - found == set()


def test_the_published_schema_is_the_one_of_the_code(capsys):
    assert main(["schema", "--report"]) == 0

    published = PROJECT / "reports/report.schema.json"
    assert capsys.readouterr().out == published.read_text(), f"claims schema --report > {published}"
    assert json.loads(published.read_text())["properties"]["schema_version"]["const"] == SCHEMA_VERSION


def test_the_published_schema_is_in_the_package_that_is_installed():
    build = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    included = build["targets"]["wheel"]["force-include"]

    assert included["reports/report.schema.json"] == "harness/report/report.schema.json"
    assert (PROJECT / "reports/report.schema.json").is_file()


def test_the_schema_of_a_claim_is_still_printed_without_the_option(capsys):
    assert main(["schema"]) == 0

    assert json.loads(capsys.readouterr().out)["title"] == "Claim"


# A report that was published once.


@pytest.fixture
def saved():
    return json.loads(SAVED.read_text())


def test_a_report_of_this_version_is_still_read_by_all_that_read_reports(saved, tmp_path):
    run = parse(Run, saved, "report.json")
    write_reports(run, tmp_path / "out")
    found = load_run("out/report.json", tmp_path, tmp_path / "none")

    assert found == run
    assert json.loads((tmp_path / "out/report.json").read_text()) == saved
    assert "## Overview" in (tmp_path / "out/report.md").read_text()
    assert "claims" in "\n".join(table(found, 100))
    same = compare(found, run)
    assert same.regressions == []
    assert lines(same)
    assert as_markdown(same)
    assert main(["--root", str(tmp_path), "compare", "out/report.json", str(SAVED)]) == 0


def fields(value, path="") -> set[str]:
    """Return the dotted names of all fields, with `*` for what has names of its own: claims, expectations, seeds."""
    if isinstance(value, list):
        return {name for item in value for name in fields(item, path)}
    if not isinstance(value, dict):
        return set()
    free = path.rsplit(".", 1)[-1] in FREE
    found = set()
    for key, item in value.items():
        name = f"{path}.{'*' if free else key}".removeprefix(".")
        found |= {name} | fields(item, name)
    return found


FREE = {
    "readings", "expectations", "controls", "forecast", "values", "reruns", "settings", "arms", "environment", "packages",
    "change", "reported", "strategies", "conditions", "arithmetic", "sources",
}  # fmt: skip


def test_no_field_of_the_published_report_is_gone(saved, reports):
    gone = sorted(fields(saved) - set().union(*map(fields, reports.values())))

    assert not gone, (
        f"report.json had the fields {gone}; whoever reads it counts on them. Give them back, or raise SCHEMA_VERSION in "
        "harness/store/records/run.py, keep reading what was written before, and publish a new tests/data/report-N.json"
    )


def test_the_test_for_lost_fields_sees_a_renamed_one(saved):
    changed = json.loads(json.dumps(saved).replace('"because":', '"reason_why":'))

    assert "claims.readings.*.expectations.*.because" in fields(saved) - fields(changed)


# What is not as it should be.


@pytest.mark.parametrize("name", ["night", "smoke", "left", "judged"])
def test_what_is_read_is_what_was_written(reports, name):
    assert plain(parse(Run, reports[name], name)) == reports[name]


def holds(run):
    return next(claim for claim in run["claims"] if claim["id"] == "holds")


def refusal(run):
    with pytest.raises(UsageError) as error:
        parse(Run, run, "report.json", "write it again")
    return str(error.value)


def test_a_lacking_field_is_named_with_its_claim_and_the_remedy(saved):
    del holds(saved)["readings"]["as_documented"]["expectations"]["warm_exceeds_cold"]["band"]["text"]

    assert refusal(saved) == (
        "report.json: claim 'holds': readings.as_documented.expectations.warm_exceeds_cold.band.text: is missing; write it again"
    )


def test_a_field_of_the_wrong_type_is_named_with_its_value(saved):
    holds(saved)["seeds"]["cap"] = "many"
    assert (
        refusal(saved) == "report.json: claim 'holds': seeds.cap: should be a valid integer, not 'many'; write it again"
    )


def test_a_contrast_is_checked_by_its_kind(saved):
    expectation = holds(saved)["readings"]["as_documented"]["expectations"]["warm_exceeds_cold"]
    del expectation["contrast"]["minus"]
    assert "expectations.warm_exceeds_cold.contrast.difference.minus: is missing" in refusal(saved)
    expectation["contrast"] = {"guess": "level"}
    assert "expectations.warm_exceeds_cold.contrast: " in refusal(saved)


def test_a_picture_has_a_y_for_every_x(saved):
    lines = [{"name": "a", "x": [1, 2], "y": [1]}]
    holds(saved)["illustrations"] = [{"kind": "curves", "title": "t", "x": "x", "y": "y", "log": "", "lines": lines}]
    assert "illustrations[0].curves.lines[0]: should have a y for every x" in refusal(saved)


@pytest.mark.parametrize(
    "point", [{"size": 1}, {"arm": "warm"}, {"arm": "warm", "size": 3}, {"arm": "warm", "size": "x"}]
)
def test_a_point_has_an_arm_and_a_value_of_every_condition(saved, point):
    (claim,) = (claim for claim in saved["claims"] if claim["id"] == "is_of_every_kind")
    claim["points"][0]["point"] = point
    assert "should have an arm, and a value of every condition, in each of its points" in refusal(saved)


def test_a_field_that_a_later_version_adds_is_let_pass(saved):
    holds(saved)["colour"] = "red"
    assert plain(parse(Run, saved, "report.json")) == saved


def places(value, path=()):
    """Yield the path of every field and item."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(value[key], (*path, key))


DROP = object()


def spoil(value, path, new):
    """Return a copy with one field dropped or replaced."""
    found = copy.deepcopy(value)
    *above, last = path
    part = found
    for key in above:
        part = part[key]
    if new is DROP:
        del part[last]
    else:
        part[last] = copy.deepcopy(new)
    return found


class Broken:
    """A project whose store holds one run, to be broken again and again."""

    def __init__(self, root: Path, run: dict) -> None:
        self.root, self.run = root, run
        write_claim(root, "holds")
        self.path = root / ".claims/store.sqlite3"
        with closing(Store(self.path)) as store:
            store.start_run(run["id"], run["options"], run["machine"])
            for claim in parse(Run, run, "report.json").claims:
                store.save_record(run["id"], claim)

    def put(self, run: dict) -> None:
        """Put a run into the store, as an editor would."""
        with closing(sqlite3.connect(self.path)) as database, database:
            database.execute("DELETE FROM record")
            for old, new in zip(self.run["claims"], run["claims"], strict=True):
                row = (self.run["id"], old["id"], json.dumps(new), "2026-01-01")
                database.execute("INSERT INTO record VALUES (?, ?, ?, ?)", row)
            parts = (json.dumps(run["options"]), json.dumps(run["machine"]))
            database.execute("UPDATE run SET options = ?, machine = ?", parts)


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    run = json.loads(SAVED.read_text())
    keep = ("holds", "is_waived", "is_broken")
    run["claims"] = [claim for claim in run["claims"] if claim["id"] in keep]
    return Broken(tmp_path_factory.mktemp("broken"), run)


@pytest.mark.parametrize("part", [("readings", "as_documented"), ("controls", "same_centre")])
def test_what_is_waived_has_a_waiver(saved, part):
    holds(saved)[part[0]][part[1]]["waived"] = True

    assert "should have a waiver" in refusal(saved)


@pytest.mark.parametrize("commit", [True, 7, []])
def test_a_commit_that_is_none_names_no_run_and_is_told(broken, capsys, commit):
    broken.put(spoil(broken.run, ("machine", "commit"), commit))

    assert main(["--root", str(broken.root), "compare", broken.run["id"], str(SAVED)]) == 2
    assert "machine.commit: should be a valid string" in capsys.readouterr().err


def test_a_stored_run_that_is_sound_is_what_it_was(broken):
    broken.put(broken.run)
    with closing(Store(broken.path)) as store:
        assert [plain(claim) for claim in store.records(broken.run["id"])] == broken.run["claims"]
        assert (
            plain(store.run(broken.run["id"])).items()
            >= {key: broken.run[key] for key in ("options", "machine")}.items()
        )


def test_a_broken_night_is_told_where_nights_are_joined(broken):
    broken.put(spoil(broken.run, ("claims", 0, "data"), "none"))
    with closing(Store(broken.path)) as store, pytest.raises(UsageError, match=r"holds, record of .*: data: should be"):
        store.replications("holds", "quick")


def test_models_and_version_agree():
    assert Run.model_fields["schema_version"].annotation.__args__ == (SCHEMA_VERSION,)
