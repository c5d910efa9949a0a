"""What an enemy, a broken disk or a wrong clock does to a whole run: nothing but what the reports say."""

from __future__ import annotations

import json
import os
import random
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from textwrap import dedent
from xml.etree import ElementTree as ET

import pytest

from harness import _clock
from harness._text import JOINERS
from harness.cli.main import main
from harness.running.results import run_of
from harness.store.records.parts import Trials
from harness.store.store import Store
from harness.trials.options import Options
from harness.trials.provenance import machine
from tests.reported import saved_claim
from tests.tiny_project import EXPERIMENT, MACHINE, TEST_CLAIM, write_claim, write_data

EVIL = (
    "\x1b[31mred\x1b]0;own\x07\x9b2J\u202e<script>alert(1)</script><img src=x onerror=a()><svg onload=a()>"
    "|a|[x](javascript:a())```\n# head\n]]>&lt;\u2028$x$"
)
"""Codes of a terminal, marks of direction, HTML, Markdown and XML, in what fits into a title."""

QUOTED = json.dumps(EVIL)
"""The same as YAML may hold it: nothing but ASCII."""

CODE = EXPERIMENT.replace("*, centre, spread", "*, centre, spread, **_")


def evil_claim(root, name="warm_exceeds_cold", gap=1.0, code=CODE, more=None):
    """Write a claim that says the evil text wherever text may stand."""
    folder = write_claim(
        root,
        name,
        gap=gap,
        experiment=code,
        replace={
            **(more or {}),
            "title: Warm numbers exceed cold ones": f"title: {QUOTED}",
            f"statement: Numbers drawn around {gap} exceed numbers drawn around zero.": f"statement: {QUOTED}",
            'section: "1", reported: {gap: 1.0}': f"section: {QUOTED}, paper: {QUOTED}, reported: {{gap: {QUOTED}}}",
            "does_not_show: anything about other numbers": f"does_not_show: {QUOTED}\nsettings: {{label: {QUOTED}, {QUOTED}: 1}}\nconditions: {{place: [{QUOTED}]}}",
            "cold: {centre: 0.0}": f"cold: {{centre: 0.0, {QUOTED}: {QUOTED}}}",
            "unit: degree": f"unit: {QUOTED}",
            "because: the centres differ as the arms say": f"because: {QUOTED}\n    means: {QUOTED}",
            "because: half of the documented gap": f"because: {QUOTED}",
            "change: {centre: 0.0}": f"change: {{centre: 0.0, label: {QUOTED}}}",
            "because: without a difference of centres there is none of numbers": f"because: {QUOTED}",
        },
    )
    (folder.parent / "document.yaml").write_text(
        f"id: notes\ntitle: {QUOTED}\nauthors: {QUOTED}\nyear: 2026\nurl: {QUOTED}\nsummary: {QUOTED}\n"
    )
    return folder


def waived(folder):
    """Give a claim a waiver in the same words."""
    with (folder / "claim.yaml").open("a") as file:
        file.write(f"waiver: {{reason: {QUOTED}, owner: {json.dumps(EVIL[:150])}, expires: 9999-12-31}}\n")


def raising(error):
    return CODE.replace("    return {", f"    raise {error}({EVIL!r})\n    return {{")


def assert_harmless(text):
    """No character moves the cursor, turns the direction of writing, or cannot be seen."""
    assert not {c for c in text if not c.isprintable() and c not in JOINERS | {"\n"}}


TAGS = re.compile(r'</?details>|</?summary>|</?b>|<br>|<a id="[a-z0-9-]+">|</a>')


def assert_sound_markdown(text):
    """No HTML but our own, no link or fence of others, and tables of straight columns."""
    assert_harmless(text)
    assert "<" not in TAGS.sub("", text)
    bare = re.sub(r"\\.", "", text)
    assert "](javascript" not in bare
    assert "`" not in bare.replace("`claims aa ID`", "").replace("`claims index`", "").replace(
        "`expected`", ""
    ).replace("`cap`", "")
    assert not re.search(r"^[> -]*# head", text, re.MULTILINE)
    for table in re.findall(r"(?:^\|.*\n)+", bare, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1, table


@pytest.fixture
def project(tmp_path):
    """A project in a folder of an evil name, with an evil claim for every way to come out."""
    root = tmp_path / "a\x1b[31mb\u202e\x9b<script> c"
    evil_claim(root, "holds")
    evil_claim(root, "does_not_hold", gap=-1.0)
    waived(evil_claim(root, "is_waived", gap=-1.0))
    evil_claim(root, "is_undecided", gap=0.5)
    evil_claim(root, "raises", code=raising("ValueError"))
    evil_claim(root, "lacks_data", more=write_data(root, f"raise DataError({EVIL!r})"))
    evil_claim(root, "cannot_be_imported", code=f"raise ValueError({EVIL!r})\n")
    broken = evil_claim(root, "is_broken")
    with (broken / "claim.yaml").open("a") as file:
        file.write(f"{QUOTED}: {QUOTED}\nprecision: {QUOTED}\ntimings: {QUOTED}\n")
    return root


PYTEST = (
    "-m",
    "pytest",
    "claims",
    "--import-mode=importlib",
    "--benchmark-skip",
    "-q",
    "-r",
    "fEx",
    "--claims-workers=1",
)
CLAIMS = ("-c", "from harness.cli.main import main; raise SystemExit(main())")


def call(root, *arguments):
    """Run Python in a project; return its exit code and all that it wrote to the terminal."""
    environment = {**os.environ, "PYTHONUTF8": "1"}
    done = subprocess.run([sys.executable, *arguments], cwd=root, capture_output=True, check=False, env=environment)
    return done.returncode, (done.stdout + done.stderr).decode("utf-8")


def test_nothing_that_a_claim_says_harms_a_terminal_or_a_report(project):
    code, shown = call(project, *PYTEST)

    assert code == 2
    assert_harmless(shown)
    assert "Traceback" not in shown
    assert "ValueError: \ufffd[31mred" in shown
    latest = project / "reports/latest"
    assert_sound_markdown((latest / "report.md").read_text(encoding="utf-8"))
    for name in ("report.json", "badge.json"):
        assert_harmless((latest / name).read_text(encoding="utf-8"))
        assert "<" not in (latest / name).read_text(encoding="utf-8")
    claims = {
        claim["id"]: claim for claim in json.loads((latest / "report.json").read_text(encoding="utf-8"))["claims"]
    }
    assert claims["holds"]["title"] == EVIL
    assert {name for name, claim in claims.items() if "problem" in claim} == {
        "lacks_data",
        "cannot_be_imported",
        "is_broken",
    }
    written = (latest / "junit.xml").read_text(encoding="utf-8")
    assert_harmless(written)
    suite = ET.fromstring(written)
    assert suite.get("errors") == "3"
    assert suite.find("testcase[@classname='is_waived']//property[@name='claim.waiver.reason']") is not None

    for arguments in (["list"], ["check"], ["list", "--json"], ["report"], ["history"], ["index"]):
        assert_harmless(call(project, *CLAIMS, *arguments)[1])
    for arguments in (
        ["history", "holds"],
        ["plan", "holds", "-v"],
        ["history", "holds", "--json"],
        ["plan", "holds", "--json"],
    ):
        code, shown = call(project, *CLAIMS, *arguments)
        assert code == 0, shown
        assert_harmless(shown)
    assert_sound_markdown((project / "claims/README.md").read_text(encoding="utf-8"))
    code, shown = call(project, *CLAIMS, "check")
    assert code == 2
    assert "Traceback" not in shown
    assert (
        f"is_broken/claim.yaml:{len((project / 'claims/notes/is_broken/claim.yaml').read_text().splitlines())}:"
        in shown
    )


def test_a_folder_of_a_hostile_name_harms_no_report(tmp_path):
    name = "\x1b[31m\u202e]]>"
    folder = evil_claim(tmp_path, "is_misnamed")
    folder.rename(folder.with_name(name))

    # In its progress, its summary and its errors pytest names files.
    for options in ([], ["-v"], ["-vv", "-rA"], ["-n", "2"]):
        code, shown = call(tmp_path, *(word for word in PYTEST if word != "-q" or not options), *options)
        assert code == 2
        assert_harmless(shown)
        assert "claims/notes/\ufffd[31m\ufffd]]>/test_claim.py" in shown
    latest = tmp_path / "reports/latest"
    assert json.loads((latest / "report.json").read_text(encoding="utf-8"))["claims"][0]["id"] == name
    assert_harmless((latest / "report.json").read_text(encoding="utf-8"))
    assert_sound_markdown((latest / "report.md").read_text(encoding="utf-8"))
    assert ET.fromstring((latest / "junit.xml").read_text(encoding="utf-8")).find("testcase/error") is not None
    assert_harmless((latest / "junit.xml").read_text(encoding="utf-8"))
    assert_harmless(call(tmp_path, *CLAIMS, "check")[1])


def test_a_file_that_cannot_be_collected_harms_no_terminal(tmp_path):
    folder = evil_claim(tmp_path, "is_misnamed")
    (folder / "test_claim.py").write_text(f"raise ValueError({EVIL!r})\n")
    folder.rename(folder.with_name("\x1b[31m\u202e]]>"))

    _, shown = call(tmp_path, *PYTEST)

    assert "ValueError: \ufffd[31mred" in shown
    assert_harmless(shown)


def test_a_run_against_itself_shows_errors_without_their_codes(tmp_path):
    evil_claim(tmp_path, "raises", code=raising("ValueError"))

    code, shown = call(tmp_path, *CLAIMS, "aa", "raises", "--seeds", "6")

    assert code == 4
    assert "trial failed" in shown
    assert_harmless(shown)


def test_workers_bring_home_no_codes_either(tmp_path):
    evil_claim(tmp_path, "raises", code=raising("ValueError"))

    code, shown = call(tmp_path, *PYTEST[:-1], "--claims-workers=2", "--claims-traceback")

    assert code == 4
    assert "Traceback (most recent call last)" in shown
    assert_harmless(shown)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("    raise ValueError('x' * 10**7)", "ValueError: xxx"),
        ("    raise OSError(2, 'no such file', 'bad\\udc80name')", "no such file: 'bad\\udc80name'"),
        ("    raise ValueError('bad\\udc80name')", "ValueError: bad\ufffdname"),
        (
            "    class Mute(Exception):\n        def __str__(self):\n            raise RuntimeError\n    raise Mute",
            "Mute: (an exception that cannot say what it is)",
        ),
    ],
)
def test_an_exception_of_any_kind_fails_a_trial_and_no_more(tmp_path, run, store, error, text):
    folder = write_claim(tmp_path, experiment=EXPERIMENT.replace("    return {", f"{error}\n    return {{"))

    record = run(folder)

    assert text in record.errors[0]
    assert len(record.errors[0]) < 3000
    assert store.finished(["x"]) == {}
    assert record.trials.failed > 0


def test_an_error_without_a_word_is_still_reported(tmp_path):
    write_claim(tmp_path, replace=write_data(tmp_path, "raise DataError"))

    code, shown = call(tmp_path, *PYTEST)

    assert code == 4
    assert "DataError, without a word" in shown
    assert ET.fromstring((tmp_path / "reports/latest/junit.xml").read_text()).get("errors") == "1"


# Names that would lead out of their folder.

ESCAPES = ("../x", "/etc/passwd", "..", "a/b", "a\\b", "a\0b", "~", "con.yaml", "a\nb", "%2e%2e")


@pytest.mark.parametrize("name", ESCAPES)
@pytest.mark.parametrize(
    ("place", "field"),
    [
        ("id: warm_exceeds_cold", "id"),
        ("document: notes", "document"),
        ("  cold:", "arms"),
        ("  level:", "metrics"),
        ("  as_documented:", "readings"),
        ("  same_centre:", "controls"),
        ("  smoke:", "profiles"),
    ],
)
def test_no_name_leads_out_of_its_folder(tmp_path, capsys, place, field, name):
    quoted = json.dumps(name)
    key, _, value = place.partition(":")
    changed = f"{key}: {quoted}" if value else f"  {quoted}:"
    folder = write_claim(tmp_path, replace={place: changed})

    assert main(["--root", str(tmp_path), "check"]) == 2
    problems = capsys.readouterr().out
    assert re.search(
        rf"^{re.escape(str(folder))}/claim\.yaml:\d+:\d+: .*{field}.*should match \^\[a-z\]", problems, re.MULTILINE
    )
    assert "0 claims are sound" in problems


@pytest.mark.parametrize("name", ["../notes/warm_exceeds_cold", "/etc", ".", "warm_exceeds_cold/../x", "a\0b", "loop"])
@pytest.mark.parametrize("words", [["run"], ["plan"], ["aa"], ["history"]])
def test_a_path_names_a_claim_of_this_project_or_nothing(tmp_path, capsys, monkeypatch, words, name):
    write_claim(tmp_path)
    Store(tmp_path / ".claims/store.sqlite3").close()
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.chdir(tmp_path)

    assert main(["--root", str(tmp_path), *words, name]) == 2
    assert re.search(rf"no claim( or document)? {re.escape(repr(name))}", capsys.readouterr().err)


def test_a_store_at_a_path_that_cannot_be_is_refused(tmp_path, pytester):
    write_claim(pytester.path)
    pytester.makeini("[pytest]\n")

    result = pytester.runpytest_inprocess(
        "claims", "--import-mode=importlib", "--benchmark-skip", "--claims-store=a\0b"
    )

    assert result.ret != 0
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*During handling*")
    result.stdout.fnmatch_lines(["*cannot be used as a store: *give another with --claims-store"])


# Stores.


@pytest.fixture
def stored(tmp_path, run, store):
    """A project with one run in its store; its file, closed."""
    folder = write_claim(tmp_path)
    store.start_run("run", Options().record(), machine(tmp_path))
    run(folder)
    store.close()
    path = tmp_path / ".claims/store.sqlite3"
    path.parent.mkdir()
    path.write_bytes(store.path.read_bytes())
    return path


READERS = (["report"], ["history"], ["history", "warm_exceeds_cold"], ["plan"], ["index"])


@pytest.mark.parametrize("words", READERS, ids=" ".join)
@pytest.mark.parametrize("table", ["record.record", "run.options", "trial.metrics"])
@pytest.mark.parametrize("text", ["{", "[]", "NaN"])
def test_a_record_that_is_none_is_refused_by_whatever_reads_it(stored, tmp_path, capsys, words, table, text):
    name, column = table.split(".")
    with closing(sqlite3.connect(stored)) as database, database:
        database.execute(f"UPDATE {name} SET {column} = ?", (text,))

    code = main(["--root", str(tmp_path), *words])

    error = capsys.readouterr().err
    assert (code, bool(error)) in ((0, False), (2, True))
    assert not error or error.count("\n") == 1
    assert code == 2 or words[0] != "report" or name == "trial"


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_a_store_broken_in_any_place_is_read_or_refused(stored, tmp_path, capsys, words):
    sound, chance = stored.read_bytes(), random.Random(0)
    refused = 0
    for _ in range(30):
        at = chance.randrange(100, len(sound) - 600)
        stored.write_bytes(sound[:at] + chance.randbytes(600) + sound[at + 600 :])
        code = main(["--root", str(tmp_path), *words])
        error = capsys.readouterr().err
        assert (code, bool(error)) in ((0, False), (2, True)), error
        refused += code == 2
    assert refused


# Clocks.


@pytest.fixture
def clock(monkeypatch):
    """Set the clock that the harness reads."""

    def set_to(*moment):
        class Clock(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime(*moment, tzinfo=tz or UTC)

        monkeypatch.setattr(_clock, "datetime", Clock)

    return set_to


def test_nights_join_though_the_clock_went_back(tmp_path, run, store, clock, capsys):
    folder = write_claim(tmp_path, gap=0.6)
    records = {}
    for year, base_seed in ((2031, 20310101), (2026, 20260101)):
        clock(year, 1, 1)
        store.start_run(f"run of {year}", Options(base_seed=base_seed).record(), MACHINE)
        records[year] = run(folder, run_id=f"run of {year}", base_seed=base_seed, accumulate=True)

    assert records[2031].finished > records[2026].finished
    assert records[2026].series.replications == 2
    assert records[2026].series.earlier_trials > 0
    assert run_of(store, store.latest_run()).id == "run of 2026"
    (tmp_path / ".claims").mkdir()
    (tmp_path / ".claims/store.sqlite3").write_bytes(store.path.read_bytes())
    assert main(["--root", str(tmp_path), "history", "warm_exceeds_cold"]) == 0
    shown = capsys.readouterr().out
    assert shown.index("2031-01-01") < shown.index("2026-01-01")
    assert main(["--root", str(tmp_path), "history"]) == 0


def test_the_last_run_is_the_one_begun_last_though_another_lies_in_the_future(tmp_path, clock):
    with closing(Store(tmp_path / "store.sqlite3")) as store:
        for year, run in ((2031, "of the future"), (2026, "of today")):
            clock(year, 1, 1)
            store.start_run(run, {}, {})
            store.save_record(run, saved_claim())
            store.finish_run(run)

        assert store.latest_run() == "of today"


def test_trials_of_the_future_are_reused(tmp_path, run, clock):
    folder = write_claim(tmp_path)
    clock(2031, 1, 1)
    first = run(folder, run_id="first")
    clock(2026, 1, 1)
    again = run(folder, run_id="again")

    assert again.trials == Trials(reused=first.trials.total, measured=0, failed=0)


# Many claims.

MANY = 5000

MEASURE = dedent(
    """\
    import sys, time
    from harness.cli.main import main
    started = time.perf_counter()
    code = main(sys.argv[1:])
    took = time.perf_counter() - started
    # Not getrusage: its maximum outlives exec, so that it would be that of the tests that started this process.
    status = open("/proc/self/status").read()
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    print(f"{took:.1f} s, {peak:.0f} MB", file=sys.stderr)
    raise SystemExit(code)
    """
)

LARGEST_PROCESS = 500
"""MB: a fifth of a small machine; the interpreter with pydantic alone takes about 50."""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc is read")
@pytest.mark.parametrize("words", ["list", "check"])
def test_thousands_of_claims(tmp_path, words, record_property):
    first = write_claim(tmp_path, "claim_0")
    for index in range(1, MANY):
        folder = first.with_name(f"claim_{index}")
        folder.mkdir()
        (folder / "claim.yaml").write_text((first / "claim.yaml").read_text().replace("claim_0", folder.name))
        (folder / "experiment.py").write_text(CODE)
        (folder / "test_claim.py").write_text(TEST_CLAIM)

    done = subprocess.run(
        [sys.executable, "-c", MEASURE, "--root", str(tmp_path), words], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("claim_") == MANY or f"{MANY} claims are sound, 0 problems" in done.stdout
    record_property("cost", done.stderr.strip())
    print(f"claims {words} of {MANY} claims: {done.stderr.strip()}")
    assert float(done.stderr.split()[-2]) < LARGEST_PROCESS
