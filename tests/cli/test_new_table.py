"""`claims new --table`: a claim written around a Markdown table and the command that measures its rows."""

from __future__ import annotations

import pytest

from harness.trials.catalogue import load_claim

SCRIPT = "import json, sys; print(json.dumps({'error': 0.1 * len(sys.argv[1]), 'accuracy': 0.9}))"
NAME = "readme/benchmark"


@pytest.fixture
def project(tmp_path, claims):
    (tmp_path / "bench.py").write_text(SCRIPT)
    (tmp_path / "README.md").write_text(
        "## By size\n\n| system | n = 100 | n = 1,000 |\n|---|---|---|\n| Our model | 90 % | - |\n| tree | 40 % | 30 % |\n\n"
        "## By metric\n\n| system | error | accuracy |\n|---|---|---|\n| Our model | 0.9 | 0.9 |\n"
    )
    claims("init")
    return tmp_path


def begun(project, claims, table, command):
    """Begin a claim and return it, with what is open said."""
    code, _, error = claims("new", NAME, "--table", table, "--command", command)
    assert (code, error) == (0, "")
    path = project / "claims" / NAME / "claim.yaml"
    text = (
        path.read_text()
        .replace("tolerance: TODO ", "tolerance: 5 ")
        .replace("because:  # why", "because: it must # why")
    )
    path.write_text(text.replace("no_control:  # why", "no_control: nothing could # why"))
    return load_claim(path.parent).claim


def test_columns_that_are_numbers_are_values_of_the_condition_that_the_command_names(project, claims):
    claim = begun(project, claims, "README.md#by-size", "python bench.py {arm} --n {n} --depth 3 {seed}")

    assert list(claim.arms) == ["our_model", "tree"]
    assert claim.conditions["n"].values == [100, 1000]
    assert list(claim.readings) == ["our_model_n_100", "tree_n_100", "tree_n_1000"]
    assert claim.metrics["error"].unit == "fraction"
    (control,) = claim.controls.values()
    assert (control.change, control.breaks) == ({"depth": 0}, list(claim.readings))


def test_other_columns_are_metrics(project, claims):
    claim = begun(project, claims, "README.md#by-metric", "python bench.py {arm} {seed} --depth 0")

    assert list(claim.readings) == ["our_model_error", "our_model_accuracy"]
    (control,) = claim.controls.values()
    assert control.change == {"depth": 1}


def test_without_anything_to_change_the_claim_asks_why_nothing_could_break_it(project, claims):
    claim = begun(project, claims, "README.md#by-metric", "python bench.py {arm} {seed}")

    assert claim.controls == {}
    assert {expectation.no_control for expectation in claim.expectations.values()} == {"nothing could"}


@pytest.mark.parametrize(
    ("table", "command", "message"),
    [
        ("README.md#by-size", None, "--table: README.md#by-size: say with --command what measures a row, such as "),
        ("READ.md", "python bench.py {arm} {seed}", "--table: READ.md cannot be read: "),
        (
            "README.md#by-weight",
            "python bench.py {arm} {seed}",
            "--table: README.md#by-weight: no table stands there; ",
        ),
        ("README.md#by-size", "python bench.py {arm {seed}", "--command: "),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_written(project, claims, table, command, message):
    code, _, error = claims("new", NAME, "--table", table, *(["--command", command] if command else []))

    assert code == 2
    assert error.startswith(message)
    assert len(error.splitlines()) == 1
    assert not (project / "claims" / NAME).exists()
