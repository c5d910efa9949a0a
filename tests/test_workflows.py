"""What runs elsewhere, on GitHub and before commits: that it can be read, and names what exists."""

from __future__ import annotations

import ast
import re

import pytest

from harness.cli.main import main
from harness.specification.yaml12 import read_yaml
from harness.trials.options import Options
from tests.outside import PROJECT

WORKFLOWS = sorted((PROJECT / ".github/workflows").glob("*.yml"))
CLAIMS = PROJECT / ".github/workflows/claims.yml"
TEMPLATE = PROJECT / "harness/cli/templates/workflow.yml.template"


def commands(workflow):
    """Return what a workflow runs."""
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_read_and_no_more_and_ends(path):
    workflow = read_yaml(path).value

    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["group"]
    assert all(job["timeout-minutes"] for job in workflow["jobs"].values())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_to_a_commit(path):
    uses = re.findall(r"^\s*- uses: (.*)$|^\s+uses: (.*)$", path.read_text(), re.MULTILINE)

    assert len(uses) > 1
    for first, second in uses:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v[\d.]+", first or second)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_inputs_never_become_text_of_a_command(path):
    """Whoever may start a workflow could otherwise run anything in it."""
    assert not [command for command in commands(read_yaml(path).value) if "${{" in command]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_what_a_workflow_runs_exists(path, request):
    words = "\n".join(commands(read_yaml(path).value))
    sessions = {node.name for node in ast.parse((PROJECT / "noxfile.py").read_text()).body if hasattr(node, "name")}

    for option in re.findall(r"--(claims-[a-z-]+)", words):
        request.config.getoption(option.replace("-", "_"))
    for names in re.findall(r"nox -s ([a-z ]+)", words):
        assert set(names.split()) <= sessions
    for name in re.findall(r"\bclaims ([a-z]+) ", words):
        with pytest.raises(SystemExit) as stop:
            main([name, "--help"])
        assert stop.value.code == 0


def test_the_claims_run_by_schedule_by_hand_and_for_others():
    on = read_yaml(CLAIMS).value["on"]

    (schedule,) = on["schedule"]
    assert int(schedule["cron"].split()[0]) % 30, "at the full and half hour schedules are delayed or dropped"
    shared = {"profile", "claims", "base_seed"}
    assert set(on["workflow_dispatch"]["inputs"]) == shared
    assert set(on["workflow_call"]["inputs"]) == {*shared, "requirements", "timeout_minutes"}
    assert all("type" in given for given in on["workflow_call"]["inputs"].values())


def test_every_input_is_used_with_the_same_default():
    text = CLAIMS.read_text()
    for name, given in read_yaml(CLAIMS).value["on"]["workflow_call"]["inputs"].items():
        default = given["default"]
        alternative = f" || {default!r}" if default else ""
        assert f"${{{{ inputs.{name}{alternative} }}}}" in text


def test_store_and_report_are_kept_whatever_the_verdicts():
    steps = read_yaml(CLAIMS).value["jobs"]["claims"]["steps"]
    ran = next(i for i, step in enumerate(steps) if "claims run" in step.get("run", ""))
    after = steps[ran + 1 :]

    assert [step["if"] for step in after] == ["always()"] * 2
    assert after[0]["with"]["path"] == str(Options.store.parent)
    assert after[1]["with"]["path"].split() == ["reports/latest", str(Options.store)]
    # Files in a folder whose name begins with a full stop are left out otherwise.
    assert after[1]["with"]["include-hidden-files"]
    restored = next(step for step in steps if "cache/restore" in step.get("uses", ""))
    assert restored["with"]["key"] == after[0]["with"]["key"]
    assert restored["with"]["key"].startswith(restored["with"]["restore-keys"])


def test_the_workflow_of_other_projects_is_ours_but_for_what_is_installed():
    ours, theirs = CLAIMS.read_text(), TEMPLATE.read_text()

    assert ours != theirs
    assert ours.replace("-c constraints.txt -e .[documents]", "claims-harness") == theirs
    assert (PROJECT / "constraints.txt").is_file()


def test_the_hook_checks_claims_before_a_commit():
    (hook,) = read_yaml(PROJECT / ".pre-commit-hooks.yaml").value

    assert hook["entry"] == "claims check"
    assert hook["pass_filenames"] is False
    for path in PROJECT.glob("claims/*/*/claim.yaml"):
        assert re.search(hook["files"], str(path.relative_to(PROJECT)))
    assert not re.search(hook["files"], "harness/claims/x.yaml")
    with pytest.raises(SystemExit) as stop:
        main([*hook["entry"].split()[1:], "--help"])
    assert stop.value.code == 0
