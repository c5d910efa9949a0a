"""What is wrong with a command is told when its claim is loaded: file, line, field, value, remedy."""

from __future__ import annotations

import time

import pytest

from harness.errors import SpecError, TrialError
from harness.trials import sabotage
from harness.trials.catalogue import COMMAND, load_all, load_claim
from harness.trials.options import Options
from harness.trials.plan import make_plan, tasks_of
from harness.trials.signature import not_found
from tests.command_claim import write

RUN = '  run: [python, -S, train.py, "{seed}", "{gain}"]\n'
METRICS = "  metrics: {level: eval.level}\n"
ARMS = "arms:\n  cold: {gain: 0.0}\n  warm: {gain: 1.0}\n"


def problems(tmp_path, replace):
    folder = write(tmp_path, replace)
    with pytest.raises(SpecError) as caught:
        load_claim(folder)
    return [line.removeprefix(f"{folder}/claim.yaml:") for line in caught.value.problems]


def test_a_claim_with_a_command_needs_no_experiment(tmp_path):
    folder = write(tmp_path)
    loaded, found = load_all(tmp_path / "claims")

    assert found == []
    assert [one.path for one in loaded] == [folder]
    assert loaded[0].experiment == COMMAND
    assert COMMAND.is_file()


def test_one_that_cannot_be_loaded_is_not_asked_for_an_experiment_either(tmp_path):
    write(tmp_path, {"title: Training gains\n": ""})

    (problem,) = load_all(tmp_path / "claims")[1]
    assert "title: is missing" in problem


def test_a_command_beside_an_experiment_is_refused(tmp_path):
    (write(tmp_path) / "experiment.py").write_text("")

    assert problems(tmp_path, {}) == [
        "7:1: command: stands beside experiment.py; remove one: a claim is measured in one way"
    ]


@pytest.mark.parametrize(
    ("replace", "expected"),
    [
        (
            {"{gain}": "{gian}"},
            [
                "8:41: command.run[4]: {gian} is no placeholder; did you mean 'gain'?",
                "12:10: arms.cold.gain: 'gain' reaches no word of the command; write {gain} there, or leave it out",
                "13:10: arms.warm.gain: 'gain' reaches no word of the command; write {gain} there, or leave it out",
                "25:14: controls.hardly_a_gain.change.gain: 'gain' reaches no word of the command; write {gain} there, or leave it out",
            ],
        ),
        (
            {"cold: {gain: 0.0}": "cold: {}"},
            ["8:41: command.run[4]: {gain} has no value for arm 'cold'; give it there, or under settings"],
        ),
        ({'"{gain}"]': '"{gain"]'}, ["8:41: command.run[4]: should be text without a single '{' after 0 characters: a placeholder is"]),
        ({'"{gain}"]': "0.5]"}, ["8:41: command.run[4]: should be text: put it in quotes, as the command is to get it, not 0.5"]),
        ({RUN: "  run: []\n"}, ["8:3: command.run: should "]),
        (
            {RUN: '  run: {cold: [a, "{seed}{gain}"], wram: [b, "{seed}{gain}"]}\n'},
            [
                "8:3: command.run: has no command for arm 'warm'; add one, or give all arms the same",
                "8:36: command.run.wram: no arm 'wram'; did you mean 'warm'?",
            ],
        ),
        ({"level: eval.level": "lvel: eval.level"}, ["9:13: command.metrics.lvel: no metric 'lvel'; did you mean 'level'?"]),
        (
            {"settings": "settings"} | {ARMS: ARMS + "settings: {seed: 1, out: 2, command: 3}\n"},
            [
                f"14:{column}: settings.{name}: the name {name!r} is taken: a command is given it by the tool; choose another"
                for column, name in ((12, "seed"), (21, "out"), (29, "command"))
            ],
        ),
        ({ARMS: ARMS + "settings: {width: 3}\n"}, ["14:12: settings.width: 'width' reaches no word of the command; write {width} there"]),
        ({'"{seed}"': '"1"'}, ["7:1: command: for arm 'cold' it is the same for every seed: give the script {seed}, from which it draws"]),
        (
            {"{seed}": "{seed_index}"},
            ["7:1: command: for arm 'cold' it counts 0, 1, 2, ... whatever the base seed: give the script {seed}, from which it draws; or say `evidence: external`"],
        ),
        ({METRICS: '  output: "{out}/a.txt"\n'}, ["9:3: command.output: should be a file below the trial's own folder, such as {out}/metrics.json"]),
        ({METRICS: '  output: "{out}/../a.csv"\n'}, ["9:3: command.output: should be a file below the trial's own folder"]),
        ({METRICS: '  output: "/tmp/a.csv"\n'}, ["9:3: command.output: should be a file below the trial's own folder"]),
        (
            {METRICS: '  output: "{out}/a.csv"\n'},
            ["9:3: command.output: is in {out}/a.csv, but arm 'cold' is not told of {out}; write {out} where its command takes it"],
        ),
        (
            {METRICS: '  output: "{out}/{gain}.csv"\n', "-S, train.py,": '-S, train.py, "{out}",'},
            ["9:3: command.output: {gain} cannot name a file; name it by {arm}, {seed}, {seed_index}, or by nothing"],
        ),
        (
            {"level: eval.level": "level: {key: eval.level, take: max}"},
            ["9:38: command.metrics.level.take: 'max' is of rows; name a file of them (.jsonl, .csv or .tsv) under `file`"],
        ),
        (
            {ARMS: ARMS + "timings: {training: [warm]}\n"},
            ["14:1: timings: are of prepare_training() and prepare_inference(), which no command has; leave them out"],
        ),
        (
            {ARMS: ARMS + "conditions: {gain: {values: [1], together: true}}\n"},
            ["14:34: conditions.gain.together: is for measure(): a command has one value at a time; leave it out"],
        ),
        ({RUN: RUN + "  shell: true\n"}, ["9:3: command.shell: unknown key 'shell'; known here: "]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(tmp_path, replace, expected):
    replace.pop("settings", None)
    found = problems(tmp_path, replace)

    assert len(found) == len(expected), found
    for line, beginning in zip(found, expected, strict=True):
        assert line.startswith(beginning)


def test_of_a_command_that_is_a_list_the_word_is_found_too(tmp_path):
    short = {"command:\n" + RUN + METRICS: 'command: [python, train.py, "{seed}", "{gian}"]\n'}

    assert problems(tmp_path, short)[0].startswith("7:39: command[3]: {gian} is no placeholder")
    assert problems(tmp_path, {"command:\n" + RUN + METRICS: "command: [python, 1]\n"}) == [
        "7:19: command[1]: should be text: put it in quotes, as the command is to get it, not 1"
    ]


@pytest.mark.parametrize(
    "replace",
    [
        {"{seed}": "{seed_index}", ARMS: ARMS + "evidence: external\n"},
        {'"{seed}"': '"1"', "contrast: {difference: level, of: {arm: warm}, minus: {arm: cold}}": "contrast: {exact: level, at: {arm: warm}}"},
        {RUN: RUN + '  environment: {SEED: "{seed}", GAIN: "{arm}"}\n'},
        {METRICS: '  output: "{out}/a.csv"\n', "-S, train.py,": '-S, train.py, "{out}",'},
        {ARMS: ARMS + "settings: {n_test: 3}\n", "better: higher": "better: higher, resolution: 1/n_test"},
        {ARMS: "arms: {cold: {}, warm: {}}\nconditions: {gain: [0.5]}\n"},
    ],
)  # fmt: skip
def test_what_is_right_is_left_alone(tmp_path, replace):
    assert load_claim(write(tmp_path, replace)).claim.command


def test_a_command_that_is_not_here_is_told_by_check_and_before_a_run(tmp_path, claims):
    folder = load_claim(write(tmp_path, {"[python,": "[pyhton,"}))
    line = f"{folder.path}/claim.yaml:8:9: command.run[0]: 'pyhton' is no command here; install it, or give the path of a file that can be run"

    assert not_found(folder) == [line]
    assert claims("check")[1].splitlines()[0] == line
    with pytest.raises(TrialError) as caught:
        make_plan(folder, Options()).import_experiment()
    assert str(caught.value) == line


def test_a_command_is_found_beside_this_python_by_a_path_and_in_its_folder(tmp_path):
    for path in ("here.sh", "sub/there.sh"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("#!/bin/sh\n")
        (tmp_path / path).chmod(0o755)

    assert not_found(load_claim(write(tmp_path))) == []
    assert not_found(load_claim(write(tmp_path, {"[python,": "[./here.sh,"}))) == []
    assert (
        not_found(load_claim(write(tmp_path, {"[python,": "[./there.sh,", METRICS: METRICS + "  folder: sub\n"}))) == []
    )
    assert len(not_found(load_claim(write(tmp_path, {"[python,": "[./there.sh,"})))) == 1
    (line,) = not_found(load_claim(write(tmp_path, {METRICS: METRICS + "  folder: nowhere\n"})))
    assert f"claim.yaml:10:3: command.folder: {tmp_path}/nowhere is no folder; give one, relative to {tmp_path}" in line


def plan_of(tmp_path, replace=None):
    return make_plan(load_claim(write(tmp_path, replace)), Options())


def keys(plan, arm="warm"):
    tasks = tasks_of(plan, [(("arm", arm),)], range(2), lambda _: {})
    assert [len(task.seeds) for task in tasks] == [1, 1]
    return [key for task in tasks for key in task.keys]


def test_the_command_is_part_of_the_key_however_briefly_it_is_written_and_no_arm_of_anothers(tmp_path):
    level = {"level: {unit": "eval: {unit", "difference: level": "difference: eval", METRICS: ""}
    brief = {"command:\n" + RUN: 'command: [python, -S, train.py, "{seed}", "{gain}"]\n'}
    per_arm = {RUN: '  run: {cold: [python, -V, "{seed}{gain}"], warm: [python, -S, train.py, "{seed}", "{gain}"]}\n'}
    long = plan_of(tmp_path, level)

    assert keys(plan_of(tmp_path, level | brief)) == keys(long)
    assert keys(plan_of(tmp_path, level | per_arm)) == keys(long)
    assert keys(plan_of(tmp_path, level | per_arm), "cold") != keys(long, "cold")
    for other in (
        {"-S, train.py,": "-S, train.py, -O,"},
        {RUN: RUN + "  environment: {A: b}\n"},
        {RUN: RUN + "  folder: ..\n"},
    ):
        assert keys(plan_of(tmp_path, level | other)) != keys(long)
    moved = {RUN: RUN + "  metrics: {eval: other}\n"}
    assert keys(plan_of(tmp_path, level | moved)) != keys(long)


def test_what_lies_in_the_claims_folder_is_part_of_the_key(tmp_path):
    before = keys(plan_of(tmp_path))
    (tmp_path / "claims/notes/training_gains/table.csv").write_text("1\n")

    assert keys(plan_of(tmp_path)) != before


def test_a_sabotage_of_a_command_is_refused(tmp_path):
    folder = write(tmp_path)
    (folder / "sabotage.yaml").write_text(
        "broken_lines: [{what: does nothing, file: test_claim.py, old: a, new: b, reading: as_documented}]\n"
    )

    (problem,) = sabotage.problems_of(folder, load_claim(folder).claim)
    assert problem.startswith(f"{folder}/sabotage.yaml:1:1: broken_lines: breaks lines of a claim's own experiment.py")


def test_a_command_with_hundreds_of_words_arms_and_settings_is_looked_through_in_no_time(tmp_path):
    words = ", ".join(f'"{{x{number}}}"' for number in range(400))
    arms = "".join(f"  arm_{number}: {{y{number}: 1}}\n" for number in range(400))
    begun = time.process_time()
    found = problems(tmp_path, {RUN: f'  run: [python, "{{seed}}", {words}]\n', ARMS: ARMS + arms})

    assert time.process_time() - begun < 1.0
    assert len(found) == 51
    assert "is no placeholder" in found[0]
