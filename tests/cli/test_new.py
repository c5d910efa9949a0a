"""Beginnings: what `claims init` and `claims new` write, and what they leave alone."""

from __future__ import annotations

import itertools
import random
import re
import subprocess
import sys

import pytest

from harness.cli.new import IGNORED, NAME, PYTEST, start_claim, start_project
from harness.errors import UsageError
from harness.specification.models import Claim
from harness.trials.catalogue import load_claim

CLAIM = "notes/warm_exceeds_cold"


def texts(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_init_writes_what_a_project_needs(tmp_path, claims):
    code, out, _ = claims("init")

    assert code == 0
    assert set(texts(tmp_path)) == {".gitignore", "claims/README.md", "claims/claim.schema.json"}
    assert out.splitlines() == [
        f"wrote {tmp_path}/claims/README.md",
        f"wrote {tmp_path}/claims/claim.schema.json",
        f"wrote {tmp_path}/.gitignore",
        PYTEST,
        f"next: cd {tmp_path}; claims new DOCUMENT/CLAIM",
    ]
    assert (tmp_path / ".gitignore").read_text().splitlines() == list(IGNORED)


def test_init_makes_the_folder_that_is_named(tmp_path, claims):
    _, out, _ = claims("init", "here/there")

    assert (tmp_path / "here/there/claims/README.md").is_file()
    assert out.splitlines()[-1] == f"next: cd {tmp_path}/here/there; claims new DOCUMENT/CLAIM"


def test_init_overwrites_nothing_and_says_so(tmp_path, claims):
    claims("init", "--workflow")
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.name != ".gitignore":
            path.write_text("mine")
    before = texts(tmp_path)

    code, out, _ = claims("init", "--workflow")

    assert code == 0
    assert texts(tmp_path) == before
    assert len(re.findall(rf"^left {tmp_path}/.* as it was", out, re.MULTILINE)) == 4
    assert "wrote" not in out


def test_init_adds_to_gitignore_what_is_lacking_and_keeps_the_rest(tmp_path):
    (tmp_path / ".gitignore").write_text("*.pyc\n/.claims")

    lines = start_project(tmp_path)

    assert (tmp_path / ".gitignore").read_text() == "*.pyc\n/.claims\nreports/latest/\n"
    assert f"added to {tmp_path}/.gitignore: reports/latest/" in lines
    assert f"left {tmp_path}/.gitignore as it was" in start_project(tmp_path)


def test_init_into_a_file_is_one_clear_line(tmp_path, claims):
    (tmp_path / "taken").write_text("")

    code, _, error = claims("init", "taken")

    assert code == 2
    assert error == f"{tmp_path}/taken/claims: Not a directory; give a folder that can be written to\n"


def test_a_new_claim_passes_check(tmp_path, claims):
    claims("init")

    code, out, _ = claims("new", CLAIM)

    folder = tmp_path / "claims" / CLAIM
    assert code == 0
    assert out.splitlines()[:-1] == [
        str(path)
        for path in (
            folder.parent / "document.yaml",
            *(folder / name for name in ("claim.yaml", "experiment.py", "sabotage.yaml", "test_claim.py")),
        )
    ]
    assert f"write measure() in {folder}/experiment.py" in out.splitlines()[-1]
    assert claims("check") == (0, "1 claim is sound, 0 problems\n", "")


SHORT = ["".join(letters) for n in (1, 2) for letters in itertools.product("a0_z", repeat=n) if letters[0] in "az"]
WORDS = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "inf", "nan", "e1", "x1e5", "o17", "import", "id"]
ODD = ["a___", "a_b", "a" * 80, "z" + "_" * 79, "ab_" * 26 + "c", "warm_exceeds_cold"]


def names(number):
    """Return names of every length, drawn from one stream."""
    chance = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [
        chance.choice(letters) + "".join(chance.choices(letters + "0123456789___", k=chance.randrange(80)))
        for _ in range(number)
    ]


def test_a_new_claim_of_any_name_passes_check_as_it_stands(tmp_path, claims):
    claims("init")
    wanted = list(dict.fromkeys([*SHORT, *WORDS, *ODD, *names(60)]))
    for name in wanted:
        claims("new", f"{name}/{name}")

    assert all(NAME.fullmatch(name) for name in wanted)
    assert claims("check") == (0, f"{len(wanted)} claims are sound, 0 problems\n", "")


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        (None, "Warm exceeds cold"),
        ('A "title": with # everything', 'A "title": with # everything'),
        ("$id ${title} $$", "$id ${title} $$"),
        ("Größer als 日本 😀", "Größer als 日本 😀"),
    ],
)
def test_the_title_reaches_the_specification_as_it_is(tmp_path, title, shown):
    start_project(tmp_path)

    assert load_claim(start_claim(tmp_path, CLAIM, title)).claim.title == shown


def test_a_document_that_is_there_is_left_alone(tmp_path, claims):
    claims("init")
    claims("new", CLAIM)
    document = tmp_path / "claims/notes/document.yaml"
    document.write_text(document.read_text().replace("who wrote it", "Ada Lovelace"))

    assert claims("new", "notes/cold_exceeds_warm")[0] == 0
    assert load_claim(tmp_path / "claims/notes/cold_exceeds_warm").document.authors == "Ada Lovelace"


def test_the_test_of_a_new_claim_fails_by_one_line_that_names_what_to_write(tmp_path):
    start_project(tmp_path)
    folder = start_claim(tmp_path, CLAIM)
    command = [sys.executable, "-m", "pytest", "claims", "--claims-workers=1", "-q", "--no-header"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    lines = done.stdout.splitlines()
    heads = [index for index, line in enumerate(lines) if re.fullmatch(r"_+ test_\w+\[\w+\] _+", line)]
    assert done.returncode == 4
    assert len(heads) == 2
    for head, end in zip(heads, [heads[1], len(lines)], strict=True):
        assert re.fullmatch(rf"{re.escape(str(folder))}/experiment.py:\d+: write measure\(\); .*", lines[head + 1])
        assert "experiment.py" not in "".join(lines[head + 2 : min(end, head + 3)])
    assert "Traceback" not in done.stdout


def test_a_new_claim_is_sound_once_measure_is_written(tmp_path, run):
    start_project(tmp_path)
    folder = start_claim(tmp_path, CLAIM)
    text = (folder / "experiment.py").read_text()
    body = """import numpy
    levels = {"old": 0.5, "new": 0.3}
    return {"error": numpy.array([seed.numpy("split").normal(levels[method], 0.01) for seed in seeds])}
"""
    assert 'raise NotImplementedError("write measure()")\n' in text
    (folder / "experiment.py").write_text(text.replace('raise NotImplementedError("write measure()")\n', body))

    record = run(folder)

    assert record.readings["as_documented"].verdict == "VERIFIED"
    assert record.controls["the_same_way_twice"].behaves


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("warm", "give DOCUMENT/CLAIM"),
        ("notes/one/two", "give DOCUMENT/CLAIM"),
        ("../notes/warm", "give DOCUMENT/CLAIM"),
        ("../warm", "'..' is no name"),
        ("notes/..", "'..' is no name"),
        ("/warm", "'' is no name"),
        ("notes/", "'' is no name"),
        ("Notes/warm", "'Notes' is no name"),
        ("notes/warm-cold", "'warm-cold' is no name"),
        ("notes/9_warm", "'9_warm' is no name"),
        ("notes/warm\n", "is no name"),
        ("notes/" + "w" * 81, "at most 80"),
    ],
)
def test_a_name_that_is_none_is_refused_and_nothing_is_written(tmp_path, claims, name, words):
    claims("init")
    before = texts(tmp_path)

    code, _, error = claims("new", name)

    assert code == 2
    assert words in error
    assert len(error.splitlines()) == 1
    assert texts(tmp_path) == before


@pytest.mark.parametrize("again", [CLAIM, "other/warm_exceeds_cold"])
def test_an_id_is_given_once(tmp_path, claims, again):
    claims("init")
    claims("new", CLAIM)
    before = texts(tmp_path)

    code, _, error = claims("new", again)

    assert code == 2
    assert error == f"{tmp_path}/claims/{CLAIM}: is there already; nothing was written, choose another name\n"
    assert texts(tmp_path) == before


def test_a_folder_that_is_no_claim_yet_is_left_alone_too(tmp_path):
    start_project(tmp_path)
    (tmp_path / "claims" / CLAIM).mkdir(parents=True)

    with pytest.raises(UsageError, match="is there already"):
        start_claim(tmp_path, CLAIM)


@pytest.mark.parametrize("title", ["a\x1b[2Jb", "two\nlines", "t" * 161, "  "])
def test_a_title_that_is_no_line_of_text_is_refused(tmp_path, claims, title):
    claims("init")

    code, _, error = claims("new", CLAIM, "--title", title)

    assert code == 2
    assert "title" in error
    assert "\x1b" not in error
    assert not (tmp_path / "claims/notes").exists()


def test_new_without_a_project_names_the_remedy(tmp_path, claims):
    code, _, error = claims("new", CLAIM)

    assert code == 2
    assert error == f"{tmp_path}/claims: no such folder; `claims init` begins a project, or give --root\n"


def test_a_document_that_is_a_file_is_one_clear_line(tmp_path, claims):
    claims("init")
    (tmp_path / "claims/notes").write_text("")

    code, _, error = claims("new", CLAIM)

    assert code == 2
    assert error == f"{tmp_path}/claims/{CLAIM}: Not a directory; nothing else was written\n"


def test_names_are_those_of_the_specification():
    assert f"^{NAME.pattern}$" == Claim.model_json_schema()["properties"]["id"]["pattern"]
