"""Pictures of one seed: what can be drawn, what is refused, and that a run keeps them without reading them."""

from __future__ import annotations

import base64
import struct
import zlib
from contextlib import closing

import numpy as np
import pytest

from harness.errors import TrialError
from harness.pictures import MOST_POINTS, Curves, Images, Line, Matrix, plain, png
from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.trials.catalogue import claim_folders, load_claim
from harness.trials.executor import Processes
from harness.trials.experiment import load_pictures
from harness.trials.options import Options
from harness.trials.provenance import code_of
from tests.outside import PROJECT
from tests.tiny_project import EXPERIMENT, write_claim


def test_curves_are_thinned_and_lose_what_an_axis_cannot_hold():
    x = np.arange(1000.0)
    (line,) = Curves("t", "x", "y", [Line("a", x, np.where(x == 500, np.nan, x))], log="xy").as_plain()["lines"]

    assert len(line["x"]) == len(line["y"]) == MOST_POINTS
    assert line["x"][0] == 1.0, "zero has no logarithm"
    assert line["x"][-1] == 999.0
    assert 500.0 not in line["x"]


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (Curves("t", "x", "y", []), "0 lines"),
        (Curves("t", "x", "y", [Line("a", [1], [1])] * 9), "9 lines"),
        (Curves("t", "x", "y", [Line("a", [1, 2], [1])]), "x of shape"),
        (Curves("t", "x", "y", [Line("a", [1.0], [-1.0])], log="y"), "no point"),
        (Images("t", ["a", "b"], [np.zeros((2, 2))]), "1 images and 2 captions"),
        (Images("t", ["a"], [np.zeros((65, 2))]), "shape (65, 2)"),
        (Images("t", ["a"], [np.zeros((2, 2, 3))]), "shape (2, 2, 3)"),
        (Images("t", ["a"], [np.full((2, 2), np.nan)]), "finite"),
        (Matrix("t", "d", "a", ["a"], ["b", "c"], np.array([[1], [2]])), "shape (2, 1) for 1 rows and 2 columns"),
        (Matrix("t", "d", "a", [], [], np.zeros((0, 0), int)), "1 to 16 of each"),
        (Matrix("t", "d", "a", ["a"] * 17, ["b"], np.ones((17, 1), int)), "1 to 16 of each"),
        (Matrix("t", "d", "a", ["a"], ["b"], np.array([[0.5]])), "no whole numbers"),
        (Matrix("t", "d", "a", ["a"], ["b"], np.array([[-1]])), "no whole numbers"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(picture, message):
    with pytest.raises(TrialError, match=r"illustrate\(\): .*") as error:
        plain([picture])
    assert message in str(error.value)


@pytest.mark.parametrize("returned", [None, 3, [np.zeros((2, 2))], "a picture"])
def test_what_is_no_picture_is_refused(returned):
    with pytest.raises(TrialError, match="not Curves, Images or Matrix"):
        plain(returned)


def test_a_png_holds_the_grey_values():
    grey = np.array([[0, 128, 255], [7, 8, 9]], dtype=np.uint8)
    file = png(grey)

    assert file.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", file[16:24]) == (3, 2)
    data = file[file.index(b"IDAT") + 4 :]
    rows = zlib.decompressobj().decompress(data)
    assert np.array_equal(np.frombuffer(rows, np.uint8).reshape(2, 4)[:, 1:], grey)


def test_images_are_scaled_between_black_and_white():
    (image,) = Images("t", ["a"], [np.array([[-1.0, 0.0, 1.0]])], low=-1.0).as_plain()["images"]
    data = base64.b64decode(image["png"])
    rows = zlib.decompressobj().decompress(data[data.index(b"IDAT") + 4 :])

    assert list(rows[1:]) == [0, 128, 255]


def test_a_matrix_keeps_its_counts_row_by_row():
    drawn = Matrix("t", "digit", "taken for", ["3", "5"], ["3", "5"], np.array([[7, 2], [0, 9]])).as_plain()

    assert drawn["rows"] == [{"name": "3", "counts": [7, 2]}, {"name": "5", "counts": [0, 9]}]
    assert drawn["columns"] == ["3", "5"]
    assert (drawn["down"], drawn["across"]) == ("digit", "taken for")


DRAWS = """from harness.pictures import Curves, Line

CALLS = []


def illustrate(experiment, seed, arms):
    CALLS.append(seed)
    levels = {arm: experiment.measure(arm, (seed,), **{**own, "spread": 0.0})["level"][0] for arm, own in arms.items()}
    return Curves("level", "x", "y", [Line(arm, [0, 1], [0, level]) for arm, level in levels.items()])
"""


def test_a_run_draws_once_and_keeps_what_was_drawn(tmp_path, run, store):
    folder = write_claim(tmp_path, pictures=DRAWS)
    first, second = run(folder, run_id="a"), run(folder, run_id="b")

    (drawn,) = first.illustrations
    assert drawn.title == "level"
    assert [line.name for line in drawn.lines] == ["cold", "warm"]
    assert drawn.lines[1].y == [0.0, 1.0]
    assert second.illustrations == first.illustrations
    assert len(store._read("SELECT * FROM beside")) == 1


def test_pictures_change_no_verdict_and_a_failure_is_said(tmp_path, run):
    plain_claim = run(write_claim(tmp_path / "a"))
    broken = DRAWS.replace("CALLS.append(seed)", "raise ValueError('no colours left')")
    failed = run(write_claim(tmp_path / "b", pictures=broken))

    assert plain_claim.illustrations == []
    (error,) = failed.illustrations
    assert error.kind == "error"
    assert "no colours left" in error.title
    assert failed.readings["as_documented"].verdict == plain_claim.readings["as_documented"].verdict
    assert failed.trials.measured == 0, "trials of the claim without pictures are its trials"
    assert failed.errors == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Line(arm, [0, 1]", "Line(1, [0, 1]", "pictures[0].curves.lines[0].name: should be a valid string, not 1"),
        (
            '"y", [Line',
            '"y", log="z", lines=[Line',
            "pictures[0].curves.log: should be '', 'x', 'y' or 'xy', not 'z'",
        ),
    ],
)
def test_what_is_named_by_no_text_is_refused_in_its_place_and_changes_no_verdict(tmp_path, run, old, new, message):
    record = run(write_claim(tmp_path, pictures=DRAWS.replace(old, new)))

    (error,) = record.illustrations
    assert error.kind == "error"
    assert message in error.title
    assert record.readings["as_documented"].verdict == "VERIFIED"


def test_half_a_surrogate_pair_in_a_title_is_kept(tmp_path, run, store):
    """A name of a file may bring it."""
    record = run(write_claim(tmp_path, pictures=DRAWS.replace('"level", "x"', '"level \\udc80", "x"')))

    assert record.illustrations[0].title == "level \udc80"
    assert store.records("run")[0].illustrations == record.illustrations


def test_a_changed_drawing_is_drawn_anew_and_no_trial_is_measured_again(tmp_path, run):
    """And what is said of it in a comment changes neither."""
    folder = write_claim(tmp_path, pictures=DRAWS)
    run(folder, run_id="a")
    (folder / "pictures.py").write_text("# why\n" + DRAWS)
    said = run(folder, run_id="b")
    load_pictures.cache_clear()
    (folder / "pictures.py").write_text(DRAWS.replace('Curves("level"', 'Curves("other"'))
    redrawn = run(folder, run_id="c")

    assert said.illustrations[0].title == "level"
    assert redrawn.illustrations[0].title == "other"
    for record in (said, redrawn):
        assert record.trials.measured == 0


def test_what_pictures_read_and_import_is_nothing_that_trials_rest_on(tmp_path, run, store):
    """Even where they are drawn first, by the process that then measures: pictures.py comes first in a batch."""
    read = tmp_path / "palette.txt"
    read.write_text("blue")
    (tmp_path / "inks.py").write_text("INK = 1\n")
    reads = f"Path({str(read)!r}).read_text()"
    head = f"from pathlib import Path\n\nimport inks\n\nPALETTE = {reads}\n\n"
    folder = write_claim(tmp_path, pictures=head + DRAWS.replace("CALLS.append(seed)", f"CALLS.append({reads})"))
    first = run(folder, run_id="a")
    read.write_text("red")

    second = run(folder, run_id="b")

    assert first.illustrations[0].title == "level"
    assert second.trials.measured == 0


def test_an_experiment_that_imports_by_name_rests_on_everything_but_its_pictures(tmp_path, store):
    """Whatever is loaded counts for it, in a process of its own as in any; pictures.py, which is drawn first there, does not."""
    dynamic = EXPERIMENT + "\n\nimport importlib\n\nMATH = importlib.import_module('math')\n"
    folder = write_claim(tmp_path, experiment=dynamic, pictures=DRAWS)
    with closing(Processes(1)) as alone:
        first = run_claim(load_claim(folder), Context(Options(workers=1), store, lambda _: alone, "a"))
        (folder / "pictures.py").write_text(DRAWS.replace('"level", "x"', '"level", "z"'))
        second = run_claim(load_claim(folder), Context(Options(workers=1), store, lambda _: alone, "b"))

    assert first.illustrations[0].title == "level"
    assert (first.measured_again, first.trials.measured) == ([], 18)
    assert second.trials.measured == 0


@pytest.mark.parametrize(
    ("text", "message"), [("", "has no function illustrate"), ("import nothing_there", "cannot be imp")]
)
def test_pictures_that_cannot_be_called_say_so_in_their_place(tmp_path, run, text, message):
    record = run(write_claim(tmp_path, pictures=text))

    (error,) = record.illustrations
    assert error.kind == "error"
    assert "pictures.py: " + message in error.title
    assert record.errors == []


@pytest.mark.parametrize("folder", claim_folders(PROJECT / "claims"), ids=lambda folder: folder.name)
def test_no_trial_of_a_claim_rests_on_what_only_draws(folder):
    """Nor on what only puts words into a report."""
    modules = code_of(folder / "experiment.py", PROJECT).modules
    drawing = ["harness/pictures.py", "harness/_text.py", "harness/training/learning_curve.py"]

    assert "harness/seeds.py" in modules
    assert not [name for name in modules if name in drawing or name.endswith(f"{folder.name}/pictures.py")]
