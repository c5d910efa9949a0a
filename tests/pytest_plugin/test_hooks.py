"""The plugin, by real pytest runs inside pytest."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from functools import partial
from xml.etree import ElementTree as ET

import pytest

from harness._clock import base_seed_of, today
from harness.pytest_plugin.fixture import STOPPING
from harness.store.store import Store
from tests.tiny_project import EXPERIMENT, write_claim, write_data

ARGUMENTS = ("claims", "--import-mode=importlib", "--benchmark-skip", "-p", "no:cacheprovider")


@pytest.fixture
def claims(pytester):
    """Run pytest on the claims of a tiny project."""

    def run(*arguments, workers="1"):
        return pytester.runpytest_inprocess(*ARGUMENTS, f"--claims-workers={workers}", *arguments)

    return run


@pytest.fixture
def report(pytester):
    """Read report.json of the last run."""
    return lambda: json.loads((pytester.path / "reports/latest/report.json").read_text())


def verdicts(report):
    return {(c["id"], name): r["verdict"] for c in report["claims"] for name, r in c.get("readings", {}).items()}


def test_all_as_expected_is_exit_code_0_with_a_table_and_reports(pytester, claims, report):
    write_claim(pytester.path)

    result = claims()

    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "claims: profile quick, base seed 0, store *",
            "warm_exceeds_cold: 6 seeds, 1 of 1 expectations decided; reused 0 of 12 trials*",
            "warm_exceeds_cold [[]control same_centre[]]: 6 seeds, 1 of 1 expectations decided; reused 6 of 12 trials*",
            "*✓ VERIFIED*as_documented",
            "1 of 1 readings as expected; reused 6 of 24 trials",
            "report: */reports/latest/index.html",
        ]
    )
    assert sorted(p.name for p in (pytester.path / "reports/latest").iterdir()) == [
        "badge.json",
        "badges",
        "claims",
        "documents",
        "history.html",
        "index.html",
        "junit.xml",
        "report.json",
        "report.md",
    ]
    assert report()["exit_code"] == 0


def test_a_run_that_should_run_claims_and_runs_none_is_exit_code_2(pytester, claims):
    folder = write_claim(pytester.path)
    (folder / "test_claim.py").write_text("def test_nothing():\n    pass\n")

    result = claims("--claims-wanted")
    assert result.ret == 2
    result.stdout.fnmatch_lines(["claims: no claim was run: nothing that was selected runs one; see `claims list`"])
    assert claims("--claims-wanted", "-k", "no_such_test").ret == 2
    assert claims().ret == 0, "other sessions may well run no claim"
    assert claims("--claims-wanted", "--collect-only").ret == 0


def test_refuted_reading_is_exit_code_1_with_the_evidence_in_the_message(pytester, claims):
    write_claim(pytester.path, gap=-1.0)

    result = claims()

    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "warm_exceeds_cold, reading as_documented: REFUTED, expected VERIFIED. The reading does not hold: *",
            "  warm_exceeds_cold: REFUTED, the interval * lies wholly outside the band (at least 0.5)",
            "    level [[]warm[]] minus [[]cold[]]",
            "    estimate -* degree, interval *, band at least 0.5 (half of the documented gap)",
            "    per seed: 0: -*, 5: -*",
            "  What would change it: The evidence is against the reading: *",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_inconclusive_reading_is_exit_code_3_and_says_what_would_help(pytester, claims):
    write_claim(pytester.path, gap=0.5)

    result = claims()

    assert result.ret == 3
    result.stdout.fnmatch_lines(
        ["*reaches over an edge of the band*after 12 seeds; the cap is reached*", "*More seeds would shrink*"]
    )


def test_control_that_does_not_break_is_exit_code_1_and_invalid(pytester, claims):
    write_claim(pytester.path, replace={"change: {centre: 0.0}": "change: {spread: 0.04}"})

    result = claims()

    assert result.ret == 1
    result.assert_outcomes(failed=2, skipped=1)
    result.stdout.fnmatch_lines(
        ["*INVALID, expected VERIFIED*", "*control same_centre (spread: 0.04): did not break what it must break*"]
    )


def test_raising_measure_is_exit_code_4_without_a_traceback(pytester, claims):
    write_claim(
        pytester.path, experiment=EXPERIMENT.replace("    return {", "    raise ValueError('too cold')\n    return {")
    )

    result = claims()

    assert result.ret == 4
    result.stdout.fnmatch_lines(["*trial failed: seed 0 at arm=*experiment.py:10: ValueError: too cold"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_traceback_is_shown_when_asked_for(pytester, claims):
    write_claim(
        pytester.path, experiment=EXPERIMENT.replace("    return {", "    raise ValueError('too cold')\n    return {")
    )

    claims("--claims-traceback").stdout.fnmatch_lines(["*Traceback (most recent call last):"])


def test_bad_specification_is_exit_code_2_and_other_claims_still_run(pytester, claims, report):
    write_claim(pytester.path)
    broken = write_claim(pytester.path, "broken", replace={"strength: same_setting": "strenght: same_setting"})

    result = claims()

    assert result.ret == 2
    result.stdout.fnmatch_lines(
        [f"{broken}/claim.yaml:*: strenght: unknown key 'strenght'; did you mean 'strength'[?]"]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    assert verdicts(report()) == {("warm_exceeds_cold", "as_documented"): "VERIFIED"}
    assert [c["problem"]["kind"] for c in report()["claims"] if "problem" in c] == ["specification"]


def test_corrupt_data_is_exit_code_4_and_other_claims_still_run(pytester, claims, report):
    write_claim(pytester.path)
    on_data = write_data(pytester.path, "raise DataError('digits.gz: broken; fetch it again')")
    write_claim(pytester.path, "on_data", replace=on_data)

    result = claims()

    assert result.ret == 4
    result.stdout.fnmatch_lines(["digits.gz: broken; fetch it again"])
    result.stdout.no_fnmatch_line("*Traceback*")
    assert verdicts(report()) == {("warm_exceeds_cold", "as_documented"): "VERIFIED"}


def test_experiment_that_cannot_be_imported_is_exit_code_4(pytester, claims):
    folder = write_claim(pytester.path, experiment="import nonsense_that_is_not_there\n")

    result = claims()

    assert result.ret == 4
    result.stdout.fnmatch_lines([f"{folder}/experiment.py: cannot be imported: ModuleNotFoundError: *"])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--claims-device=gpu", "--claims-device: no device 'gpu'; give one of auto, cpu, cuda"),
        ("--claims-workers=-1", "--claims-workers: -1 is no number of processes*"),
        ("--claims-max-seconds=0", "--claims-max-seconds: 0 is no time to run*"),
    ],
)
def test_impossible_option_is_exit_code_2(pytester, option, message):
    write_claim(pytester.path)

    result = pytester.runpytest_subprocess(*ARGUMENTS, option)

    assert result.ret == 2
    result.stderr.fnmatch_lines([f"*{message}"])


def test_unknown_profile_is_exit_code_2(pytester, claims):
    write_claim(pytester.path)

    result = claims("--claims-profile=quik")

    assert result.ret == 2
    result.stdout.fnmatch_lines(["*claim.yaml: no profile 'quik'; did you mean 'quick'[?]"])


def test_store_that_cannot_be_used_is_exit_code_2(pytester, claims):
    write_claim(pytester.path)
    (pytester.path / "store").write_text("no database" * 100)

    result = claims("--claims-store=store")

    assert result.ret == 2
    result.stdout.fnmatch_lines(["*cannot be used as a store*"])


@pytest.mark.parametrize(("options", "code"), [(["--collect-only"], 0), (["-k", "instrument"], 2)])
def test_store_that_cannot_be_used_ends_no_session_with_a_traceback(pytester, claims, options, code):
    folder = write_claim(pytester.path)
    with (folder / "test_claim.py").open("a") as file:
        file.write("\n\ndef test_instrument():\n    assert True\n")
    (pytester.path / "store").write_text("no database" * 100)

    result = claims("--claims-store=store", *options)

    assert result.ret == code
    result.stdout.no_fnmatch_line("*Traceback*")
    if code:
        result.stdout.fnmatch_lines(["claims: no report was written: *store: cannot be used as a store*"])


def test_smoke_profile_skips_instead_of_passing(pytester, claims, report):
    write_claim(pytester.path)

    result = claims("--claims-profile=smoke")

    assert result.ret == 0
    result.assert_outcomes(skipped=3)
    assert set(verdicts(report()).values()) == {"NOT_RUN"}


def test_smoke_profile_fails_where_a_trial_fails(pytester, claims):
    write_claim(pytester.path, experiment=EXPERIMENT.replace("    return {", "    raise ValueError\n    return {"))

    assert claims("--claims-profile=smoke").ret == 4


def test_second_run_says_how_much_it_reused(pytester, claims):
    write_claim(pytester.path)
    claims()

    claims().stdout.fnmatch_lines(["1 of 1 readings as expected; reused 24 of 24 trials"])


def test_base_seed_is_an_option(pytester, claims, report):
    write_claim(pytester.path)
    claims()
    first = report()["claims"][0]["readings"]["as_documented"]["expectations"]["warm_exceeds_cold"]["values"]

    claims("--claims-base-seed=7")

    assert report()["options"]["base_seed"] == 7
    assert report()["options"]["sources"]["base_seed"] == "command line"
    assert report()["claims"][0]["readings"]["as_documented"]["expectations"]["warm_exceeds_cold"]["values"] != first


@pytest.mark.parametrize("extra", [[], ["-n", "2"]])
def test_the_base_seed_of_today_is_the_date_and_joins_earlier_nights(pytester, claims, report, extra):
    write_claim(pytester.path, gap=0.56)
    claims("--claims-base-seed", "5")
    before = today()

    if extra:
        result = pytester.runpytest_subprocess(*ARGUMENTS, "--claims-base-seed=today", *extra)
    else:
        result = claims("--claims-base-seed=today")

    found = report()
    # Midnight may lie between.
    assert found["options"]["base_seed"] in {base_seed_of(before), base_seed_of(today())}
    assert found["options"]["accumulate"] is True
    assert found["options"]["sources"]["base_seed"] == "command line (today)"
    (record,) = found["claims"]
    assert record["series"]["replications"] == 2
    assert record["readings"]["as_documented"]["expectations"]["warm_exceeds_cold"]["earlier"] == 12
    result.stdout.fnmatch_lines(["warm_exceeds_cold (same_setting); 2 replications since *"])


def test_accumulating_is_an_option_of_any_base_seed(pytester, claims, report):
    write_claim(pytester.path, gap=0.56)
    claims("--claims-base-seed", "5")

    claims("--claims-base-seed", "6", "--claims-accumulate")

    assert report()["claims"][0]["series"]["replications"] == 2


def test_a_base_seed_that_is_no_number_is_exit_code_4_of_usage(pytester, claims):
    result = claims("--claims-base-seed=tomorrow")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--claims-base-seed*tomorrow*"])


def test_time_limit_leaves_claims_not_run(pytester, claims, report):
    write_claim(pytester.path)

    result = claims("--claims-max-seconds=1e-9")

    assert result.ret == 3
    assert set(verdicts(report()).values()) == {"NOT_RUN"}


COSTS = {"a_dear_one": 1000.0, "b_cheap_one": 0.02, "c_cheaper_one": 0.01}


@pytest.fixture
def known_costs(pytester, claims):
    """Three claims of which each trial took so many seconds, under another base seed."""
    for name in COSTS:
        write_claim(pytester.path, name)
    claims("--claims-base-seed=3")
    with closing(sqlite3.connect(pytester.path / ".claims/store.sqlite3")) as database, database:
        for name, seconds in COSTS.items():
            database.execute("UPDATE trial SET seconds = ? WHERE claim = ?", (seconds, name))


@pytest.mark.parametrize("processes", ["0", "2"])
def test_limited_time_is_spent_where_it_decides_most_claims(pytester, known_costs, report, processes):
    result = pytester.runpytest_subprocess(
        *ARGUMENTS, "--claims-workers=1", "--claims-base-seed=7", "--claims-max-seconds=300", "-n", processes
    )

    assert result.ret == 3
    assert {name: verdict for (name, _), verdict in verdicts(report()).items()} == {
        "a_dear_one": "NOT_RUN",
        "b_cheap_one": "VERIFIED",
        "c_cheaper_one": "VERIFIED",
    }
    left = {claim["id"]: claim["left"] for claim in report()["claims"]}
    assert left["b_cheap_one"] is left["c_cheaper_one"] is None
    # At least 18 trials of 1000 seconds, and not twice as many.
    assert 18_000 <= left["a_dear_one"]["seconds"] < 36_000
    assert report()["claims"][0]["trials"] == {"reused": 0, "measured": 0, "failed": 0}
    result.stdout.fnmatch_lines(["left for lack of time: a_dear_one (about ????? s)"])
    assert "left for lack of time: a\\_dear\\_one (about " in (pytester.path / "reports/latest/report.md").read_text()
    order = [claim for claim, _ in sorted(_finished_at(pytester.path).items(), key=lambda item: item[1])]
    assert order[:2] == ["c_cheaper_one", "b_cheap_one"] or processes == "2"


def _finished_at(project):
    """Return when the records of the last run were stored."""
    with closing(sqlite3.connect(project / ".claims/store.sqlite3")) as database:
        return dict(database.execute("SELECT claim, MAX(finished) FROM record GROUP BY claim"))


def test_limited_time_makes_some_progress_with_a_claim_that_is_too_dear(pytester, known_costs, claims, report):
    """What is done costs nothing; the dear claim is then the first, and its first batch begins."""
    claims("--claims-base-seed=7", "--claims-max-seconds=300")

    assert claims("--claims-base-seed=7", "--claims-max-seconds=300").ret == 3
    assert report()["claims"][0]["trials"]["measured"] == 12
    assert report()["claims"][1]["trials"]["measured"] == 0


def test_limited_time_with_nothing_known_keeps_the_order(pytester, claims):
    for name in ("c_one", "a_one", "b_one"):
        write_claim(pytester.path, name)

    result = claims("--claims-max-seconds=300", "-v")

    assert result.ret == 0
    result.stdout.fnmatch_lines(["*a_one*test_reading*", "*b_one*test_reading*", "*c_one*test_reading*"])


def test_unlimited_time_keeps_the_order(pytester, known_costs, claims):
    result = claims("-v")

    result.stdout.fnmatch_lines(["*a_dear*test_reading*", "*b_cheap*test_reading*", "*c_cheaper*test_reading*"])


def test_limited_time_runs_other_tests_first(pytester, known_costs, claims):
    (pytester.path / "claims/notes/test_other.py").write_text("def test_other(): pass\n")

    result = claims("-v", "--claims-base-seed=7", "--claims-max-seconds=300")

    result.stdout.fnmatch_lines(["*test_other*", "*c_cheaper*", "*b_cheap*", "*a_dear*"])


def test_limited_time_collects_without_loading_experiments(pytester):
    write_claim(pytester.path, experiment="raise SystemExit(9)\n")

    assert pytester.runpytest_subprocess(*ARGUMENTS, "--collect-only", "--claims-max-seconds=300").ret == 0


def test_junit_has_a_case_and_properties_per_reading(pytester, claims):
    write_claim(pytester.path, gap=-1.0)
    claims("--junitxml=own.xml")

    ours = ET.parse(pytester.path / "reports/latest/junit.xml").getroot()
    case = ours.find("testcase[@name='as_documented']")
    assert case.find("properties/property[@name='claim.verdict']").get("value") == "REFUTED"
    assert "REFUTED, expected VERIFIED" in case.find("failure").get("message")
    theirs = ET.parse(pytester.path / "own.xml").getroot()
    assert theirs.find(".//property[@name='claim.verdict']").get("value") == "REFUTED"


def test_a_file_that_cannot_be_collected_is_a_failure_under_xdist_too(pytester):
    write_claim(pytester.path)
    (pytester.path / "claims" / "test_broken.py").write_text("import nothing_of_this_name")
    result = pytester.runpytest_subprocess(*ARGUMENTS, "-n", "1")

    assert result.ret not in (0, 3)
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
    result.stderr.no_fnmatch_line("*AttributeError*")


def test_works_under_xdist_and_measures_each_trial_once(pytester, report):
    for index in range(3):
        write_claim(pytester.path, f"claim_{index}", gap=1.0 - 2 * (index == 2))

    result = pytester.runpytest_subprocess(*ARGUMENTS, "-n", "2")

    assert result.ret == 1
    result.assert_outcomes(passed=5, failed=1, skipped=3)
    result.stdout.fnmatch_lines(["2 of 3 readings as expected; *"])
    assert verdicts(report())["claim_2", "as_documented"] == "REFUTED"
    assert [c["trials"]["measured"] for c in report()["claims"]] == [18, 18, 18]


def test_other_failing_tests_keep_pytests_own_exit_code(pytester, claims):
    folder = write_claim(pytester.path, gap=0.5)
    with (folder / "test_claim.py").open("a") as file:
        file.write("\ndef test_instrument(claim):\n    assert claim.experiment is None\n")

    assert claims().ret == 1


def test_sessions_without_claims_leave_no_trace(pytester):
    pytester.makepyfile("def test_nothing(): pass")

    assert pytester.runpytest_inprocess("-p", "no:cacheprovider").ret == 0
    assert not (pytester.path / ".claims").exists()
    assert not (pytester.path / "reports").exists()


def test_benchmarks_say_what_they_timed(pytester):
    write_claim(pytester.path)

    result = pytester.runpytest_subprocess(
        "claims", "--import-mode=importlib", "--benchmark-only", "--benchmark-json=b.json", "-p", "no:cacheprovider"
    )

    assert result.ret == 0
    (timed,) = json.loads((pytester.path / "b.json").read_text())["benchmarks"]
    assert timed["extra_info"]["claim"] == "warm_exceeds_cold"
    assert timed["extra_info"]["arm"] == "warm"
    assert timed["extra_info"]["device"] == "cpu"
    assert timed["stats"]["rounds"] == 3


SLOW = EXPERIMENT.replace("    return {", "    import time\n    time.sleep(0.15 * len(seeds))\n    return {")


def test_killed_run_is_resumed_by_the_same_command(pytester, report):
    """Kill -9 in the middle; what was finished is reused, and the verdict is the same."""
    write_claim(pytester.path, experiment=SLOW, replace={"unit: degree": "unit: second"})
    command = [sys.executable, "-m", "pytest", *ARGUMENTS, "-q", "--claims-workers=1"]
    first = subprocess.Popen(command, cwd=pytester.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _wait_until(lambda: _count(pytester.path, "trial") >= 4)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    kept = _count(pytester.path, "trial")
    assert 4 <= kept < 18

    again = subprocess.run(command, cwd=pytester.path, capture_output=True, text=True, check=False)

    assert again.returncode == 0, again.stdout
    trials = report()["claims"][0]["trials"]
    assert trials["reused"] == kept + 6  # the control shares one arm with the claim
    assert trials["measured"] == 18 - kept
    assert verdicts(report()) == {("warm_exceeds_cold", "as_documented"): "VERIFIED"}


@pytest.fixture
def interrupted(pytester):
    """Start a run of a quick and a slow claim, and interrupt it while calls of the slow one run; return it once it says so.

    A call of the slow claim notes that it has begun, and then waits in the way given.
    """
    runs = []

    def start(workers, waiting):
        begun = f"__import__('pathlib').Path({str(pytester.path)!r}, f'begun by {{arm}}').touch()"
        experiment = EXPERIMENT.replace("    return {", f"    {begun}\n    {waiting}\n    return {{")
        write_claim(pytester.path, experiment=experiment)
        write_claim(pytester.path, "a_quick_one")
        command = [sys.executable, "-m", "pytest", *ARGUMENTS, f"--claims-workers={workers}"]
        # A shell that starts the tests in the background has them ignore SIGINT, and their children would inherit that.
        heeding = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
        run = subprocess.Popen(command, cwd=pytester.path, stdout=subprocess.PIPE, text=True, preexec_fn=heeding)  # noqa: PLW1509
        runs.append(run)
        _wait_until(lambda: list(pytester.path.glob("begun by *")))
        run.send_signal(signal.SIGINT)
        # While the call still runs: a word that comes with the report comes too late.
        with _killed_after(120, run):
            assert f"{STOPPING}\n" in run.stdout, "it ended without a word"
        assert _count(pytester.path, "record WHERE claim = 'a_quick_one'") == 1
        return run

    yield start
    for run in runs:
        run.kill()
        run.communicate()


@contextmanager
def _killed_after(seconds, process):
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_one_interrupt_ends_the_run_after_what_is_being_measured(pytester, workers, report, interrupted):
    go = pytester.path / "go"
    run = interrupted(workers, f"while not __import__('os').path.exists({str(go)!r}): __import__('time').sleep(0.01)")
    go.touch()
    output, _ = run.communicate(timeout=120)

    assert run.returncode == 2
    assert "claims: interrupted; what was finished is kept in" in output
    slow = next(claim for claim in report()["claims"] if claim["id"] == "warm_exceeds_cold")
    assert {reading["verdict"] for reading in slow["readings"].values()} == {"NOT_RUN"}
    finished = _count(pytester.path, "trial WHERE claim = 'warm_exceeds_cold'")
    assert 0 < finished < 18, "the calls that ran were finished, and no others begun"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_two_interrupts_end_the_run_at_once(pytester, workers, interrupted):
    run = interrupted(workers, "__import__('time').sleep(3600)")
    run.send_signal(signal.SIGINT)
    output, _ = run.communicate(timeout=120)

    assert run.returncode == 2
    assert "claims: interrupted; what was finished is kept in" in output
    assert "a_quick_one (same_setting)" in output
    assert _count(pytester.path, "trial WHERE claim = 'warm_exceeds_cold'") == 0


def _wait_until(condition, seconds=120):
    """Wait for what a run in another process leaves in the store; a loaded machine may take long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.02)


def _count(root, rows):
    path = root / ".claims/store.sqlite3"
    if not path.exists():
        return 0
    store = Store(path)
    count = store._database.execute(f"SELECT COUNT(*) FROM {rows}").fetchone()[0]
    store.close()
    return count


def test_what_a_benchmark_measured_stands_in_later_reports(pytester, claims, report):
    write_claim(pytester.path)
    claims()
    assert report()["claims"][0]["timings"] == []

    assert pytester.runpytest("claims", "--import-mode=importlib", "--benchmark-only").ret == 0
    claims()

    (timing,) = report()["claims"][0]["timings"]
    assert (timing["what"], timing["arm"], timing["rounds"]) == ("training", "warm", 3)
    assert timing["median"] > 0
    assert "training of warm" in (pytester.path / "reports/latest/claims/warm_exceeds_cold.html").read_text()
