"""Broken files by the hundred; and a fuzzer that would notice what it looks for."""

from __future__ import annotations

import random
import time
from unittest import mock

import pytest

from fixtures import mnist
from harness.errors import SpecError
from tests.fuzz import __main__ as campaign
from tests.fuzz import digits, specs
from tests.fuzz.__main__ import explore, main
from tests.fuzz.campaign import Counts, fuzz_digits, fuzz_specs, shown
from tests.fuzz.loading import LIMIT, Outcome, one_problem, outcome_of


def test_broken_specifications_are_accepted_or_refused_in_words(tmp_path):
    counts = fuzz_specs(tmp_path, 300, 1, tmp_path / "keep")

    assert not counts.wrong, shown([counts], 1)
    assert sum(counts.words.values()) == 300
    # Most changes break something, but not all: else the loader would not have been asked.
    assert counts.words["refused"] > counts.words["accepted"] > 0
    assert not (tmp_path / "keep").exists()


def test_broken_data_files_are_accepted_or_refused_in_words(tmp_path):
    counts = fuzz_digits(tmp_path, 200, 1, tmp_path / "keep")

    assert not counts.wrong, shown([counts], 1)
    assert counts.words["refused"] > counts.words["accepted"] > 0


def test_the_same_seed_breaks_the_same_files_alike():
    sources = specs.originals()
    assert specs.mutated(3, 5, sources) == specs.mutated(3, 5, sources)
    assert len({specs.mutated(3, index, sources)[1] for index in range(50)}) > 40


@pytest.mark.parametrize("change", dict.fromkeys(specs.CHANGES), ids=lambda c: c.__name__)
def test_every_change_changes_something(change):
    text = specs.originals()[0].text
    assert any(change(text, random.Random(index)) != text for index in range(20))


def test_an_error_of_another_kind_is_a_traceback(tmp_path):
    with mock.patch.object(specs, "load_claim", side_effect=KeyError("x")):
        counts = fuzz_specs(tmp_path, 2, 0, tmp_path / "keep")

    assert counts.words == {"accepted": 0, "refused": 0, "traceback": 2}
    first = specs.mutated(0, 0, specs.originals())[1]
    assert (tmp_path / "keep/claim.yaml_0").read_bytes() == first
    assert "KeyError: 'x'" in (tmp_path / "keep/claim.yaml_0.txt").read_text()


@pytest.mark.parametrize("problems", [[], ["something is wrong"], ["a/claim.yaml:1:1: x: y", "a/claim.yaml:1: x: y"]])
def test_a_refusal_that_names_no_place_is_as_bad(problems):
    def refuse():
        raise SpecError(problems)

    assert outcome_of(refuse, SpecError, one_problem).word == "traceback"


def test_a_slow_file_is_timed_again_and_kept_if_it_stays_slow(tmp_path):
    calls = []

    def slow_at_first(*_):
        calls.append(time.process_time())
        while len(calls) == 1 and time.process_time() < calls[0] + 1.1 * LIMIT:
            pass

    assert not outcome_of(slow_at_first, SpecError, one_problem).slow
    assert len(calls) == 4
    counts = Counts("files")
    counts.add(0, Outcome("refused", LIMIT), b"content", tmp_path)
    assert counts.wrong
    assert (tmp_path / "files_0").read_bytes() == b"content"


def test_a_reader_that_believes_a_header_is_found_out(tmp_path):
    with mock.patch.object(mnist, "read_digits", side_effect=lambda *_: bytearray(2 * digits.LARGEST)):
        counts = fuzz_digits(tmp_path, 1, 0, tmp_path / "keep")

    assert counts.words["traceback"] == 1


@pytest.fixture
def property_test(tmp_path, monkeypatch):
    """A property test that notes what it is tried on, under the settings of ours; and what it noted."""
    monkeypatch.setenv("PYTHONPATH", str(specs.PROJECT))
    monkeypatch.delenv("PYTEST_ADDOPTS")
    (tmp_path / "conftest.py").write_text("import tests.properties\n")
    path, notes = tmp_path / "test_property.py", tmp_path / "notes"
    path.write_text(
        "from hypothesis import given, strategies as st\n\n@given(st.integers(0, 10**9))\ndef test_it(number):\n"
        f"    with open({str(notes)!r}, 'a') as file:\n        file.write(f'{{number}} ')\n    assert number >= 0\n"
    )

    def noted():
        numbers = notes.read_text().split()
        notes.unlink()
        return numbers

    return path, noted


def test_exploring_follows_from_its_seed_and_tries_more_than_the_tests_do(property_test):
    path, noted = property_test
    first, again, other = [(explore(str(path), seed), noted()) for seed in (1, 1, 2)]

    assert first == again
    assert (first[0], other[0]) == (0, 0)
    assert len(set(first[1])) > 500
    assert len(set(first[1]) & set(other[1])) < 100


def test_a_property_that_does_not_hold_fails_the_campaign(property_test, capfd):
    path, _ = property_test
    path.write_text(path.read_text().replace("number >= 0", "number < 10**8"))
    words = ["--specs", "0", "--digits", "0", "--seed", "7", "--properties", str(path)]

    assert main(words) == 1
    said = capfd.readouterr().out
    assert said.startswith("nox -s fuzz -- --seed 7 does the same again\n")
    assert f"pytest {path} -m hypothesis --hypothesis-profile=explore --hypothesis-seed=7" in said


def test_the_campaign_tells_its_counts_and_fails_if_anything_went_wrong(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(campaign, "explore", lambda *_: 0)
    arguments = ["--specs", "5", "--digits", "5", "--keep", str(tmp_path / "keep")]
    assert main(arguments) == 0
    assert "claim.yaml: 5: " in capsys.readouterr().out
    with mock.patch.object(specs, "load_claim", side_effect=RecursionError):
        assert main(arguments) == 1
    out = capsys.readouterr().out
    assert "0 accepted, 0 refused, 5 traceback; " in out
    assert f"  kept: {tmp_path / 'keep/claim.yaml_4'}" in out
