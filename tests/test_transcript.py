"""The reading of documents whose commands are run."""

from __future__ import annotations

import pytest

from tests.transcript import Command, File, mismatch, perform, steps

DOCUMENT = """\
# Title

```console
$ echo one; echo two
one
...
$ false
$ echo $?
1
```

```yaml
# file: a.yaml
a: "it's"
```

```yaml
b: an illustration
```

```console
$ cat a.yaml
```
"""


def test_commands_and_files_are_found_in_order():
    assert steps(DOCUMENT) == [
        Command("echo one; echo two", ["one", "..."]),
        Command("false", []),
        Command("echo $?", ["1"]),
        File("a.yaml", '# file: a.yaml\na: "it\'s"\n'),
        Command("cat a.yaml", []),
    ]


def test_all_is_done_in_one_shell(tmp_path):
    done = perform(steps(DOCUMENT), tmp_path, {"PATH": "/usr/bin:/bin"}, {"false": "echo unseen > unseen; X=1"})

    assert [lines for _, lines in done] == [["one", "two"], [], ["1"], ["# file: a.yaml", 'a: "it\'s"']]
    assert (tmp_path / "unseen").read_text() == "unseen\n"


@pytest.mark.parametrize(
    ("expected", "printed", "wrong"),
    [
        (["a", "b"], ["a", "b"], None),
        (["a"], ["a", "b"], "nothing more, but there is 'b'"),
        (["a", "..."], ["a", "b", "c"], None),
        (["a", "..."], ["a"], None),
        (["...", "c"], ["a", "b", "c"], None),
        (["...", "c"], ["a", "c", "d"], "nothing more, but there is 'd'"),
        (["...", "b", "a"], ["a", "b"], "a"),
        (["a", "c"], ["a", "b", "c"], "c"),
        (["a...z", "x."], ["a to z", "x."], None),
        (["x."], ["xy"], "x."),
        ([], ["a"], "nothing more, but there is 'a'"),
        (["..."], [], None),
        (["a"], [], "a"),
    ],
)
def test_the_first_line_that_is_wrong_is_named(expected, printed, wrong):
    assert mismatch(expected, printed) == wrong
