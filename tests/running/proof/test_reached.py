"""Which lines run: of the files asked for alone, and whoever traced before goes on tracing."""

from __future__ import annotations

import sys

from harness.running.proof.reached import lines_reached

CODE = """\
TOP = 1
def f(a):
    if a:
        return [
            one + TOP for one in range(a)
        ]
    return 0
def g():
    return 1
"""


def ran(files, argument):
    names = {}
    with lines_reached(files) as lines:
        exec(compile(CODE, "/a/module.py", "exec"), names)
        names["f"](argument)
    return lines


def test_lines_that_run_and_no_others():
    assert ran(["/a/module.py"], 2) == {"/a/module.py": {1, 2, 3, 4, 5, 8}}
    assert ran(["/a/module.py"], 0) == {"/a/module.py": {1, 2, 3, 7, 8}}


def test_other_files_are_not_watched():
    assert ran(["/a/other.py"], 2) == {"/a/other.py": set()}
    assert ran([], 2) == {}


def test_whoever_traced_before_traces_again():
    seen = []

    def tracing(frame, event, argument):
        seen.append(event)

    before = sys.gettrace()
    sys.settrace(tracing)
    try:
        ran(["/a/module.py"], 1)
        assert sys.gettrace() is tracing
    finally:
        sys.settrace(before)
