"""Whole runs of claims about results that lie there, and every mistake in them named in a line."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t, ttest_ind, ttest_rel

from harness.errors import SpecError
from harness.judging import student
from harness.report.view import details
from harness.running.proof.declared import declared
from harness.running.variant import main_variant
from harness.trials import plan, result_files
from harness.trials.catalogue import load_all, load_claim
from harness.trials.handshake import refusal_of
from harness.trials.options import Options
from harness.trials.result_files import read_rows
from tests.outside import PROJECT
from tests.results_claim import COUNTS, convergence_counts, seeds_of_two_systems, table, write

SOME = {seed: 0.1 + 0.01 * (seed % 3) for seed in range(6)}
MORE = {seed: 0.2 + 0.01 * (seed % 4) for seed in range(6)}


def found(record):
    (one,) = record.readings["as_documented"].expectations.values()
    return one


# ---- the two public kinds of data ------------------------------------------------------------------------------------


def test_seeds_of_two_systems_of_which_three_are_missing(tmp_path, run):
    missing = [("ours", 3), ("theirs", 7), ("ours", 10)]
    record = run(write(tmp_path, seeds_of_two_systems(missing)))

    one = found(record)
    assert (record.readings["as_documented"].verdict, one.n) == ("VERIFIED", 9)
    rows = read_rows("runs.csv", tmp_path)
    values = {
        name: {int(row.values["seed"]): row.values["error"] for row in rows.where({"system": name})}
        for name in ("ours", "theirs")
    }
    pairs = [values["theirs"][seed] - values["ours"][seed] for seed in range(12) if seed not in (3, 7, 10)]
    assert list(one.values.values()) == pytest.approx(pairs), "pairs are formed by the seed, and never shifted"
    expected = student.interval(pairs, 0.001)
    assert (one.low, one.high) == pytest.approx((expected.low, expected.high))
    assert record.data[0].source == (
        "1 file; 9 of 12 values of seed have a row everywhere; left out: 3 (no system=ours), 7 (no system=theirs), "
        "10 (no system=ours)"
    )
    assert record.controls["permuted_labels"].behaves
    assert dict(details(record))["results"] == "runs.csv, pairing: seed"


def test_convergence_counts_of_a_reference_and_a_submission(tmp_path, run):
    convergence_counts(tmp_path / "runs")
    record = run(write(tmp_path, replace=COUNTS))

    one = found(record)
    assert (record.readings["as_documented"].verdict, one.n, one.sequence.kind) == ("VERIFIED", 6, "groups")
    assert record.trials.measured == 20 + 6 + 6
    rows = read_rows("runs/{system}_run{run}.json", tmp_path)
    logs = [
        np.log([row.values["eval"]["epochs"] for row in rows.where({"system": name})])
        for name in ("submission", "reference")
    ]
    middle = logs[0].mean() - logs[1].mean()
    reach = t.isf(0.0005, 5) * math.sqrt(logs[0].var(ddof=1) / 6 + logs[1].var(ddof=1) / 20)
    assert (math.log(one.low), math.log(one.high)) == pytest.approx((middle - reach, middle + reach))
    assert record.controls["permuted_labels"].behaves
    assert record.data[0].source == "26 files; rows of system=submission: 6; system=reference: 20"


# ---- evidence that counts once ---------------------------------------------------------------------------------------


def test_a_row_counts_once_whatever_the_base_seed_and_a_changed_table_is_read_again(tmp_path, run):
    folder = write(tmp_path)
    assert run(folder).trials.measured == 48
    other = run(folder, base_seed=7, accumulate=True, run_id="another")
    assert (other.trials.measured, found(other).n) == (0, 12)

    (tmp_path / "runs.csv").write_text(seeds_of_two_systems(n=13))
    record = run(folder, run_id="third")
    assert (record.trials.measured, found(record).n) == (52, 13)
    assert record.measured_again == ["runs.csv changed since these trials were measured: 52 trials are measured again"]


def test_every_other_pair_is_left_as_it_is_where_labels_are_permuted(tmp_path, run):
    record = run(write(tmp_path))
    (shuffled,) = record.controls["permuted_labels"].expectations.values()
    true = dict(found(record).values.items())
    signs = [shuffled.values[seed] / true[seed] for seed in true]
    assert sorted(np.round(signs)) == [-1.0] * 6 + [1.0] * 6
    assert shuffled.verdict == "INCONCLUSIVE"


def test_labels_of_groups_are_permuted_over_all_their_rows(tmp_path, run):
    record = run(write(tmp_path, table(SOME, {**MORE, 6: 0.25}), {"arm: system}": "arm: system, pairing: none}"}))
    (shuffled,) = record.controls["permuted_labels"].expectations.values()
    assert shuffled.n == 6
    assert abs(shuffled.estimate) < found(record).estimate / 2


def test_a_shifted_copy_is_a_control_too(tmp_path, run):
    record = run(write(tmp_path, replace={"change: {shuffle: true}": "change: {shift: 0.2}\n    arms: [ours]"}))
    (moved,) = record.controls["permuted_labels"].expectations.values()
    assert moved.estimate == pytest.approx(found(record).estimate - 0.2)
    assert (moved.verdict, record.controls["permuted_labels"].behaves) == ("REFUTED", True)


# ---- what columns can be ---------------------------------------------------------------------------------------------

ARMS = "  ours: {}\n  theirs: {}\n"


@pytest.mark.parametrize(
    ("name", "content", "replace"),
    [
        ("runs.tsv", table(SOME, MORE).replace(",", "\t"), {}),
        ("runs.csv", table(SOME, MORE).replace("ours,", "Ours v2,"), {ARMS: "  ours: {system: Ours v2}\n  theirs: {}\n"}),
        ("runs.csv", "seed,a,b\n" + "".join(f"{s},{SOME[s]},{MORE[s]}\n" for s in SOME), {ARMS: "  ours: {column: a}\n  theirs: {column: b}\n", "arm: system}": 'metrics: {error: "{column}"}}'}),
        ("runs.csv", "seed,ours,theirs\n" + "".join(f"{s},{SOME[s]},{MORE[s]}\n" for s in SOME), {"arm: system}": 'metrics: {error: "{arm}"}}'}),
        ("runs.json", str([{"system": n, "seed": s, "error": o[s]} for n, o in (("ours", SOME), ("theirs", MORE)) for s in o]).replace("'", '"'), {}),
        ("runs.jsonl", "\n".join(f'{{"system": "{n}", "seed": {s}, "error": {o[s]}}}' for n, o in (("ours", SOME), ("theirs", MORE)) for s in o), {}),
        ("runs.csv", table(SOME, MORE, "model,run,error"), {"arm: system}": "arm: model, pairing: run}"}),
        ("runs.csv", table(SOME, MORE).replace("\n", ",test\n").replace("error,test", "error,split") + table(MORE, SOME).split("\n", 1)[1].replace("\n", ",train\n"), {"arms:\n": "settings: {split: test}\narms:\n"}),
    ],
)  # fmt: skip
def test_rows_are_found_by_whatever_tells_them_apart(tmp_path, run, name, content, replace):
    folder = write(tmp_path, "", {"runs.csv": name, **replace})
    (tmp_path / name).write_text(content)
    one = found(run(folder))
    assert list(one.values.values()) == pytest.approx([MORE[seed] - SOME[seed] for seed in SOME])


def test_fields_of_a_files_name_are_columns_and_keys_are_sorted_as_numbers(tmp_path, run):
    folder = write(tmp_path, replace={"files: runs.csv, arm: system": 'files: "out/*/{arm}_small_s{seed}.json"'})
    for seed, value in {10: 0.1, 9: 0.2, 2: 0.3, 30: 0.4, 4: 0.15}.items():
        (tmp_path / "out" / f"job {seed}").mkdir(parents=True)
        for arm, more in (("ours", 0.0), ("theirs", 0.1 + value / 10)):
            (tmp_path / "out" / f"job {seed}" / f"{arm}_small_s{seed}.json").write_text(f'{{"error": {value + more}}}')
    one = found(run(folder))
    assert list(one.values.values()) == pytest.approx([0.13, 0.115, 0.12, 0.11, 0.14])


def test_a_condition_is_a_column(tmp_path, run):
    replace = {"metrics:\n": "conditions: {width: [1, 2]}\nmetrics:\n", "{arm: theirs}, minus: {arm: ours}": "{arm: theirs, width: 2}, minus: {arm: ours, width: 2}"}  # fmt: skip
    rows = [f"{n},{s},{o[s] + w / 100},{w}\n" for w in (1, 2) for n, o in (("ours", SOME), ("theirs", MORE)) for s in o]
    record = run(write(tmp_path, "system,seed,error,width\n" + "".join(rows), replace))
    assert list(found(record).values.values()) == pytest.approx([MORE[seed] - SOME[seed] for seed in SOME])
    assert record.trials.measured == 24


# ---- bad input -------------------------------------------------------------------------------------------------------

GROUPS = {"arm: system}": "arm: system, pairing: none}"}


@pytest.mark.parametrize(
    ("content", "replace", "message"),
    [
        (None, {"files: runs.csv": "files: run.csv"}, "claim.yaml:7:11: results.files: 'run.csv' names no file below"),
        (None, {"files: runs.csv": "files: runs.txt"}, "results.files: should be a file, or a glob with fields such as"),
        (None, {"files: runs.csv": 'files: "{a}/{a}.csv"'}, "results.files: should be a file, or a glob with fields such as"),
        ("", {}, "results: no column 'seed' in runs.csv"),
        (table(SOME, MORE), {"system}": "sistem}"}, "results: no column 'sistem' in runs.csv, whose rows it is to tell apart; did you mean 'system'?"),
        (table(SOME, MORE), {"system}": "system, pairing: sed}"}, "results: no column 'sed' in runs.csv"),
        (table(SOME, MORE, "system,seed,err"), {}, "runs.csv:2:1: has no 'error', but 'system, seed, err'; name one under `metrics`"),
        (table(SOME, MORE) + "ours,3,0.2\n", {}, "runs.csv:14:1: seed: 3 stands in runs.csv:5:1 already, for system=ours; give one row"),
        (table(SOME, {}), {}, "claim.yaml:10:3: arms.theirs: no row of runs.csv has system=theirs; system: known here: ours"),
        (table(SOME, {**MORE, 3: "n/a"}), {}, "runs.csv:11:1: has error 'n/a', which is no number; write a number there"),
        (table(SOME, {**MORE, 3: "nan"}), {}, "runs.csv:11:1: has error nan, which is no finite number"),
        (table(SOME, {**MORE, 3: "21 %"}), {}, "runs.csv:11:1: has error '21 %', which is no number"),
        (table(SOME, {**MORE, 3: 21}), {}, "runs.csv:11:1: error: is 21, beyond its bounds [0.0, 1.0]; give all rows one unit, or the metric its bounds"),
        (table(SOME, MORE) + "ours,,0.2\n", {}, "runs.csv:14:1: seed: is empty; say which pair the row belongs to, or take it out"),
        (table(SOME, MORE) + "ours,9,0.2,0.3\n", {}, "runs.csv:14:1: has more cells than the first line has names"),
        (table(SOME, {seed + 6: 0.2 for seed in range(6)}), {}, "profiles.smoke.seeds: asks for 2 seeds, and there are 0: 1 file; 0 of 12 values of seed have a row everywhere; left out: 0 (no system=theirs)"),
        (table(SOME, {0: 0.2, 1: 0.3, 2: 0.4}), {}, "profiles.quick.seeds: cap 3 can never decide at alpha 0.001; at least 5 seeds are needed"),
        (table(SOME, MORE), {"seeds: all": "seeds: 7"}, "profiles.quick.seeds: asks for 7 seeds, and there are 6: 1 file; 6 of 6 values of seed"),
        (None, {"results: {files: runs.csv, arm: system}": "command: [python, x.py, '{seed}']"}, "profiles.quick.seeds: 'all' is of `results:`; give a number"),
        (None, {"results:": "command: [python, x.py, '{seed}']\nresults:"}, "results: stands beside command; remove one"),
        (None, {"results:": "evidence: drawn\nresults:"}, "evidence: is of what is drawn, and results lie there already"),
        (None, {"system}": "system, metrics: {eror: e}}"}, "results.metrics.eror: no metric 'eror'; did you mean 'error'?"),
        (None, {"system}": 'system, metrics: {error: "{col}"}}'}, "results.metrics.error: {col} has no value for arm 'theirs'; give it there"),
        (None, {"breaks:": "arms: [ours]\n    breaks:"}, "controls.permuted_labels.arms: are all where labels are permuted; leave them out"),
        (None, {"arms:\n": "settings: {results: 1}\narms:\n"}, "settings.results: the name 'results' is taken"),
        (None, {"metrics:\n": "conditions: {width: {values: [1], together: true}}\nmetrics:\n"}, "conditions.width.together: is for measure()"),
        (table(SOME, MORE), {**GROUPS, "arm: ours}}": "arm: ours}, over_seeds: median}"}, "contrast.difference: is of pairs; of groups (`pairing: none`) ask for the difference or ratio of two means"),
        (table(SOME, MORE), {**GROUPS, "unit: fraction, better: lower, bounds: [0, 1]": "unit: 0 or 1, better: lower"}, "contrast.difference: is of pairs; of groups"),
        (table(SOME, MORE), {**GROUPS, "{arm: theirs}": "{arm: [ours, theirs], take: max}"}, "contrast.difference: reduces rows that belong together"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_in_a_line_with_file_line_and_remedy(tmp_path, content, replace, message):
    write(tmp_path, content, replace)
    loaded, problems = load_all(tmp_path / "claims")

    assert loaded == []
    assert any(message in problem for problem in problems), problems
    assert all("\n" not in problem for problem in problems)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("runs.json", '{"system": ', "results.files: runs.json: is no JSON (Expecting value"),
        ("runs.json", "[1]", "results.files: runs.json:1:1: [0]: is no object; write one for each row"),
        ("runs.jsonl", '{"seed": 1}\n7\n', "results.files: runs.jsonl:2:1: is no object"),
        ("runs.csv", b"\xff\xfe", "results.files: runs.csv: is no CSV"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_told_in_a_line(tmp_path, name, content, message):
    folder = write(tmp_path, replace={"runs.csv": name})
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SpecError) as caught:
        load_claim(folder)
    assert message in str(caught.value)


def test_a_file_that_grows_while_it_is_read_is_not_read_in_part(tmp_path, monkeypatch):
    folder = write(tmp_path)
    path, before = tmp_path / "runs.csv", result_files._signature

    def growing(file):
        signature = before(file)
        with path.open("a") as more:
            more.write("ours,99,0.2\n")
        return signature

    monkeypatch.setattr(result_files, "_signature", growing)
    with pytest.raises(SpecError, match=r"runs\.csv: changed while it was read; wait until whatever writes it is done"):
        load_claim(folder)


def test_a_table_that_changes_after_planning_fails_the_trials_and_is_no_evidence(tmp_path, run, monkeypatch):
    before = plan.planned

    def planned(*arguments):
        done = before(*arguments)
        (tmp_path / "runs.csv").write_text(table(SOME, MORE))
        return done

    monkeypatch.setattr(plan, "planned", planned)
    record = run(write(tmp_path))
    assert "results: runs.csv changed since the run was planned; run again" in record.errors[0]
    assert record.readings["as_documented"].verdict == "INVALID"


def test_another_machine_compares_what_it_has_and_looks_at_results_itself(tmp_path):
    planned = plan.make_plan(load_claim(write(tmp_path)), Options())
    main = main_variant(planned.claim)
    (task, *_) = plan.tasks_of(planned, main.points(["errs_less"], planned.claim), range(2), main.change_of)
    assert refusal_of(task) == []
    assert task.data[-1] == ("results:", read_rows("runs.csv", tmp_path).sha256)


def test_pictures_of_results_are_drawn_as_ever(tmp_path, run):
    folder = write(tmp_path)
    (folder / "pictures.py").write_text(
        "from harness.pictures import Matrix\n\n\ndef illustrate(experiment, seed, arms):\n"
        "    return Matrix('m', 'a', 'b', ['c'], ['d'], [[len(arms)]])\n"
    )
    (picture,) = run(folder).illustrations
    assert "2" in str(picture)


def test_a_table_is_read_once_in_a_process(tmp_path):
    write(tmp_path)
    assert read_rows("runs.csv", tmp_path) is read_rows("runs.csv", tmp_path)


def test_neither_an_experiment_nor_broken_lines_of_one_are_asked_for(tmp_path):
    folder = write(tmp_path)
    checks = {check.name: check for check in declared(load_claim(folder))}
    assert (checks["sabotage.yaml"].applies, checks["settings"].failures) == (False, [])
    (folder / "experiment.py").touch()
    with pytest.raises(SpecError, match=r"results: stands beside experiment\.py; remove one"):
        load_claim(folder)


def test_what_customary_tests_of_fixed_n_would_have_said_is_in_the_docs(tmp_path, run):
    page = " ".join((PROJECT / "docs/results.md").read_text().split())
    convergence_counts(tmp_path / "a" / "runs")
    for root, content, replace, test in (
        (tmp_path / "a", None, COUNTS, ttest_ind),
        (tmp_path / "b", seeds_of_two_systems([("ours", 3), ("theirs", 7), ("ours", 10)]), {}, ttest_rel),
    ):
        root.mkdir(exist_ok=True)
        one = found(run(write(root, content, replace), run_id=root.name))
        rows = read_rows("runs/{system}_run{run}.json" if replace else "runs.csv", root)
        names = ("submission", "reference") if replace else ("theirs", "ours")
        own = [rows.where({"system": name}) for name in names]
        if replace:
            samples = [np.log([row.values["eval"]["epochs"] for row in group]) for group in own]
            ends = np.exp(ttest_ind(*samples, equal_var=False).confidence_interval(0.999))
        else:
            seeds = [seed for seed in range(12) if seed not in (3, 7, 10)]
            samples = [[{r.values["seed"]: r.values["error"] for r in group}[s] for s in seeds] for group in own]
            ends = test(*samples).confidence_interval(0.999)
        assert f"| [{one.low:.4f}, {one.high:.4f}] | [{ends[0]:.4f}, {ends[1]:.4f}] |" in page
