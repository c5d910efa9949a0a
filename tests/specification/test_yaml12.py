"""YAML as data: 1.2 scalars, positions of everything, and nothing that hides."""

from __future__ import annotations

import contextlib
import math
import os
import time

import pytest

from harness.errors import SpecError
from harness.specification.yaml12 import (
    DEEPEST_NESTING,
    LARGEST_FILE,
    LONGEST_NAME,
    MOST_NODES,
    MOST_PROBLEMS,
    dotted,
    read_yaml,
)
from tests.fuzz.loading import LIMIT, seconds_of
from tests.fuzz.specs import LAUGHS


@pytest.fixture
def read(tmp_path):
    def read_text(text):
        path = tmp_path / "claim.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_yaml(path)

    return read_text


@pytest.fixture
def problems(read, tmp_path):
    """Return the problems of a text, the path of the file cut off."""

    def problems_of_text(text):
        with pytest.raises(SpecError) as caught:
            read(text)
        prefix = f"{tmp_path / 'claim.yaml'}:"
        assert all(problem.startswith(prefix) for problem in caught.value.problems)
        return [problem.removeprefix(prefix) for problem in caught.value.problems]

    return problems_of_text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1.0e-8", 1e-8),
        ("1E5", 1e5),
        (".5", 0.5),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("012", 12),
        ("+7", 7),
        ("-7", -7),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("0x10", "0x10"),
        ("2026-01-01", "2026-01-01"),
        ("on", "on"),
        ("no", "no"),
        ("Yes", "Yes"),
        ("true", True),
        ("False", False),
        ("tRue", "tRue"),
        ("null", None),
        ("~", None),
        ("", None),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("'1'", "1"),
        ('"true"', "true"),
        ("e5", "e5"),
        (".", "."),
        ("1/n_test", "1/n_test"),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_scalars_are_those_of_yaml_1_2(read, text, value):
    found = read(f"x: {text}").value["x"]
    assert found == value
    assert type(found) is type(value)


def test_nan_is_a_number(read):
    assert math.isnan(read("x: .nan").value["x"])


def test_mappings_and_lists_become_plain_values(read):
    assert read("a: {b: [1, two, {c: 3.0}]}\n1: x\n").value == {"a": {"b": [1, "two", {"c": 3.0}]}, "1": "x"}


@pytest.mark.parametrize(
    ("location", "position"),
    [
        ((), (1, 1)),
        (("a",), (1, 1)),
        (("a", "b"), (2, 3)),
        (("a", "b", 1), (2, 10)),
        (("a", "missing"), (1, 1)),
        (("a", "b", 7), (2, 3)),
        (("a", "b", 0, "deeper"), (2, 7)),
    ],
)
def test_every_part_of_a_file_has_its_position_or_that_of_what_holds_it(read, location, position):
    assert read("a:\n  b: [1, 2]\n").position(location) == position


def test_a_problem_names_file_line_column_and_field(read, tmp_path):
    assert read("a:\n  b: [1, 2]\n").problem(("a", "b", 1), "is two; make it one") == (
        f"{tmp_path / 'claim.yaml'}:2:10: a.b[1]: is two; make it one"
    )


@pytest.mark.parametrize(
    ("location", "text"),
    [
        ((), "(file)"),
        (("a",), "a"),
        (("a", 0, "b", 1, 2), "a[0].b[1][2]"),
        ((3,), "[3]"),
        (("",), "''"),
        (("a", "b\nc"), "a.'b\\nc'"),
    ],
)
def test_locations_are_written_with_dots_and_brackets(location, text):
    assert dotted(location) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", ["3:1: a: duplicate key 'a', first at line 1; keep one"]),
        ("x:\n  1: a\n  '1': b\n", ["3:3: x.1: duplicate key '1', first at line 2; keep one"]),
        ("a: &x [1]\nb: *x\n", ["1:4: b: aliases are refused; write the value out"]),
        ("a: &x y\n*x : 1\n", ["1:4: y: aliases are refused; write the value out"]),
        ("a: &x [*x]\n", ["1:4: a[0]: aliases are refused; write the value out"]),
        (
            "a: !!python/object/apply:os.getcwd []\n",
            [
                "1:4: a: the tag 'tag:yaml.org,2002:python/object/apply:os.getcwd' is refused; YAML here is data, never code"
            ],
        ),
        ("a: !include x.yaml\n", ["1:4: a: the tag '!include' is refused; YAML here is data, never code"]),
        ("a: !!set {b, c}\n", ["1:4: a: the tag 'tag:yaml.org,2002:set' is refused; YAML here is data, never code"]),
        ("a: !!int foo\n", ["1:4: a: the tag 'tag:yaml.org,2002:int' is refused; YAML here is data, never code"]),
        ("a: !!bool maybe\n", ["1:4: a: the tag 'tag:yaml.org,2002:bool' is refused; YAML here is data, never code"]),
        ("a: !!str 12\n", ["1:4: a: the tag 'tag:yaml.org,2002:str' is refused; YAML here is data, never code"]),
        ("!!int a: 1\n", ["1:1: a: the tag 'tag:yaml.org,2002:int' is refused; YAML here is data, never code"]),
        ("a:\n  ? [x]\n  : 1\n", ["2:5: a: a key must be plain text; write `name: value`"]),
        ("a: 9223372036854775808\n", ["1:4: a: is a whole number beyond 64 bits; write it as a decimal, such as 1e30"]),
        (f"a: {'9' * 5000}\n", ["1:4: a: is a whole number beyond 64 bits; write it as a decimal, such as 1e30"]),
        (
            "a: 1\na: 2\nb: !x y\n",
            [
                "2:1: a: duplicate key 'a', first at line 1; keep one",
                "3:4: b: the tag '!x' is refused; YAML here is data, never code",
            ],
        ),
        ("", ["1:1: (file): is empty; `claims new DOCUMENT/CLAIM` writes an example"]),
        ("# only this\n", ["1:1: (file): is empty; `claims new DOCUMENT/CLAIM` writes an example"]),
        (b"a: 1\nb: \xff\n", ["2:1: (file): is not UTF-8 (byte 8); save it as UTF-8"]),
        ("a: 1\n%YAML 1.2\n", ["2:1: (file): YAML directives are refused; leave the line that begins with % out"]),
        ("a: [1\n", ["2:1: (file): is not valid YAML: did not find expected ',' or ']'"]),
        ("a: 1\n---\nb: 2\n", ["2:1: (file): is not valid YAML: but found another document"]),
        ("a: 'x\n", ["2:1: (file): is not valid YAML: found unexpected end of stream"]),
        ("a" * (LARGEST_FILE + 1), ["1:1: (file): has 100,001 bytes, more than 100,000; a claim is short"]),
    ],
)
def test_what_is_refused_and_why(problems, text, expected):
    assert problems(text) == expected


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_refused_at_once_instead_of_overflowing_the_stack(problems, opening):
    started = time.process_time()
    (problem,) = problems(opening * (LARGEST_FILE // len(opening)))
    assert problem.endswith(f"(file): is nested more than {DEEPEST_NESTING} levels deep; a claim is flat")
    assert time.process_time() - started < 0.2


def test_nesting_within_the_limit_is_read(read):
    assert read("[" * DEEPEST_NESTING + "]" * DEEPEST_NESTING).value


def test_a_control_character_is_refused(problems):
    (problem,) = problems("a: \x07\n")
    assert problem.startswith("1:1: (file): is not valid YAML: ")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SpecError) as caught:
        read_yaml(tmp_path / "claim.yaml")
    assert caught.value.problems == [
        f"{tmp_path / 'claim.yaml'}:1:1: (file): cannot be read: No such file or directory; check the path and its permissions"
    ]


def test_a_billion_laughs_are_refused_at_the_first(read, problems):
    found = problems(LAUGHS)
    assert found[0].endswith("l1[0]: aliases are refused; write the value out")


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS,
        f"x: [{'*a, ' * 20_000}]\n",
        f"x: &a [{'*a, ' * 20_000}]\n",
        "".join(f"&a{i} k{i}: *a{i}\n" for i in range(4500)),
        "- " * 30 + f"[{'a, ' * 30_000}]\n",
        "a: 1\n" * 15_000,
        "%TAG !x! y\n" * 8000 + "---\na: 1\n",
        "{" + ", ".join(f"{'k' * 60}{i}: 1" for i in range(1400)) + "}\n",
        f"a: '{'x' * 99_000}'\n",
        f"a: {'9' * 99_000}\n",
    ],
    ids=[
        "laughs",
        "aliases",
        "aliases to itself",
        "anchors",
        "items",
        "duplicates",
        "directives",
        "keys",
        "text",
        "digits",
    ],
)
def test_no_file_within_the_limit_takes_long(read, text):
    def load():
        with contextlib.suppress(SpecError):
            read(text)

    assert len(text) <= LARGEST_FILE
    assert seconds_of(load) < LIMIT


def test_more_keys_and_values_than_a_claim_has_are_refused(read, problems):
    assert len(read(f"[{', '.join('1' * (MOST_NODES - 1))}]").value) == MOST_NODES - 1
    (problem,) = problems(f"[{', '.join('1' * MOST_NODES)}]")
    assert problem.endswith(f"(file): has more than {MOST_NODES:,} keys and values; a claim is short")


def test_of_many_problems_the_first_are_told(problems):
    found = problems("a: 1\n" * 1000)
    assert len(found) == MOST_PROBLEMS + 1
    assert found[0].startswith("2:1: a: duplicate key 'a'")
    assert found[-1] == f"1:1: (file): has at least {999 - MOST_PROBLEMS} more problems; mend the first ones"


def test_a_long_name_is_cut_where_it_is_told(problems):
    (problem,) = problems(f"? {'k' * 5000}\n: !x y\n")
    assert len(problem) < LONGEST_NAME + 100


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "claim.yaml")
    with pytest.raises(SpecError, match=r"claim\.yaml:1:1: \(file\): is no ordinary file; put the specification"):
        read_yaml(tmp_path / "claim.yaml")


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "claim.yaml").mkdir()
    with pytest.raises(SpecError, match="is no ordinary file"):
        read_yaml(tmp_path / "claim.yaml")
