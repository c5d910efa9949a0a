"""Metrics are read from JSON, JSON Lines, CSV and TSV; whatever is no finite number is told with what stands there."""

from __future__ import annotations

import pytest

from harness.errors import TrialError
from harness.trials.command_output import metrics_of


def read(tmp_path, name, text, key="acc", take="last"):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    place = {"key": key, "file": f"{{out}}/{name}", "take": take}
    return metrics_of({"metric": place}, "", {"out": str(tmp_path)})["metric"]


def printed(text, key="acc"):
    return metrics_of({"metric": {"key": key, "file": None, "take": "last"}}, text, {})["metric"]


@pytest.mark.parametrize(
    ("text", "key", "number"),
    [
        ('epoch 1\n{"acc": 0.5}\n\n', "acc", 0.5),
        ('{"acc": 0.1}\n{"acc": 0.5}', "acc", 0.5),
        ('50%\r100%\r{"acc": 1}', "acc", 1.0),
        ('{"eval": {"runs": [{"acc": 2}, {"acc": 3}]}}', "eval.runs.1.acc", 3.0),
        ('{"eval.acc": 4, "eval": {"acc": 5}}', "eval.acc", 4.0),
        ('{"solved": true}', "solved", 1.0),
    ],
)
def test_the_last_line_of_standard_output(text, key, number):
    assert printed(text, key) == number


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"acc": 0.5,\n "loss": 1}'),
        ("a.jsonl", '{"acc": 0.7}\n{"acc": 0.5, "note": "a\u2028b"}\n{"loss": 3}\n'),
        ("a.ndjson", '{"acc": 0.5}\n'),
        ("a.csv", 'epoch,acc,"a\nb"\r\n1,0.7,x\r\n2,0.5,y\r\n3,,z\r\n'),
        ("a.csv", "\ufeffacc\n0.5\n"),
        ("a.tsv", "epoch\tacc\n1\t0.5\n"),
    ],
)
def test_files_by_their_endings(tmp_path, name, text):
    assert read(tmp_path, name, text) == 0.5


@pytest.mark.parametrize(("take", "number"), [("last", 0.5), ("min", 0.25), ("max", 1.0), ("mean", 0.5833333333333334)])
def test_rows_are_reduced_as_asked_for_and_those_without_the_metric_left_out(tmp_path, take, number):
    assert read(tmp_path, "a.csv", "acc,other\n0.25,\n1.0,\n,7\n0.5,\n", take=take) == number
    assert read(tmp_path, "a.jsonl", '{"acc":0.25}\n{"acc":1.0}\n{"other":7}\n{"acc":0.5}\n', take=take) == number


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no JSON object, but ''; let the script print json.dumps({...}) as its last line"),
        ("done", "is no JSON object, but 'done'; let the script print json.dumps({...}) as its last line"),
        ("[1]", "is no JSON object, but '[1]'; let"),
        ('{"loss": 1, "top1": 2}', "has no 'acc', but 'loss, top1'; name one under `metrics`"),
        ('{"acc": null}', "has no 'acc', but 'acc'; name one"),
        ('{"acc": "0.5"}', "has acc '0.5', which is no number; write a number there"),
        ('{"acc": [1]}', "has acc [1], which is no number; write a number there"),
        ('{"acc": NaN}', "has acc nan, which is no finite number; a trial that yields none has failed"),
        ('{"acc": -Infinity}', "has acc -inf, which is no finite number"),
        (f'{{"acc": 1{"0" * 400}}}', "has acc 10000"),
        ("[" * 100_000, "is no JSON object, but '[[[["),
    ],
)
def test_what_is_no_number_is_told(text, words):
    with pytest.raises(TrialError) as caught:
        printed(text)

    assert str(caught.value).startswith(f"metrics.metric: the last line of standard output {words}")
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.json", '{"acc": 1', "is no JSON ("),
        ("a.json", b"\xff", "is no JSON ("),
        ("a.jsonl", '{"acc": 1}\n{"acc": 0.', "is no JSONL ("),
        ("a.jsonl", "\n", "holds no row; let the script write one at least"),
        ("a.csv", "acc\n", "holds no row; let the script write one at least"),
        ("a.csv", "acc\nhigh\n", "has acc 'high', which is no number"),
        ("a.csv", "acc\nnan\n", "has acc nan, which is no finite number"),
        ("a.csv", "loss,top1\n1,2\n", "has no 'acc', but 'loss, top1'"),
    ],
)
def test_of_files_too(tmp_path, name, text, words):
    with pytest.raises(TrialError) as caught:
        read(tmp_path, name, text)

    assert str(caught.value).startswith(f"metrics.metric: {{out}}/{name} {words}")


def test_one_bad_row_fails_a_reduction_and_not_the_last(tmp_path):
    text = "acc\nhigh\n0.5\n"

    assert read(tmp_path, "a.csv", text) == 0.5
    with pytest.raises(TrialError, match="'high'"):
        read(tmp_path, "a.csv", text, take="mean")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(
        TrialError, match=r"\{out\}/a.json cannot be read \(No such file or directory\); let the script write it"
    ):
        metrics_of({"m": {"key": "m", "file": "{out}/a.json", "take": "last"}}, "", {"out": str(tmp_path)})
