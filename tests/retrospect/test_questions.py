"""`claims judge`, `claims compare`, `claims repro`, as a user calls them."""

from __future__ import annotations

import json

import pytest

from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.running.results import run_of
from harness.store.records.parsing import plain
from harness.store.store import Store
from harness.trials.catalogue import load_claim
from harness.trials.executor import Inline
from harness.trials.options import Options
from tests.tiny_project import EXPERIMENT, MACHINE, write_claim


@pytest.fixture
def stored(tmp_path):
    """Run a tiny claim into the project's store under an id; return the store's path."""

    def run(run_id, base_seed=0, profile="quick", **claim):
        store = Store(tmp_path / ".claims/store.sqlite3")
        options = Options(workers=1, base_seed=base_seed, profile=profile)
        store.start_run(run_id, options.record(), MACHINE)
        run_claim(load_claim(write_claim(tmp_path, **claim)), Context(options, store, lambda _: Inline(), run_id))
        store.close()
        return store.path

    return run


def calling(marker):
    """Return an experiment that writes a file whenever it measures."""
    return EXPERIMENT.replace("    return {", f"    open({str(marker)!r}, 'w').close()\n    return {{", 1)


def test_judge_says_the_verdict_of_a_moved_band_without_measuring_or_writing(tmp_path, claims, stored):
    marker = tmp_path / "called"
    path = stored("first", experiment=calling(marker))
    marker.unlink()
    before = path.read_bytes()
    write_claim(tmp_path, experiment=calling(marker), replace={"at_least: 0.5": "at_least: 5"})

    code, out, _ = claims("judge", "--into", "judged")

    assert code == 1
    assert "  ✗ REFUTED      as_documented <- expected VERIFIED" in out.splitlines()
    assert path.read_bytes() == before
    assert not marker.exists()
    assert (tmp_path / "judged/report.md").is_file()
    assert json.loads((tmp_path / "judged/report.json").read_text())["claims"][0]["trials"]["measured"] == 0


def test_judge_never_calls_measure_where_trials_are_lacking(tmp_path, claims, stored):
    stored("first")
    marker = tmp_path / "called"
    write_claim(tmp_path, "another", experiment=calling(marker))

    code, out, _ = claims("judge", "another")

    assert code == 3
    assert not marker.exists()
    assert "NOT_RUN" in out
    assert out.splitlines()[-1].startswith("lacking: 24 trials of another for its next look; `claims run another ")


def test_judge_as_json_is_a_report(claims, stored):
    stored("first")

    code, out, _ = claims("judge", "--json")

    assert code == 0
    assert json.loads(out)["claims"][0]["readings"]["as_documented"]["verdict"] == "VERIFIED"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["judge", "warm_exceeds_colt"], "no claim or document 'warm_exceeds_colt'; did you mean 'warm_exceeds_cold'?"),
        (["judge", "--profile", "smoke"], "--profile: smoke gives no verdict, so there is nothing to judge"),
        (["judge", "--device", "tpu"], "--device: no device 'tpu'; give one of auto, cpu, cuda"),
        (["judge", "--store", "none.sqlite3"], "none.sqlite3: no such store"),
        (["compare", "first", "nobody"], "'nobody': no such file, and no run of that id or commit"),
        (["repro", "xyz"], "'xyz': no trial in "),
        (["repro", "--run"], "--run: which trial?"),
        (["repro", "--store", "claims/notes/document.yaml"], "document.yaml: cannot be read as a store"),
    ],
)
def test_what_does_not_exist_is_one_clear_line(claims, stored, arguments, message):
    stored("first")

    code, out, error = claims(*arguments)

    assert (code, out) == (2, "")
    assert message in error
    assert len(error.splitlines()) == 1


def test_compare_two_runs_of_a_store_and_fail_on_regression(claims, stored):
    stored("first")
    stored("second", gap=-1.0)

    code, out, _ = claims("compare", "first", "second")
    assert code == 0
    assert "! warm_exceeds_cold, as_documented: VERIFIED -> REFUTED, expected VERIFIED; regression" in out.splitlines()

    assert claims("compare", "first", "second", "--fail-on", "regression")[0] == 1
    assert claims("compare", "second", "first", "--fail-on", "regression")[0] == 0


def test_compare_formats(claims, stored):
    stored("first")
    stored("second", base_seed=7)

    assert json.loads(claims("compare", "first", "second", "--format", "json")[1])["b"]["id"] == "second"
    assert claims("compare", "first", "second", "--format", "markdown")[1].startswith("# Comparison of two runs\n")


def test_compare_a_report_with_a_store_changes_neither(tmp_path, claims, stored):
    path = stored("first")
    store = Store(path)
    (tmp_path / "report.json").write_text(json.dumps(plain(run_of(store, "first"))))
    store.close()
    before = path.read_bytes()

    code, out, _ = claims("compare", "report.json", ".claims/store.sqlite3")

    assert code == 0
    assert "same to the last digit" in out
    assert path.read_bytes() == before


def test_compare_refuses_to_mix_profiles_in_one_line(claims, stored):
    stored("first")
    stored("second", profile="smoke")

    code, out, error = claims("compare", "first", "second")
    assert (code, out) == (2, "")
    assert "profile quick in A, smoke in B" in error
    assert len(error.splitlines()) == 1

    assert claims("compare", "first", "second", "--mixed")[0] == 0


def test_a_run_named_run_is_no_command(claims, stored):
    stored("run")

    assert json.loads(claims("compare", "run", "run", "--format", "json")[1])["a"]["id"] == "run"


def test_repro_lists_shows_and_repeats_a_trial(claims, stored):
    path = stored("first")
    before = path.read_bytes()

    code, listing, _ = claims("repro")
    key = listing.splitlines()[1].split()[0]
    assert code == 0
    assert len(listing.splitlines()) == 1 + 18

    code, shown, _ = claims("repro", key)
    assert code == 0
    assert shown.splitlines()[-1] == f"  claims repro {key} --run"
    assert "git checkout" not in shown

    code, out, _ = claims("repro", key, "--run")
    assert code == 0
    assert out.splitlines()[-1] == "repeated bit for bit"
    assert path.read_bytes() == before


def test_repro_of_a_trial_that_comes_out_otherwise_fails(claims, stored):
    path = stored("first")
    store = Store(path)
    store._write("UPDATE trial SET metrics = '{\"level\": 0.25}'", ())
    key = store.past("", 1)[0].key
    store.close()

    code, out, _ = claims("repro", key, "--run")

    assert code == 1
    assert "  level: 0.25 then, " in out
    assert "NOT repeated" in out


def test_repro_after_a_change_of_code_names_the_commit_and_refuses(tmp_path, claims, stored):
    stored("first")
    key = claims("repro")[1].splitlines()[1].split()[0]
    write_claim(tmp_path, experiment=EXPERIMENT.replace("normal(centre, spread)", "normal(centre, 2 * spread)", 1))

    code, shown, _ = claims("repro", key, "--store", ".claims/store.sqlite3")
    assert code == 0
    assert shown.splitlines()[-2:] == [f"  git checkout {'c' * 40}", f"  claims repro {key} --run"]

    code, _, error = claims("repro", key, "--run")
    assert code == 2
    assert "cannot be repeated today:\ncode: another digest" in error


def test_repro_as_json_lists_explains_and_repeats(claims, stored):
    stored("first")

    listed = json.loads(claims("repro", "--json")[1])
    assert len(listed) == 18
    assert {trial["claim"] for trial in listed} == {"warm_exceeds_cold"}
    key = listed[0]["key"]

    told = json.loads(claims("repro", key[:16], "--json")[1])
    assert (told["key"], told["commit"], told["obstacles"]) == (key, "c" * 40, [])
    assert told["base_seed"] == 0

    code, out, _ = claims("repro", key, "--run", "--json")
    again = json.loads(out)
    assert (code, again["same"]) == (0, True)
    assert again["again"]["metrics"] == told["metrics"]
