"""`claims fetch`: data sets belong to a project, which says what they are and where they come from."""

from __future__ import annotations

import re

from tests.outside import PROJECT
from tests.tiny_project import write_claim, write_data


def test_the_loader_is_the_projects_own(tmp_path, claims):
    write_data(tmp_path)
    with (tmp_path / "fixtures/numbers.py").open("a") as file:
        file.write("\n\ndef fetch():\n    return 'fetched \\x1b[2J'\n")

    assert claims("fetch", "numbers") == (0, "fetched \ufffd[2J\n", "")


def test_without_a_name_it_lists_what_is_declared(tmp_path, claims):
    write_claim(tmp_path, replace=write_data(tmp_path))
    (tmp_path / "fixtures/letters.py").write_text("def record(): ...\n\n\ndef fetch(): ...\n")
    (tmp_path / "fixtures/shapes.py").write_text("def shapes(): ...\n")

    code, output, _ = claims("fetch")

    assert code == 0
    assert output.splitlines() == [
        "letters: fixtures/letters.py, declared by 0 claims; `claims fetch letters` downloads it",
        "numbers: fixtures/numbers.py, declared by 1 claim",
    ]


def test_a_project_without_data_sets_is_told_how_one_is_described(tmp_path, claims):
    write_claim(tmp_path)

    code, output, _ = claims("fetch")

    assert code == 0
    assert "a data set NAME is described by fixtures/NAME.py, a module with record()" in output


def test_an_unknown_name_and_a_loader_without_fetch_are_named(tmp_path, claims):
    write_data(tmp_path)

    code, _, error = claims("fetch", "number")
    assert code == 2
    assert f"'number' is no data set of this project, {tmp_path}/fixtures/number.py is missing" in error
    assert "did you mean 'numbers'?" in error
    code, _, error = claims("fetch", "numbers")
    assert code == 2
    assert f"{tmp_path}/fixtures/numbers.py: has no function fetch()" in error


def test_the_digits_of_this_project_can_be_fetched(claims):
    _, output, _ = claims("--root", str(PROJECT), "fetch")

    assert re.search(r"mnist: fixtures/mnist\.py, declared by \d+ claims; `claims fetch mnist` downloads it", output)
