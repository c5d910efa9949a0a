"""Claims are found by their folders; no list names them."""

from __future__ import annotations

import os

import pytest

from harness.errors import SpecError, UsageError
from harness.specification.yaml12 import read_yaml
from harness.trials import catalogue, documents
from harness.trials.catalogue import claim_folders, find, load_all, load_claim
from harness.trials.documents import load_document, load_documents
from tests.specimen import TEXT, write


def problems_of(load, *arguments):
    with pytest.raises(SpecError) as caught:
        load(*arguments)
    return caught.value.problems


def test_a_claim_is_loaded_with_its_document_and_knows_its_places(tmp_path):
    folder = write(tmp_path / "claims")
    loaded = load_claim(folder)
    assert (loaded.claim.id, loaded.document.id, loaded.path) == ("wide_beats_narrow", "notes", folder)
    assert loaded.experiment == folder / "experiment.py"
    assert loaded.project == tmp_path


def test_names_of_folders_are_ids(tmp_path):
    text = TEXT.replace("id: wide_beats_narrow", "id: wide").replace("document: notes", "document: note")
    folder = write(tmp_path, text)
    assert problems_of(load_claim, folder) == [
        f"{folder}/claim.yaml:1:1: id: is 'wide', but the folder is 'wide_beats_narrow'; make them equal",
        f"{folder}/claim.yaml:5:3: source.document: is 'note', but the folder is 'notes'; make them equal",
    ]


def test_problems_of_names_and_of_decidability_come_together_in_the_order_of_the_file(tmp_path):
    text = TEXT.replace("id: wide_beats_narrow", "id: wide").replace(
        "at: {arm: net, width: 4, scene: plain}", "at: {arm: nett, width: 4, scene: plain}"
    )
    folder = write(tmp_path, text)
    assert [problem.removeprefix(f"{folder}/claim.yaml:") for problem in problems_of(load_claim, folder)] == [
        "1:1: id: is 'wide', but the folder is 'wide_beats_narrow'; make them equal",
        "23:38: readings.as_documented.expectations.low_error.contrast.at.arm: no arm 'nett'; did you mean 'net'?",
    ]


def test_a_document_bears_the_name_of_its_folder(tmp_path):
    folder = write(tmp_path).parent
    (folder / "document.yaml").write_text((folder / "document.yaml").read_text().replace("id: notes", "id: note"))
    assert problems_of(load_document, folder) == [
        f"{folder}/document.yaml:1:1: id: is 'note', but the folder is 'notes'; make them equal"
    ]


def test_a_claim_without_a_document_cannot_be_loaded(tmp_path):
    folder = write(tmp_path)
    (folder.parent / "document.yaml").unlink()
    (problem,) = problems_of(load_claim, folder)
    assert problem.startswith(f"{folder.parent}/document.yaml:1:1: (file): cannot be read: No such file")


def test_folders_come_sorted_and_only_those_that_hold_a_claim(tmp_path):
    first, second = write(tmp_path, document="a"), write(tmp_path, document="b")
    (tmp_path / "a" / "empty").mkdir()
    assert claim_folders(tmp_path) == [first, second]
    assert claim_folders(tmp_path / "nowhere") == []


def test_claims_that_load_do_so_beside_those_that_do_not(tmp_path):
    good = write(tmp_path, document="notes")
    bad = write(tmp_path, "id: x\n", document="other")
    loaded, problems = load_all(tmp_path)
    assert [one.path for one in loaded] == [good]
    assert f"{bad}/claim.yaml:1:1: title: is missing; add it (one line)" in problems


def test_the_document_of_many_claims_is_read_once_and_again_when_it_changes(tmp_path, monkeypatch):
    read = []
    for module in (catalogue, documents):
        monkeypatch.setattr(module, "read_yaml", lambda path: read.append(path.name) or read_yaml(path))
    folder = write(tmp_path)
    for name in ("second_claim", "third_claim"):
        (folder.with_name(name)).mkdir()
        (folder.with_name(name) / "claim.yaml").write_text(TEXT.replace("id: wide_beats_narrow", f"id: {name}"))
    assert len(load_all(tmp_path)[0]) == 3
    assert sorted(read) == ["claim.yaml"] * 3 + ["document.yaml"]

    document = folder.parent / "document.yaml"
    document.write_text(document.read_text().replace("id: notes", "id: note"))
    os.utime(document, ns=(1, 1))
    assert load_all(tmp_path)[0] == []


def test_a_problem_of_a_document_is_told_once(tmp_path):
    folder = write(tmp_path)
    second = folder.parent / "another_claim"
    second.mkdir()
    (second / "claim.yaml").write_text(TEXT.replace("id: wide_beats_narrow", "id: another_claim"))
    for name in ("experiment.py", "test_claim.py"):
        (second / name).write_text("")
    (folder.parent / "document.yaml").write_text("id: notes\n")
    loaded, problems = load_all(tmp_path)
    assert loaded == []
    assert len(problems) == len(set(problems)) == 4


@pytest.mark.parametrize(
    ("name", "lack"),
    [("experiment.py", "there is nothing to measure"), ("test_claim.py", "nothing would run this claim")],
)
def test_what_a_folder_lacks_is_told(tmp_path, name, lack):
    folder = write(tmp_path)
    (folder / name).unlink()
    assert load_all(tmp_path)[1] == [f"{folder}/{name}:1:1: (file): is missing, so {lack}; copy a neighbour's"]


def test_two_claims_of_one_id_are_refused(tmp_path):
    first = write(tmp_path, document="notes")
    second = write(tmp_path, TEXT.replace("document: notes", "document: other"), document="other")
    assert load_all(tmp_path)[1] == [
        f"{second}/claim.yaml:1:1: id: 'wide_beats_narrow' is also the id of {first}; rename one"
    ]


def test_a_claim_is_found_by_its_id(tmp_path):
    folder = write(tmp_path)
    assert find(tmp_path, "wide_beats_narrow").path == folder


def test_an_unknown_id_is_refused_with_the_nearest(tmp_path):
    write(tmp_path)
    with pytest.raises(UsageError) as caught:
        find(tmp_path, "wide_beats_narow")
    assert str(caught.value) == f"no claim 'wide_beats_narow' under {tmp_path}; did you mean 'wide_beats_narrow'?"


def test_every_document_is_listed_with_or_without_claims(tmp_path):
    write(tmp_path, document="b")
    write(tmp_path, document="a")
    assert [document.id for document in load_documents(tmp_path)] == ["a", "b"]
