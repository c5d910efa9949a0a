"""The live view, in a real terminal and where there is none."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from harness.pytest_plugin.fixture import STOPPING
from harness.pytest_plugin.live_view import found_line, lines
from harness.running.progress import Found, Progress, Step
from tests.terminal import Terminal, claims
from tests.tiny_project import EXPERIMENT, write_claim, write_data

SLOW = EXPERIMENT.replace("    return {", "    import time\n    time.sleep(SECONDS * len(seeds))\n    return {")
HELD = EXPERIMENT.replace(
    "    return {", "    import os, time\n    while not os.path.exists('go'):\n        time.sleep(0.01)\n    return {"
)
"""Calls end once there is a file `go`: however slow the machine, the view can be looked at before."""

BAR = "━━━━"


@pytest.fixture
def project(tmp_path):
    """A quick claim, one that comes out otherwise, and a slow one, in this order."""
    write_claim(tmp_path, "a_quick_one")
    write_claim(tmp_path, "b_wrong_one", gap=-1.0)
    return tmp_path


@pytest.fixture
def start(project):
    """Start `claims run` in a terminal, with a claim whose calls take so many seconds a seed, or until they may end."""
    started = []

    def begin(*words, seconds="0.2", **settings):
        experiment = SLOW.replace("SECONDS", seconds) if seconds else HELD
        write_claim(project, "c_slow_one", experiment=experiment)
        started.append(Terminal(claims("run", "--workers", "1", *words), project, **settings))
        return started[-1]

    yield begin
    for terminal in started:
        terminal.close()


def test_a_run_in_a_terminal_is_one_view_and_then_the_report(start, project):
    terminal = start(seconds=None)

    view = terminal.wait_for("c_slow_one: seeds up to 6 of at most 12, 0 of 12 trials")
    (project / "go").touch()
    rows = view.rstrip().splitlines()
    assert re.fullmatch(r"━+ 2/3 claims  ✓ 1  ✗ 1", rows[-3])
    assert re.fullmatch(r"  \d+ s, nobody knows how long yet", rows[-1])
    assert re.fullmatch(r"✓ a_quick_one  \d+ s", rows[-5])
    assert re.fullmatch(r"✗ b_wrong_one  \d+ s  not as expected: REFUTED", rows[-4])
    code = terminal.end()
    text = terminal.text()
    assert code == 1
    assert BAR not in text, "the view leaves nothing behind"
    assert [line[0] for line in text.splitlines() if re.match(r"[✓✗] \w_\w+_one  \d+ s", line)] == ["✓", "✗", "✓"]
    assert "2 of 3 readings as expected; reused 18 of 72 trials" in text
    assert "report: " in text
    assert not re.search(r"^[.FsE]+$|\[100%\]|\d of 12 trials \[", text, re.MULTILINE), (
        "pytest's own progress is silent"
    )
    assert "FAILED claims/notes/b_wrong_one/test_claim.py" in text
    assert terminal.sane()
    assert b"\x1b[?25l" not in terminal.raw, "the cursor is never hidden: a killed run could not show it again"


def test_a_second_run_knows_how_long_it_takes(start):
    start().end()
    again = start("--fresh")

    view = again.wait_for("c_slow_one: seeds up to 6", "s left")
    assert re.search(r"about [1-9]\d? s left", view)
    assert again.end() == 1


def test_one_interrupt_is_told_in_the_view_and_the_report_is_written(start, project):
    terminal = start(seconds=None)
    terminal.wait_for("c_slow_one: seeds up to 6 of at most 12, 0 of 12 trials")
    terminal.press_interrupt()

    terminal.wait_for(STOPPING[:70], STOPPING[-20:])
    (project / "go").touch()
    assert terminal.end() == 2
    assert "claims: interrupted; what was finished is kept in" in terminal.text().replace("\n", "")
    assert (project / "reports/latest/report.json").is_file()
    assert BAR not in terminal.text()
    assert terminal.sane()


def test_two_interrupts_stop_at_once_and_leave_a_sane_terminal(start):
    terminal = start(seconds=None)
    terminal.wait_for("c_slow_one: seeds up to 6 of at most 12, 0 of 12 trials")
    terminal.press_interrupt()
    terminal.wait_for(STOPPING[:70], STOPPING[-20:])
    terminal.press_interrupt()

    assert terminal.end() == 2
    assert BAR not in terminal.text()
    assert terminal.sane()


def test_an_error_in_pytest_itself_leaves_a_sane_terminal(start, project):
    (project / "conftest.py").write_text(
        "def pytest_runtest_logfinish(nodeid):\n    if 'c_slow' in nodeid: raise OSError(nodeid)\n"
    )
    terminal = start(seconds="0.0")

    assert terminal.end() == 3
    assert "INTERNALERROR" in terminal.text()
    assert BAR not in terminal.text()
    assert terminal.sane()


def test_lines_of_a_narrow_terminal_are_cut_not_broken(start, project):
    terminal = start(seconds=None, columns=44)

    terminal.wait_for("c_slow_one: seeds up to", "…")
    assert sum(BAR in line for line in terminal.screen.display) == 1
    (project / "go").touch()
    terminal.end()
    assert BAR not in terminal.text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "environment"),
    [
        ((), {"NO_COLOR": "1"}),
        ((), {"CI": "true"}),
        ((), {"TERM": "dumb"}),
        (("-vv",), {}),
        (("-s",), {}),
        (("-n", "2"), {}),
        (("--progress", "plain"), {}),
    ],
    ids=["no colour", "ci", "dumb", "verbose", "uncaptured", "xdist", "plain"],
)
def test_where_a_view_would_be_wrong_there_is_none(start, words, environment):
    terminal = start(*words, seconds="0.0", **environment)

    assert terminal.end() == 1
    assert BAR.encode() not in terminal.raw
    assert "2 of 3 readings as expected" in terminal.text()


def test_a_view_that_is_asked_for_comes_without_colours_too(start):
    terminal = start("--progress", "live", NO_COLOR="1")

    terminal.wait_for(BAR)
    terminal.end()
    assert b"\x1b[32m" not in terminal.raw.split(b"FAILURES")[0]


def test_a_pipe_gets_plain_lines_with_the_time_that_is_left(project):
    def run(*words):
        done = subprocess.run(
            claims("run", "--workers", "1", *words), cwd=project, capture_output=True, text=True, check=False
        )
        return done.stdout

    first = run()
    assert re.search(
        r"^a_quick_one: 6 seeds, .* \[0 of 2 claims done, \d+ s; nobody knows how long yet\]$", first, re.MULTILINE
    )
    assert "\x1b[" not in first
    again = run("--fresh")
    assert re.search(r"^b_wrong_one: 6 seeds, .* \[1 of 2 claims done, \d+ s; almost done\]$", again, re.MULTILINE)


def test_hostile_names_are_harmless_in_the_view():
    run = Progress()
    run.expect(["evil[/]\x1b[2J\nname"])
    run.begin("evil[/]\x1b[2J\nname")
    run.step = Step("evil", "[bold]\x07", 6, 12, 1, 2)
    run.notice = "[red]\x1b]0;title\x07"

    text = "\n".join(lines(run, 200))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert "\x1b" not in plain
    assert "\x07" not in plain
    assert "evil[/]�[2J name [control [bold]�]: seeds up to 6 of at most 12, 1 of 2 trials" in plain
    assert "[red]�]0;title�" in plain


def test_a_claim_that_could_not_be_run_is_marked():
    assert found_line(Found("broken", (), 0.2)).startswith("[bold red]![/] broken")


def test_importing_the_plugin_imports_no_rich():
    code = "import sys, harness.pytest_plugin.plugin, harness.pytest_plugin.hooks, harness.cli.main, harness.pytest_plugin.live_view; sys.exit('rich' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_experiment_that_breaks_while_time_is_foreseen_breaks_its_own_tests_alone(project):
    command = claims("run", "--workers", "1")
    subprocess.run(command, cwd=project, capture_output=True, check=False)
    write_claim(project, "b_wrong_one", replace=write_data(project, "raise RuntimeError('gone')"))

    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)

    assert "a_quick_one (same_setting)\n  ✓ VERIFIED" in done.stdout
    assert "FAILED claims/notes/b_wrong_one/" in done.stdout
    assert "FAILED claims/notes/a_quick_one/" not in done.stdout
