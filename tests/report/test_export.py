"""What a store holds, in the formats of other tools, read back by the tools themselves."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace

import pytest

from harness.cli.main import main
from harness.errors import UsageError
from harness.report.export import needed
from harness.report.export.facts import facts_of, seconds_of
from harness.report.export.mlflow import DIGEST, KEY, _Target
from harness.store.store import Store
from tests.reported import make_reports


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with a store of several runs, and the report of one of them."""
    root = tmp_path_factory.mktemp("exported")
    return root, make_reports(root)["night"]


@pytest.fixture
def export(project, capsys):
    """Call `claims export` on that store; return exit code, standard output and standard error."""

    def call(*arguments):
        code = main(["--root", str(project[0]), "export", "--store", "store.sqlite3", *map(str, arguments)])
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def facts(project):
    with closing(Store.copy_of(project[0] / "store.sqlite3")) as store:
        return list(facts_of(store))


def expectation(project, claim):
    found = next(record for record in project[1].judged if record.id == claim)
    return found.readings["as_documented"].expectations["warm_exceeds_cold"]


# Facts.


def test_every_claim_of_every_run_is_told_of(project, facts):
    runs = {(one.run.id, one.claim.id) for one in facts}

    assert len(facts) == len(runs)
    assert {run for run, _ in runs} == {"first night", "night", "smoke", "left"}
    assert ("night", "is_broken") not in runs, "what could not be run has nothing to tell"


def test_numbers_of_a_claim_are_those_of_its_record(project, facts):
    one = next(one for one in facts if (one.run.id, one.claim.id) == ("night", "does_not_hold"))
    record = expectation(project, "does_not_hold")
    told = {(scalar.tag, scalar.step): scalar.value for scalar in one.scalars}

    tag = "does_not_hold/warm_exceeds_cold"
    assert {step: value for (name, step), value in told.items() if name == f"{tag}/per seed"} == {
        int(seed): value for seed, value in record.values.items()
    }
    assert told[f"{tag}/estimate", record.n] == record.estimate
    assert told[f"{tag}/low", record.n] == record.low
    assert told["does_not_hold/as_documented/as expected", 0] == 0.0
    assert one.verdicts["as_documented"].startswith("REFUTED, expected VERIFIED: the interval [")
    assert one.parameters["arm warm.centre"] == "-1.0"
    assert one.parameters["base_seed"] == "2"


def test_trials_are_told_of_with_their_arms_and_apart_from_those_of_a_control(facts):
    one = next(one for one in facts if (one.run.id, one.claim.id) == ("night", "does_not_hold"))
    tags = {scalar.tag for scalar in one.scalars if "/trials/" in scalar.tag}

    assert len([tag for tag in tags if tag.startswith("does_not_hold/trials/level/warm (")]) == 2
    steps = [(scalar.tag, scalar.step) for scalar in one.scalars]
    assert len(steps) == len(set(steps))


def test_a_waived_reading_says_so(facts):
    one = next(one for one in facts if one.claim.id == "is_waived" and one.run.id == "night")

    assert "WAIVED until 9999-12-31" in one.verdicts["as_documented"]


@pytest.mark.parametrize(("moment", "seconds"), [("1970-01-02T00:00:00+00:00", 86400.0), ("some day", 0.0)])
def test_a_time_that_nobody_can_read_is_none(moment, seconds):
    assert seconds_of(moment) == seconds


# TensorBoard.


def events_of(folder):
    """Return tag -> [(step, value)] as TensorBoard itself reads a folder, and tag -> text."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    read.Reload()
    scalars = {tag: [(e.step, e.value) for e in read.Scalars(tag)] for tag in read.Tags()["scalars"]}
    texts = {tag: read.Tensors(tag)[0].tensor_proto.string_val[0].decode() for tag in read.Tags()["tensors"]}
    return scalars, texts


READS_OLD_FORMATS = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@READS_OLD_FORMATS
def test_tensorboard_reads_what_was_written_and_a_second_time_nothing_is_doubled(project, export, tmp_path, facts):
    code, out, _ = export("--tensorboard", tmp_path / "events")
    assert code == 0
    assert (
        out == f"{tmp_path}/events: runs 4, claims {len(facts)}; `tensorboard --logdir {tmp_path}/events` shows them\n"
    )
    files = {path: path.read_bytes() for path in (tmp_path / "events").rglob("*") if path.is_file()}
    (night,) = (tmp_path / "events").glob("*_night")
    scalars, texts = events_of(night)

    assert export("--tensorboard", tmp_path / "events")[0] == 0

    assert {path: path.read_bytes() for path in (tmp_path / "events").rglob("*") if path.is_file()} == files
    record = expectation(project, "does_not_hold")
    tag = "does_not_hold/warm_exceeds_cold"
    written = sorted((int(seed), value) for seed, value in record.values.items())
    assert sorted(scalars[f"{tag}/per seed"]) == [(seed, pytest.approx(value, rel=1e-6)) for seed, value in written]
    assert scalars[f"{tag}/estimate"] == [(record.n, pytest.approx(record.estimate, rel=1e-6))]
    told = {scalar.tag for one in facts if one.run.id == "night" for scalar in one.scalars}
    assert set(scalars) == told
    assert "| as\\_documented | REFUTED, expected VERIFIED: " in texts["does_not_hold/verdicts"]
    assert "| profile | quick |" in texts["does_not_hold/parameters"]


def test_a_folder_that_cannot_be_written_is_one_line(export, tmp_path):
    (tmp_path / "file").write_text("")

    code, _, error = export("--tensorboard", tmp_path / "file" / "x")

    assert code == 2
    assert error == f"{tmp_path}/file/x: cannot be written: Not a directory; give another folder\n"


# What is not there.


@pytest.mark.parametrize(
    ("extra", "module"), [("tensorboard", "tensorboard.compat.proto.event_pb2"), ("mlflow", "mlflow")]
)
def test_without_its_package_an_export_says_what_installs_it(export, tmp_path, monkeypatch, extra, module):
    monkeypatch.setitem(__import__("sys").modules, module, None)

    code, _, error = export(f"--{extra}", f"sqlite:///{tmp_path}/x.db" if extra == "mlflow" else tmp_path / "x")

    assert code == 2
    assert error.count("\n") == 1
    assert error.startswith(f"--{extra}: needs the package {extra} (")
    assert error.endswith(f'); pip install "claims-harness[{extra}]"\n')
    assert list(tmp_path.iterdir()) == []


def test_a_module_that_is_there_is_returned():
    assert needed("json", "json") is json
    with pytest.raises(UsageError, match=r'pip install "claims-harness\[x\]"'):
        needed("no_such_module", "x")


@pytest.mark.parametrize("arguments", [[], ["--sqlite", "x", "--tensorboard", "y"]])
def test_one_place_is_wanted(export, arguments):
    assert export(*arguments)[0] == 2


def test_a_copy_of_the_store_is_written(export, tmp_path):
    code, out, _ = export("--sqlite", tmp_path / "x.sqlite3")

    assert code == 0
    assert out.startswith(f"{tmp_path}/x.sqlite3: runs 4, trials ")


# MLflow, by a client that remembers; the real one is below.


class Remembering:
    """As much of MLflow's client as an export uses; batches are limited as MLflow limits them."""

    def __init__(self) -> None:
        self.experiments, self.runs, self.deleted = {}, {}, []

    def get_experiment_by_name(self, name):
        return SimpleNamespace(experiment_id=name) if name in self.experiments else None

    def create_experiment(self, name):
        self.experiments[name] = name
        return name

    def create_run(self, experiment, start_time, run_name, tags):
        run = SimpleNamespace(
            info=SimpleNamespace(run_id=f"r{len(self.runs)}", experiment=experiment, name=run_name),
            data=SimpleNamespace(tags=dict(tags), params={}, metrics=[]),
        )
        self.runs[run.info.run_id] = run
        return run

    def search_runs(self, experiments, filter_string):
        wanted = filter_string.removeprefix(f"tags.`{KEY}` = '").removesuffix("'")
        alive = [run for run in self.runs.values() if run.info.run_id not in self.deleted]
        return [run for run in alive if run.info.experiment in experiments and run.data.tags[KEY] == wanted]

    def delete_run(self, run):
        self.deleted.append(run)

    def log_batch(self, run, metrics=(), params=(), tags=()):
        assert len(metrics) <= 1000
        assert max(len(params), len(tags)) <= 100
        self.runs[run].data.metrics += metrics
        self.runs[run].data.params |= dict(params)
        self.runs[run].data.tags |= dict(tags)

    def set_tag(self, run, key, value):
        self.runs[run].data.tags[key] = value

    def set_terminated(self, run, end_time):
        self.runs[run].ended = end_time


ENTITIES = SimpleNamespace(Metric=lambda *a: a, Param=lambda *a: a, RunTag=lambda *a: a)


def test_a_run_in_mlflow_is_written_once_and_anew_if_it_was_broken_off_or_changed(facts):
    client = Remembering()
    target = _Target(client, ENTITIES)
    one = next(one for one in facts if (one.run.id, one.claim.id) == ("night", "is_of_every_kind"))

    assert target.put(one)
    assert not target.put(one)
    (run,) = client.runs.values()
    assert run.info.experiment == "claims/is_of_every_kind"
    assert run.data.tags["verdict.as_documented"].startswith("VERIFIED")
    assert len(run.data.metrics) == len(one.scalars)
    del run.data.tags[DIGEST]
    assert target.put(one), "it was broken off"
    assert client.deleted == ["r0"]
    assert not target.put(one)
    another = replace(one, claim=one.claim.model_copy(update={"title": "Another title"}))
    assert target.put(another), "its record is another"
    assert client.deleted == ["r0", "r1"]


@pytest.fixture
def mlflow(monkeypatch, tmp_path):
    """The real package, where it is installed: `nox -s exports`."""
    module = pytest.importorskip("mlflow", reason="850 MB; `nox -s exports` installs it")
    monkeypatch.chdir(tmp_path)
    return module


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_mlflow_reads_what_was_written_and_a_second_time_nothing_is_doubled(project, export, mlflow, tmp_path, facts):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    assert export("--mlflow", uri)[:2] == (0, f"{uri}: runs written {len(facts)}, there already 0\n")
    assert export("--mlflow", uri)[:2] == (0, f"{uri}: runs written 0, there already {len(facts)}\n")

    client = mlflow.MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("claims/does_not_hold")
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 4
    (night,) = (run for run in runs if run.data.tags["claims.run"] == "night")
    assert night.info.status == "FINISHED"
    assert night.data.params["arm warm.centre"] == "-1.0"
    assert night.data.tags["verdict.as_documented"].startswith("REFUTED, expected VERIFIED")
    record = expectation(project, "does_not_hold")
    history = client.get_metric_history(night.info.run_id, "warm_exceeds_cold/per seed")
    assert {str(metric.step): metric.value for metric in history} == record.values
    assert night.data.metrics["warm_exceeds_cold/estimate"] == record.estimate


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("uri", ["nonsense://x", "sqlite:////dev/null/x.db"])
def test_an_address_that_mlflow_refuses_is_one_line(export, mlflow, uri):
    code, _, error = export("--mlflow", uri)

    assert code == 2
    assert error.splitlines()[-1].startswith(f"--mlflow: {uri}: ")
    assert "Traceback" not in error
