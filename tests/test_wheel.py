"""What others install."""

from __future__ import annotations

import tomllib
import zipfile

import pytest

from tests.outside import PROJECT, build_wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The names in the wheel, each with its text."""
    with zipfile.ZipFile(build_wheel(tmp_path_factory.mktemp("wheel"))) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_the_wheel_holds_the_harness_and_nothing_of_this_project(wheel):
    assert {name.split("/")[0] for name in wheel if ".dist-info/" not in name} == {"harness"}
    assert not [name for name in wheel if "__pycache__" in name]


def test_all_that_the_harness_reads_is_in_the_wheel(wheel):
    files = [path for path in (PROJECT / "harness").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    included = set(settings.get("force-include", {}).values())

    assert {str(path.relative_to(PROJECT)) for path in files} | included == {n for n in wheel if ".dist-info/" not in n}
    assert sum(name.startswith("harness/cli/templates/") for name in wheel) >= 6


def test_the_wheel_brings_the_command_and_the_plugin(wheel):
    (points,) = [text for name, text in wheel.items() if name.endswith("/entry_points.txt")]

    assert points.split() == [
        "[console_scripts]",
        "claims",
        "=",
        "harness.cli.main:main",
        "[pytest11]",
        "claims",
        "=",
        "harness.pytest_plugin.plugin",
    ]


def test_the_wheel_says_what_it_needs(wheel):
    (metadata,) = [text for name, text in wheel.items() if name.endswith("/METADATA")]
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]

    needed = [
        line.removeprefix("Requires-Dist: ") for line in metadata.splitlines() if line.startswith("Requires-Dist")
    ]
    assert sorted(line for line in needed if "extra ==" not in line) == sorted(project["dependencies"])
