"""The tutorials of docs/, done word for word by somebody who has nothing but the wheel."""

from __future__ import annotations

import subprocess

import pytest

from tests.outside import GIVE_DEPENDENCIES, PROJECT, build_wheel, surroundings
from tests.transcript import ELISION, Command, File, mismatch, perform, steps

TODO = {
    page: steps((PROJECT / "docs" / page).read_text(encoding="utf-8"))
    for page in ("tutorial.md", "tutorial-command.md", "tutorial-table.md", "tutorial-results.md")
}

BEGINNING = ("claims init", "claims new", "claims check", "claims run")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=TODO)
def page(request):
    """One of the tutorials."""
    return request.param


@pytest.fixture(scope="module")
def folder(tmp_path_factory, page):
    """A folder outside the checkout that holds the wheel, and nothing else."""
    home = tmp_path_factory.mktemp("tutorial")
    build_wheel(home / "project")
    return home / "project"


@pytest.fixture(scope="module")
def done(folder, page):
    """What each command of the tutorial printed."""
    return perform(TODO[page], folder, surroundings(folder.parent), {"pip install": GIVE_DEPENDENCIES})


def test_every_command_prints_what_the_tutorial_says(done):
    wrong = [
        f"$ {command.line}\nshould print: {line}\nprinted:\n" + "\n".join(printed)
        for command, printed in done
        if (line := mismatch(command.expected, printed)) is not None
    ]

    assert not wrong, wrong[0]


def test_each_line_of_expected_output_is_put_to_the_test(done):
    """With any of them changed, the tutorial would be found wrong."""
    passed = []
    for command, printed in done:
        for index, line in enumerate(command.expected):
            changed = [*command.expected]
            changed[index] = f"{line} (changed)"
            if line != ELISION and mismatch(changed, printed) is None:
                passed.append(line)

    assert sum(line != ELISION for command, _ in done for line in command.expected) >= 20
    assert not passed


def test_the_tutorial_knew_nothing_of_this_checkout(done, folder):
    python = folder / ".venv/bin/python"

    def python_says(code):
        command = [python, "-c", code]
        return subprocess.run(
            command, cwd=folder, env=surroundings(folder.parent), capture_output=True, text=True, check=False
        )

    assert done
    assert python_says("import harness; print(harness.__file__)").stdout.startswith(f"{folder}/.venv/")
    for name in ("fixtures", "claims", "tests"):
        assert "ModuleNotFoundError" in python_says(f"import {name}.x").stderr
    assert (
        "'mnist' is no data set of this project"
        in python_says("from harness.cli.main import main; main(['fetch', 'mnist'])").stderr
    )


@pytest.mark.parametrize(
    ("name", "commands"),
    [
        ("tutorial.md", (*BEGINNING, "claims judge")),
        ("tutorial-command.md", (*BEGINNING, "claims repro")),
        ("tutorial-results.md", BEGINNING),
        ("tutorial-table.md", (*BEGINNING, "claims check --against-verdicts")),
    ],
)
def test_the_tutorial_is_a_tutorial(name, commands):
    lines = [step.line for step in TODO[name] if isinstance(step, Command)]

    for command in commands:
        assert any(line.startswith(command) for line in lines), command


@pytest.mark.parametrize(
    ("name", "python"),
    [("tutorial-command.md", ["train.py"]), ("tutorial-table.md", ["bench.py"]), ("tutorial-results.md", [])],
)
def test_of_python_the_others_have_the_script_alone(name, python):
    files = [step.path for step in TODO[name] if isinstance(step, File)]

    assert [path for path in files if path.endswith(".py")] == python
