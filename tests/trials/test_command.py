"""measure() of a claim with a command: what the command is given, how it may end, and that nothing of it is left."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from harness.errors import TrialError
from harness.seeds import seeds_of
from harness.specification.command import Command
from harness.trials.catalogue import COMMAND
from harness.trials.command import LINES, WIDTH, measure
from harness.trials.executor import Processes
from harness.trials.task import Task

SEEDS = seeds_of("a_claim", 0, [0, 1, 2])

SAYS = "import json, os, sys; print(json.dumps({'m': %s}))"


def run(tmp_path, *words, seeds=SEEDS, arm="warm", log=None, seconds=None, settings=None, **command):
    own = Command(run=list(words), **command).of(arm, ("m",))
    return measure(arm, seeds, tmp_path, [] if log is None else log, seconds, command=own, **settings or {})["m"]


def python(code, *words):
    return ["python", "-S", "-E", "-c", code.replace("{", "{{").replace("}", "}}"), *words]


def test_every_seed_is_a_number_of_31_bits_the_same_for_every_arm_and_another_for_every_base_seed(tmp_path):
    command = python(SAYS % "int(sys.argv[1])", "{seed}")
    found = run(tmp_path, *command)

    assert found == [seed.entropy("command") >> 33 for seed in SEEDS]
    assert len(set(found)) == 3
    assert all(0 <= number < 2**31 for number in found)
    assert run(tmp_path, *command, arm="cold") == found
    assert run(tmp_path, *command, seeds=seeds_of("a_claim", 1, [0, 1, 2])) != found


def test_the_index_of_a_seed(tmp_path):
    assert run(tmp_path, *python(SAYS % "int(sys.argv[1])", "{seed_index}")) == [0, 1, 2]


def test_words_reach_the_command_as_they_are_and_no_shell(tmp_path):
    text = "a b'; touch {{x}} $HOME `id` *"
    given = python(
        SAYS % "float(sys.argv[1:] == [\"a b'; touch {x} $HOME `id` *\", 'warm', '0.1', '--on=true'])",
        text,
        "{arm}",
        "{rate}",
        "--on={on}",
    )

    assert run(tmp_path, *given, settings={"rate": 0.1, "on": True}) == [1.0] * 3
    assert list(tmp_path.iterdir()) == []


def test_every_trial_has_an_empty_folder_that_is_gone_afterwards(tmp_path):
    code = "import os, sys; out = sys.argv[1]; print(os.listdir(out)); open(out + '/m.json', 'w').write('{\"m\": %d}' % len(os.listdir(out)))"
    log = []

    assert run(tmp_path, *python(code, "{out}"), output="{out}/m.json", log=log) == [1.0] * 3
    assert log == ["stdout: []"] * 3

    places = []
    run(tmp_path, *python("import sys; print(sys.argv[1]); print('{\"m\": 1}')", "{out}"), log=places)
    assert len({line for line in places if "claims-" in line}) == 3
    assert not any(Path(line.removeprefix("stdout: ")).exists() for line in places)


def test_a_file_of_one_arm_or_seed_by_its_name(tmp_path):
    code = "import sys; open(sys.argv[1] + '/' + sys.argv[2] + '.json', 'w').write('{\"m\": 3}')"

    assert run(tmp_path, *python(code, "{out}", "{arm}"), output="{out}/{arm}.json") == [3.0] * 3


def test_folder_and_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("MINE", "kept")
    (tmp_path / "sub").mkdir()
    code = (
        SAYS
        % "float([os.getcwd(), os.environ['MINE'], os.environ['S'], sys.stdin.read()] == [sys.argv[1], 'kept', sys.argv[2], ''])"
    )
    found = run(tmp_path, *python(code, str(tmp_path / "sub"), "{seed}"), folder="sub", environment={"S": "{seed}"})

    assert found == [1.0] * 3


def test_python_is_the_one_that_runs_the_claims(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")

    assert run(tmp_path, *python(SAYS % f"float(sys.executable == {sys.executable!r})")) == [1.0] * 3


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; print('so far'); [print(i, file=sys.stderr) for i in range(9)]; sys.exit(3)", "exited with code 3; the command's stderr ends: 4 / 5 / 6 / 7 / 8"),
        ("import sys; print('so far'); sys.exit(1)", "exited with code 1; the command's output ends: so far"),
        ("import sys; sys.exit(1)", "exited with code 1; the command said nothing"),
        ("import os; os.kill(os.getpid(), 9)", "was ended by SIGKILL (out of memory, or killed?); the command said nothing"),
        ("raise RuntimeError('diverged')", "exited with code 1; the command's stderr ends: Traceback (most recent call last): / File \"<string>\", line 1, in <module> / RuntimeError: diverged"),
    ],
)  # fmt: skip
def test_one_that_fails_is_told_with_how_it_ended_and_what_it_said_last(tmp_path, code, words):
    with pytest.raises(TrialError) as caught:
        run(tmp_path, *python(code), "{seed}")

    assert str(caught.value).startswith("command: `python -S -E -c ")
    assert str(caught.value).endswith(f" {SEEDS[0].entropy('command') >> 33}` {words}")


def test_one_that_leaves_no_number_is_told_with_its_metric_and_what_it_said(tmp_path):
    with pytest.raises(TrialError) as caught:
        run(tmp_path, *python("import sys; print('0.5'); print('careful', file=sys.stderr)"))

    assert str(caught.value).startswith("metrics.m: the last line of standard output is no JSON object, but '0.5'; let")
    assert str(caught.value).endswith("` exited with code 0; the command's stderr ends: careful")


def test_one_that_cannot_be_started(tmp_path):
    with pytest.raises(TrialError, match=r"command: `no-such-command 1` cannot be started: .*No such file"):
        run(tmp_path, "no-such-command", "1")


@pytest.fixture
def worker():
    with closing(Processes(1)) as executor:
        yield executor


def outcome(worker, tmp_path, *words, seconds=None, device="cpu"):
    settings = {"command": Command(run=list(words)).of("warm", ("m",)), "device": device}
    task = Task(COMMAND, tmp_path, "warm", {}, SEEDS[:1], settings, ("m",), seconds=seconds)
    assert task.limited, "its process must end with the run, however that ends"
    ((_, (found,)),) = worker.run([[task]])
    return found


def alive(line):
    """Whether the process whose id a line ends with still runs."""
    stat = Path(f"/proc/{line.split()[-1]}/stat")
    return stat.is_file() and stat.read_text().rpartition(")")[2].split()[0] not in "ZX"


def test_one_that_takes_longer_than_it_may_is_ended_with_what_it_has_started_and_tells_what_it_said(tmp_path, worker):
    begun = time.monotonic()
    found = outcome(worker, tmp_path, "sh", "-c", 'sleep 60 & echo epoch 1; echo "$!"; sleep 60', seconds=0.5)

    assert time.monotonic() - begun < 30
    assert (
        "` took longer than its limit (limits: seconds), and was ended; the command's output ends: epoch 1 / "
        in found.error
    )
    assert found.trace.splitlines() == list(found.log)
    assert found.log[0] == "stdout: epoch 1"
    assert not alive(found.log[1])


def test_what_it_leaves_running_ends_with_the_trial(tmp_path, worker):
    left = 'sleep 60 & echo "$!"; setsid sleep 60 & echo "$!"; '
    found = outcome(worker, tmp_path, "sh", "-c", left + "echo '{{\"m\": 1}}'")

    assert found.error is None
    assert found.metrics == {"m": 1.0}
    assert found.peak_bytes is None, "what the command holds is not what its worker holds"
    assert not [line for line in found.log[:2] if alive(line)]


def test_it_sees_the_gpu_of_its_worker(tmp_path):
    """Workers share out the GPUs, as CUDA_VISIBLE_DEVICES names them."""
    with closing(Processes(1, ["5"])) as worker:
        found = outcome(worker, tmp_path, *python(SAYS % "int(os.environ['CUDA_VISIBLE_DEVICES'])"), device="cuda")

    assert found.metrics == {"m": 5.0}


def test_however_much_it_prints_the_log_is_short_and_the_last_line_is_read(tmp_path):
    code = "import sys; [print('x' * 999) for _ in range(9999)]; print('\\033[31mred', file=sys.stderr); print('{\"m\": 7}')"
    log = []
    found = run(tmp_path, *python(code), seeds=SEEDS[:1], log=log)

    assert found == [7.0]
    assert len(log) == LINES + 1
    assert max(map(len, log)) == WIDTH + len("stdout: ")
    assert log[-2:] == ['stdout: {"m": 7}', "stderr: \ufffd[31mred"]
