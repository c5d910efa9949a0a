"""Stored trials are reused only while all that they rest on is as it was, and the output says what is not."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing

import pytest

from harness.errors import SpecError, UsageError
from harness.retrospect import replay
from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.store.garbage import garbage
from harness.store.store import Store
from harness.trials import witness
from harness.trials.catalogue import load_claim
from harness.trials.executor import Inline
from harness.trials.experiment import load_experiment
from harness.trials.options import Options
from tests.tiny_project import write_claim

HEAD = '"""Normal numbers, and something that is read."""\n\nfrom __future__ import annotations\n\nimport numpy as np\n'

MEASURE = '''

def measure(arm, seeds, *, centre, spread):
    """Return one normal number per seed, moved by what is read."""
    return {"level": np.array([seed.numpy(arm).normal(centre, spread) + moved(seed) for seed in seeds])}
'''

ROOT = "Path(__file__).parents[3]"

READS = f"""
from pathlib import Path


def moved(seed):
    return float(({ROOT} / "results" / "offset.txt").read_text())
"""

LISTS = f"""
from pathlib import Path


def moved(seed):
    return 0.001 * len(sorted(({ROOT} / "results").glob("*.txt")))
"""

STARTS = f"""
import subprocess
import sys
from pathlib import Path

ROOT = {ROOT}


def moved(seed):
    command = [sys.executable, str(ROOT / "train.py"), str(ROOT / "train.yaml")]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
"""

TRAIN = "import sys\n\nprint(float(open(sys.argv[1]).read().split(':')[1]) * 1.0)\n"

TRIALS = 18
"""Two arms of six seeds, and the control's warm arm."""


def experiment(reading: str) -> str:
    return HEAD + reading + MEASURE


def write(tmp_path, reading, name="warm_exceeds_cold", **claim):
    return write_claim(tmp_path, name, experiment=experiment(reading), **claim)


def declaring(*patterns):
    return {"arms:\n": f"inputs: {list(patterns)}\narms:\n"}


@pytest.fixture(autouse=True)
def process(monkeypatch, tmp_path):
    """Begin a process anew, as far as this one can: nothing read so far, no module of the project loaded."""

    def begin():
        monkeypatch.setattr(witness, "_state", witness._State(installed=witness._state.installed))
        load_experiment.cache_clear()
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
                del sys.modules[name]

    # What tests before have started is no child of this one's trials.
    begin()
    return begin


@pytest.fixture
def nights(run, process):
    """Run a claim again and again, in a process of its own unless told otherwise; return what was measured, and why."""
    count = iter(range(99))

    def one(folder, *, fresh=True, **options):
        if fresh:
            process()
        record = run(folder, run_id=f"run {next(count)}", **options)
        assert not record.errors
        return record.trials.measured, record.measured_again

    return one


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "offset.txt").write_text("0.0")
    return folder


def since(what, trials=TRIALS):
    return [f"{what} since these trials were measured: {trials} trials are measured again"]


def test_a_file_that_measure_reads_is_part_of_what_its_trials_rest_on(tmp_path, nights, results):
    folder = write(tmp_path, READS)
    assert nights(folder) == (TRIALS, [])
    assert nights(folder) == (0, [])

    (results / "offset.txt").write_text("0.25")
    assert nights(folder) == (TRIALS, since("results/offset.txt changed"))
    assert nights(folder) == (0, [])

    (results / "other.txt").write_text("0.25")
    assert nights(folder) == (0, [])


def test_a_file_that_was_looked_for_in_vain_is_missed_no_longer(tmp_path, nights, results):
    (results / "offset.txt").unlink()
    reading = READS.replace("    return float(", "    try:\n        return float(")
    folder = write(tmp_path, reading + "    except FileNotFoundError:\n        return 0.0\n")
    nights(folder)
    assert nights(folder) == (0, [])

    (results / "offset.txt").write_text("0.25")
    assert nights(folder) == (TRIALS, since("results/offset.txt arrived"))


def test_a_file_that_arrives_in_a_listed_folder_is_noticed(tmp_path, nights, results):
    folder = write(tmp_path, LISTS)
    nights(folder)
    (results / ".hidden").write_text("")
    (results / "offset.txt").write_text("1.0")
    assert nights(folder) == (0, [])

    (results / "another.txt").write_text("")
    assert nights(folder) == (TRIALS, since("the files in results changed"))


def test_what_a_trial_wrote_itself_is_nothing_that_it_rests_on(tmp_path, nights, results):
    reading = READS.replace(
        "    return float(",
        """    own = Path(__file__).parents[3] / "results" / f"{seed.index}.txt"
    own.with_suffix(".part").write_text("0.0")
    own.with_suffix(".part").replace(own)
    made = own.parent / f"made by {seed.index}"
    made.mkdir(exist_ok=True)
    (made / "number.txt").write_text(own.read_text())
    assert made.exists() and sorted(made.iterdir())
    return float(""",
    )
    folder = write(tmp_path, reading)
    nights(folder)
    for path in results.rglob("[0-9]*.txt"):
        path.write_text("1.0")

    assert nights(folder)[0] == 0


def test_a_command_is_measured_anew_each_time_until_its_inputs_are_declared(tmp_path, nights):
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "train.yaml").write_text("offset: 0.0")
    folder = write(tmp_path, STARTS)
    assert nights(folder) == (TRIALS, [])
    trials, (why,) = nights(folder)
    assert trials == TRIALS
    assert "`python" in why
    assert "train.yaml` was started" in why
    assert "was started, and what a command reads is not seen" in why
    assert "`inputs:`" in why

    folder = write(tmp_path, STARTS, replace=declaring("train.*"))
    assert nights(folder)[0] == TRIALS
    assert nights(folder) == (0, [])
    (tmp_path / "train.yaml").write_text("offset: 0.25")
    assert nights(folder) == (TRIALS, since("train.yaml changed"))
    (tmp_path / "train.py").write_text(TRAIN.replace("1.0", "2.0"))
    assert nights(folder) == (TRIALS, since("train.py changed"))
    assert nights(folder) == (0, [])


@pytest.mark.parametrize(
    "start",
    [
        "os.system('true')",
        "os.popen('true').close()",
        "os.waitpid(os.spawnlp(os.P_NOWAIT, 'true', 'true'), 0)",
        "os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)",
        "os.waitpid(os.fork() or os._exit(0), 0)",
        "pty.spawn(['true'], lambda _: b'')",
        "[p.start() or p.join() for p in [multiprocessing.get_context('spawn').Process(target=int)]]",
        "list(ProcessPoolExecutor(1, multiprocessing.get_context('forkserver')).map(abs, [1]))",
        "threading_start(lambda: subprocess.run('true'))",
    ],
)
def test_whatever_starts_a_command_is_seen(tmp_path, run, start):
    reading = f"""
import multiprocessing
import os
import pty
import subprocess
import threading
import warnings
from concurrent.futures import ProcessPoolExecutor


def threading_start(what):
    thread = threading.Thread(target=what)
    thread.start()
    thread.join()


def moved(seed):
    if seed.index == 0 and arm_is_first(seed):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            {start}
    return 0.0


def arm_is_first(seed):
    return True
"""
    folder = write(tmp_path, reading, replace={"first: 6, step: 2, cap: 12": "first: 5, cap: 5"})
    run(folder)

    record = run(folder, run_id="again")

    assert record.trials.measured == 15
    assert "was started, and what a command reads is not seen" in record.measured_again[0]


def test_a_question_about_the_machine_is_no_command(tmp_path, nights):
    reading = "import platform\nimport subprocess\n\n\ndef moved(seed):\n    subprocess.run(['uname'], capture_output=True)\n    return 0.0 * len(platform.processor())\n"
    folder = write(tmp_path, reading)
    nights(folder)

    assert nights(folder) == (0, [])


SHARED = f"""
from functools import lru_cache
from pathlib import Path


@lru_cache
def offset():
    return float(({ROOT.replace("3", "1")} / "results" / "offset.txt").read_text())
"""


def test_a_fixture_that_keeps_what_it_read_is_counted_for_every_claim_that_imports_it(tmp_path, nights, results):
    """The file is opened once in the life of the process, for the first claim."""
    package = tmp_path / f"shared_{tmp_path.name}"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "tables.py").write_text(SHARED)
    reading = f"from {package.name}.tables import offset\n\n\ndef moved(seed):\n    return offset()\n"
    folders = [write(tmp_path, reading, name) for name in ("first_claim", "second_claim")]
    other = write(tmp_path, "\n\ndef moved(seed):\n    return 0.0\n", "third_claim")
    for folder in (*folders, other):
        nights(folder, fresh=folder is folders[0])

    (results / "offset.txt").write_text("0.25")

    for folder in folders:
        assert nights(folder) == (TRIALS, since("results/offset.txt changed"))
    assert nights(other) == (0, [])


def test_a_claims_own_file_is_nothing_to_another_claim(tmp_path, nights, results):
    """Nor if code that both share reads it: the claim said where it lies."""
    package = tmp_path / f"reader_{tmp_path.name}"
    package.mkdir()
    (package / "__init__.py").write_text("def read(path):\n    return float(path.read_text())\n")
    reading = f"from pathlib import Path\n\nfrom {package.name} import read\n\n\ndef moved(seed):\n    return read(Path(__file__).with_name('own.txt'))\n"
    first, second = (write(tmp_path, reading, name) for name in ("first_claim", "second_claim"))
    third = write(tmp_path, READS, "third_claim")
    for folder in (first, second):
        (folder / "own.txt").write_text("0.0")
    for folder in (first, second, third):
        nights(folder, fresh=folder is first)

    (first / "own.txt").write_text("0.25")
    (results / "offset.txt").write_text("0.25")

    assert nights(first) == (TRIALS, since("claims/notes/first_claim/own.txt changed"))
    assert nights(second) == (0, [])
    assert nights(third)[0] == TRIALS


def test_a_file_that_changes_during_a_run_is_trusted_by_none_of_its_later_trials(tmp_path, nights, results):
    """Whoever read it twice may hold either."""
    folder = write(tmp_path, READS)
    nights(folder)
    (results / "offset.txt").write_text("0.25")
    nights(folder, fresh=False, base_seed=1)

    trials, (why,) = nights(folder, base_seed=1)

    assert trials == TRIALS
    assert "results/offset.txt changed" in why


def test_an_earlier_night_whose_files_have_changed_does_not_join(tmp_path, run, results):
    folder = write(tmp_path, READS, gap=0.56)
    run(folder, run_id="one", base_seed=1, accumulate=True)
    assert run(folder, run_id="two", base_seed=2, accumulate=True).series.replications == 2

    (results / "offset.txt").write_text("0.25")
    record = run(folder, run_id="three", base_seed=3, accumulate=True)

    assert record.series.replications == 1
    assert record.series.anew.startswith("results/offset.txt changed since these trials were measured (base seed 2")


def test_changed_code_data_and_versions_are_named(tmp_path, nights, monkeypatch):
    nights(write(tmp_path, "\n\ndef moved(seed):\n    return 0.0\n"))
    folder = write(tmp_path, "\n\ndef moved(seed):\n    return 0.0 * 1\n")
    assert nights(folder) == (TRIALS, since("claims/notes/warm_exceeds_cold/experiment.py changed"))
    around = {"device": "cpu", "precision": "as written", "python": "3.99", "numpy": "9"}
    monkeypatch.setattr("harness.trials.plan.environment", lambda *_: around)
    ((trials, (why,)),) = [nights(folder)]
    assert trials == TRIALS
    assert "python changed from 3." in why
    assert " to 3.99 since these" in why
    assert why.startswith("numpy changed from ")


def in_a_process(tmp_path, *arguments, path=()):
    """Run the claims of a project in a process of their own; return what was said."""
    around = {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, path), os.environ.get("PYTHONPATH", "")])}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "claims",
        "-p",
        "no:cacheprovider",
        "-k",
        "reading or control",
        *arguments,
    ]
    done = subprocess.run(command, cwd=tmp_path, env=around, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def install(folder, version, body="OFFSET = 0.0\n"):
    """Put a package and what describes it where Python looks for both."""
    for old in folder.glob("tinypackage-*"):
        (old / "METADATA").unlink()
        old.rmdir()
    described = folder / f"tinypackage-{version}.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: tinypackage\nVersion: {version}\n")
    (folder / "site-packages").mkdir(exist_ok=True)
    (folder / "tinypackage.py").write_text(body)


WAYS = [(), ("--claims-workers", "2"), ("-p", "xdist", "-n", "2")]


@pytest.mark.parametrize("options", WAYS, ids=["one", "two", "xdist"])
def test_files_packages_and_code_from_elsewhere_count_wherever_trials_run(tmp_path, options):
    site, source, project = tmp_path / "site-packages", tmp_path / "elsewhere", tmp_path / "project"
    install(site, "1.0")
    source.mkdir()
    (source / "editable.py").write_text("from deeper import OFFSET\n")
    (source / "deeper.py").write_text("OFFSET = 0.0\n")
    asked = {
        "reads_a_file": READS,
        "imports": "from tinypackage import OFFSET\n\n\ndef moved(seed):\n    return OFFSET\n",
        "imports_by_name": "OFFSET = __import__('tiny' + 'package').OFFSET\n\n\ndef moved(seed):\n    return OFFSET\n",
        "imports_from_elsewhere": "from editable import OFFSET\n\n\ndef moved(seed):\n    return OFFSET\n",
        "rests_on_nothing": "\n\ndef moved(seed):\n    return 0.0\n",
    }
    for name, reading in asked.items():
        write(project, reading, name)
    (project / "pyproject.toml").write_text("[tool.pytest]\naddopts = ['--import-mode=importlib']\n")
    (project / "results").mkdir()
    (project / "results" / "offset.txt").write_text("0.0")
    path, every = [site, source], (TRIALS + 6) * len(asked)
    assert f"reused {6 * len(asked)} of {every} trials" in in_a_process(project, *options, path=path)
    (source / "deeper.py").write_text("# a comment\nOFFSET = 0.0\n")
    assert f"reused {every} of {every} trials" in in_a_process(project, *options, path=path)

    (project / "results" / "offset.txt").write_text("0.25")
    (source / "deeper.py").write_text("OFFSET = 0.25\n")
    install(site, "1.1")
    said = in_a_process(project, *options, path=path)

    for name, what in {
        "reads_a_file": "results/offset.txt changed",
        "imports": "tinypackage changed from 1.0 to 1.1",
        "imports_by_name": "tinypackage changed from 1.0 to 1.1",
        "imports_from_elsewhere": f"{source}/deeper.py changed",
    }.items():
        # A claim that imports by name rests on whatever its process holds: there may be more that changed.
        told = [line for line in said.splitlines() if line.startswith(f"{name}: ")]
        assert any(what in line and line.endswith(f"{TRIALS} trials are measured again") for line in told)
    assert f"reused {6 * len(asked) + TRIALS} of {every} trials" in said


def test_inputs_that_match_nothing_are_refused(tmp_path):
    folder = write(tmp_path, READS, replace=declaring("train/*.py"))

    with pytest.raises(
        SpecError, match=r"claim.yaml:7:\d+: inputs\[0\]: 'train/\*.py' matches no file below .*; name "
    ):
        load_claim(folder)


def test_declared_data_count_though_nobody_saw_them_read(tmp_path, nights, results):
    folder = write(tmp_path, "\n\ndef moved(seed):\n    return 0.0\n", replace=declaring("results/**"))
    nights(folder)
    assert nights(folder) == (0, [])

    (results / "offset.txt").write_text("1.0")

    assert nights(folder) == (TRIALS, since("results/offset.txt changed"))


def test_two_files_and_more_are_named_in_one_line(tmp_path, nights, results):
    reading = READS.replace(
        "    return float(",
        "    [path.read_text() for path in Path(__file__).parents[3].joinpath('many').iterdir()]\n    return float(",
    )
    many = tmp_path / "many"
    many.mkdir()
    for name in "abcde":
        (many / name).write_text("1")
    folder = write(tmp_path, reading)
    nights(folder)
    for name in "abcde":
        (many / name).write_text("2")

    assert nights(folder)[1] == since("many/a changed, many/b changed, many/c changed and 2 more")


def test_pictures_are_drawn_again_when_what_they_show_has_changed(tmp_path, run, process, results):
    drawing = "from harness.pictures import Curves, Line\n\n\ndef illustrate(experiment, seed, arms):\n    return Curves('c', 'x', 'y', [Line('a', [0, 1], [0, experiment.moved(seed)])])\n"
    folder = write_claim(tmp_path, experiment=experiment(READS), pictures=drawing)
    first = run(folder).illustrations
    assert first[0].kind != "error"
    process()
    assert run(folder, run_id="again").illustrations == first

    (results / "offset.txt").write_text("0.25")
    process()

    assert run(folder, run_id="last").illustrations != first


def test_a_changed_file_is_garbage_cannot_be_repeated_and_travels(tmp_path, run, store, results, process):
    folder = write(tmp_path, READS)
    run(folder)
    root, copy = tmp_path / "claims", tmp_path / "copy.sqlite3"
    key = store.past("", 1)[0].key
    store.save_copy(copy)
    with closing(Store(tmp_path / "other.sqlite3")) as other:
        assert other.merge(copy)["inputs"] >= 1
        assert other.inputs(store.past("", 1)[0].inputs) == store.inputs(store.past("", 1)[0].inputs)
    assert replay.prospect_of(replay.find_trial(store, key), root, store).obstacles == []
    assert garbage(store, [load_claim(folder)], Options()) == {}

    (results / "offset.txt").write_text("0.25")

    (obstacle,) = replay.prospect_of(replay.find_trial(store, key), root, store).obstacles
    assert obstacle == "results/offset.txt changed since these trials were measured"
    found = garbage(store, [load_claim(folder)], Options())
    assert len(found) == TRIALS
    assert store.discard(found) == TRIALS
    assert [table for table, _ in store.rows() if table in ("trial", "inputs", "place")] == []


def test_inputs_under_another_digest_are_refused(tmp_path, run, store):
    run(write_claim(tmp_path))
    store._write('UPDATE inputs SET content = replace(content, \'"files":{}\', \'"files":{"a":"b"}\')')
    store._shared.clear()

    with pytest.raises(UsageError, match=r"inputs [0-9a-f]{12}: not what the digest says; put a sound copy"):
        store.inputs(store.past("", 1)[0].inputs)


def test_trials_of_which_nobody_knows_what_they_read_are_measured_again(tmp_path, run, store):
    folder = write_claim(tmp_path)
    run(folder)
    store._write("UPDATE trial SET inputs = NULL")

    record = run(folder, run_id="again")

    assert record.measured_again == ["it is not known what they read: 18 trials are measured again"]


@pytest.mark.parametrize("content", ["[]", "{}", '{"files": {"a": 1}}', "nonsense"])
def test_inputs_that_are_none_are_refused_in_one_line(tmp_path, run, store, content):
    folder = write_claim(tmp_path)
    run(folder)
    store._write("UPDATE inputs SET content = ?", (content,))
    store._shared.clear()

    with pytest.raises(UsageError, match=r"store.sqlite3: inputs [0-9a-f]{12}: .*; put a sound copy there"):
        run(folder, run_id="again")


def test_check_says_where_a_command_is_started_and_how_to_declare_it(tmp_path, claims, results):
    (tmp_path / "train.py").write_text(TRAIN)
    write(tmp_path, STARTS)
    code, out, _ = claims("check")
    assert code == 0
    assert "experiment.py:16:1: starts a command (subprocess.run): what it reads is not seen" in out
    assert "`inputs: [train.py, configs/*.yaml]`" in out

    write(tmp_path, STARTS, replace=declaring("train.py"))
    assert "starts a command" not in claims("check")[1]


def test_check_knows_from_stored_trials_what_the_text_does_not_show(tmp_path, claims):
    folder = write(
        tmp_path, "\n\ndef moved(seed):\n    return 0.0 * getattr(__import__('os'), 'sys' + 'tem')('true')\n"
    )
    opened = Store(tmp_path / ".claims" / "store.sqlite3")
    context = Context(Options(workers=1), opened, lambda _: Inline(), "run")
    run_claim(load_claim(folder), context)
    opened.close()

    assert "stored trials started `true`: what it reads is not seen" in claims("check")[1]
