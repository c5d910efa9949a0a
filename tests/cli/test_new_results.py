"""`claims new --results`: files are looked at, and a claim written around their columns, open where only the author can speak."""

from __future__ import annotations

import re

import pytest

from harness.trials.catalogue import load_all, load_claim
from tests.results_claim import convergence_counts, seeds_of_two_systems

NAME = "notes/ours_errs_less"


@pytest.fixture
def project(tmp_path, claims):
    claims("init")
    (tmp_path / "runs.csv").write_text(seeds_of_two_systems([("theirs", 2)]))
    return tmp_path


def filled_in(path, band):
    """Fill in what an author has to."""
    path.write_text(re.sub(r"because:  #.*", "because: the paper says so", path.read_text().replace("TODO", band)))
    return load_claim(path.parent).claim


def test_a_claim_is_written_around_the_columns_and_passes_when_it_is_filled_in(project, claims, run):
    code, out, error = claims("new", NAME, "--results", "runs.csv")
    folder = project / "claims" / NAME

    assert (code, error) == (0, "")
    assert [line.removeprefix(f"{folder}/") for line in out.splitlines()[1:-1]] == ["claim.yaml", "test_claim.py"]
    assert out.splitlines()[-1].startswith(
        f"next: say in {folder}/claim.yaml what is claimed, the band and the reasons"
    )
    code, out, _ = claims("check")
    where = "readings.as_documented.expectations.error_differs_as_claimed"
    assert code == 2
    fields = [line.split(": ")[1] for line in out.splitlines()[:-1]]
    assert fields == [f"{where}.band.at_most", f"{where}.because", "controls.permuted_labels.because"]

    claim = filled_in(folder / "claim.yaml", "-0.02")
    assert claims("check")[:2] == (0, "1 claim is sound, 0 problems\n")
    assert claim.results.model_dump() == {"files": "runs.csv", "pairing": "seed", "arm": "system", "metrics": {}}
    assert (list(claim.arms), list(claim.metrics)) == (["ours", "theirs"], ["error"])
    record = run(folder)
    assert record.readings["as_documented"].verdict == "VERIFIED"
    assert record.readings["as_documented"].expectations["error_differs_as_claimed"].n == 11


@pytest.mark.parametrize(
    ("pattern", "content", "results", "arms", "metrics"),
    [
        ("t.csv", "model,run,test loss\nGPT 4,1,0.5\nGPT 4,2,0.4\nB,1,0.6\nB,2,0.7\n", ("run", "model", {"test_loss": "test loss"}), {"gpt_4": {"model": "GPT 4"}, "b": {"model": "B"}}, ["test_loss"]),
        ("t.csv", "seed,old,new\n1,2,3\n2,3,4\n", ("seed", "arm", {"value": "{arm}"}), {"old": {}, "new": {}}, ["value"]),
        ("t.csv", "seed,Old,New\n1,2,3\n2,3,4\n", ("seed", "arm", {"value": "{column}"}), {"old": {"column": "Old"}, "new": {"column": "New"}}, ["value"]),
        ("t.csv", "arm,run,loss\na,1,2\na,2,2\nb,3,2\n", ("none", "arm", {}), {"a": {}, "b": {}}, ["loss"]),
        ("t.csv", "arm,seed,loss\na,1,2\na,1,2\nb,1,2\n", ("none", "arm", {}), {"a": {}, "b": {}}, ["loss"]),
    ],
)  # fmt: skip
def test_arms_keys_and_metrics_are_found(project, claims, pattern, content, results, arms, metrics):
    (project / pattern).write_text(content)
    assert claims("new", NAME, "--results", pattern)[0] == 0
    path = project / "claims" / NAME / "claim.yaml"
    path.write_text(path.read_text().replace("seeds: all", "seeds: 24"))
    text = re.sub(r"because:  #.*", "because: the paper says so", path.read_text().replace("TODO", "1"))
    from harness.specification.models import Claim
    from harness.specification.parsing import parse
    from harness.specification.yaml12 import read_yaml

    path.write_text(text)
    claim = parse(Claim, read_yaml(path))
    assert (claim.results.pairing, claim.results.arm, claim.results.metrics) == results
    assert (claim.arms, list(claim.metrics)) == (arms, metrics)


def test_groups_in_files_of_their_own_are_begun_and_judged(project, claims, run):
    convergence_counts(project / "runs")
    claims("new", NAME, "--results", "runs/{system}_run{run}.json")
    path = project / "claims" / NAME / "claim.yaml"
    text = path.read_text()
    # Runs are counted in both, which makes no pairs of them; and equal arms would do, so that labels by lot break nothing.
    path.write_text(
        text.replace("pairing: run", "pairing: none")
        .replace("change: {shuffle: true}", "change: {shift: -20}\n    arms: [submission]")
        .replace("reference}, minus: {arm: submission", "submission}, minus: {arm: reference")
    )
    filled_in(path, "-9")
    assert load_all(project / "claims")[1] == []
    assert run(path.parent).readings["as_documented"].verdict == "VERIFIED"


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("nothing.csv", "--results: nothing.csv: 'nothing.csv' names no file below "),
        ("runs.txt", "--results: runs.txt: should be a file, or a glob with fields"),
        ("{.csv", "--results: {.csv: "),
        ("alone.csv", "--results: alone.csv: holds 1 columns of numbers and 1 arms; name what is compared in a column 'arm'"),
        ("empty.csv", "--results: empty.csv: holds 0 columns of numbers and 0 arms"),
    ],
)  # fmt: skip
def test_what_cannot_be_begun_is_told_in_a_line_and_nothing_is_written(project, claims, pattern, message):
    (project / "alone.csv").write_text("seed,loss\n1,2\n")
    (project / "empty.csv").write_text("")
    code, out, error = claims("new", NAME, "--results", pattern)

    assert (code, out, error.count("\n")) == (2, "", 1)
    assert error.startswith(message)
    assert not (project / "claims" / "notes").exists()


def test_a_claim_is_begun_in_one_way(project, claims):
    code, _, error = claims("new", NAME, "--results", "runs.csv", "--command", "python x.py {seed}")
    assert (code, error) == (
        2,
        "--results: stands beside --command or --table; a claim is measured in one way, give one\n",
    )
