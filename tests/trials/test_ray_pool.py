"""A pool on a cluster, by the rules alone: the cluster here is a stand-in, and needs no Ray."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness.errors import TrialError
from harness.seeds import seeds_of
from harness.trials.catalogue import COMMAND
from harness.trials.cluster import GoneError, Need, Node, _line
from harness.trials.ray_pool import RayPool
from harness.trials.remote import OWN, moved, travelling
from harness.trials.task import Outcome, Task

A, B = Node("a", "node a", 2, 0, 8 * 2**30), Node("b", "node b", 2, 1, 8 * 2**30)
FINE = "measured"


@dataclass(frozen=True, eq=False)
class Asked:
    of: object
    method: str
    arguments: tuple


class StandIn:
    """Nodes with actors; `ends` says of a task's arm how its first calls end, one after another, then all are fine.

    `killed`: its actor ends, the node lives. `lost`: its node ends. `refused`: its node has other data. `raised`: a fault of ours.
    """

    def __init__(self, nodes=(A, B), ends=None, unborn=0):
        self.living, self.ends, self.unborn = {node.id: node for node in nodes}, dict(ends or {}), unborn
        self.hired, self.dismissed, self.measured = [], [], []

    def nodes(self):
        return list(self.living.values())

    def hire(self, need, refused):
        taken = [a["node"] for a in self.hired if a not in self.dismissed and a["need"].device == need.device]
        room = [n for n in self.nodes() if n.id not in refused and taken.count(n.id) < need.slots(n)]
        actor = {"number": len(self.hired), "node": room[0].id, "need": need}
        self.hired.append(actor)
        return actor

    def ask(self, actor, method, *arguments):
        return Asked(actor, method, arguments)

    def probe(self, node):
        return Asked(node, "probe", ())

    def ready(self, asked, _seconds):
        # Whoever was asked first answers last: so all begin before one has a result.
        return asked[-1:]

    def answer(self, asked):
        if asked.method == "probe":
            if asked.of in self.living:
                return 1
            raise GoneError("no such node")
        if asked.method == "greet":
            self.unborn -= 1
            if self.unborn >= 0:
                raise TrialError("No module named 'numpy'")
            return asked.of["node"]
        return self._measure(asked.of, *asked.arguments)

    def _measure(self, actor, task):
        end = self.ends.get(task.arm, [])
        how = end.pop(0) if end else FINE
        if how == "refused" and actor["node"] == "a":
            return [Outcome({}, 0.0, "data: digits differ there", refused=True)]
        if how == "lost":
            self.living.pop(actor["node"])
        if how in ("killed", "lost"):
            raise GoneError("it has ended")
        if how == "raised":
            raise TrialError("no space left")
        self.measured.append((actor, task))
        return [Outcome({"level": 1.0}, 0.1) for _ in task.seeds]

    def dismiss(self, actor):
        self.dismissed.append(actor)

    def close(self):
        self.closed = True


def task(arm, seed=0, **more):
    path = Path("/project/claims/d/c/experiment.py")
    settings = more.pop("settings", {})
    return Task(path, Path("/project"), arm, {}, seeds_of("c", 0, [seed]), settings, ("level",), **more)


def pool_on(cluster, most=0):
    said = []
    pool = RayPool(cluster, most, said.append)
    pool.said = said
    return pool


def errors(results):
    return {task.arm: outcomes[0].error for task, outcomes in results}


def test_every_task_is_measured_once_and_the_tasks_of_a_job_by_one_worker():
    cluster = StandIn()

    results = list(pool_on(cluster).run([[task("x", i), task("y", i)] for i in range(6)]))

    assert len(results) == len(cluster.measured) == 12
    by_seed = {}
    for actor, one in cluster.measured:
        by_seed.setdefault(one.seeds[0].index, set()).add(actor["number"])
    assert all(len(actors) == 1 for actors in by_seed.values())
    assert len(cluster.hired) == 4, "as many as there are cores"


def test_what_travels_is_relative_to_the_project_and_is_compared_there():
    cluster = StandIn()
    list(pool_on(cluster).run([[task("x", pictures=Path("/project/claims/d/c/pictures.py"))]]))

    ((_, sent),) = cluster.measured
    assert (sent.experiment, sent.project, sent.pictures) == (
        Path("claims/d/c/experiment.py"),
        Path(),
        Path("claims/d/c/pictures.py"),
    )
    assert sent.foreign


def test_modules_of_this_tool_are_those_of_the_node(tmp_path):
    of_a_command = replace(task("x"), experiment=COMMAND, folder=Path("/project/claims/d/c"))

    sent = travelling(of_a_command)
    there = moved(sent, tmp_path)

    assert (sent.experiment, sent.folder) == (OWN / "trials/command.py", Path("claims/d/c"))
    assert (there.experiment, there.folder, there.project) == (COMMAND, tmp_path / "claims/d/c", tmp_path)


def test_claims_that_this_tool_measures_for_are_told_apart():
    """Their experiment is one module, and a node that lacks the data of one may have those of the other."""
    of_a_command = replace(task("x"), experiment=COMMAND, folder=Path("/project/claims/d/a_command"))

    assert of_a_command.home == Path("/project/claims/d/a_command")
    assert task("x").home == task("x").experiment.parent
    cluster = StandIn()
    pool = pool_on(cluster)
    for name in ("one", "other"):
        list(pool.run([[replace(of_a_command, folder=Path("/project/claims/d") / name)]]))
    assert [folder.name for folder in pool._refused] == ["one", "other"]


def test_a_task_whose_node_was_lost_goes_elsewhere_and_its_attempt_is_counted():
    cluster = StandIn(ends={"x": ["lost"]})

    results = list(pool_on(cluster).run([[task("x"), task("y")]]))

    assert errors(results) == {"x": None, "y": None}
    assert {one.arm: one.attempt for one, _ in results} == {"x": 2, "y": 1}
    assert {actor["node"] for actor, _ in cluster.measured} == {"b"}


def test_a_task_is_given_to_another_twice_and_no_more():
    nodes = [Node(name, name, 1, 0, 2**30) for name in "abcde"]
    for losses, error in ((2, None), (3, "its node was lost, 3 times in turn")):
        cluster = StandIn(nodes, {"x": ["lost"] * losses})
        assert errors(pool_on(cluster, most=1).run([[task("x"), task("y")]])) == {"x": error, "y": None}


def test_durations_are_not_given_to_another_node():
    cluster = StandIn(ends={"x": ["lost"]})

    with pytest.raises(TrialError, match="must be of one node: run it again"):
        list(pool_on(cluster).run([[task("x", alone=True), task("y", alone=True)]], at_once={"cpu": 1}))


@pytest.mark.parametrize(("end", "words"), [("killed", "on a node that lives"), ("raised", "no space left")])
def test_what_ends_on_a_node_that_lives_has_failed_and_is_not_tried_again(end, words):
    cluster = StandIn(ends={"x": [end]})

    found = errors(pool_on(cluster).run([[task("x"), task("y")]]))

    assert words in found.pop("x")
    assert found == {"y": None}
    assert [one.arm for _, one in cluster.measured] == ["y"], "what had not begun goes to another worker"


def test_a_node_that_differs_is_refused_by_name_and_measures_nothing_of_the_claim():
    cluster = StandIn(ends={name: ["refused"] * 9 for name in "xy"})
    pool = pool_on(cluster)

    results = list(pool.run([[task("x", i), task("y", i)] for i in range(5)]))
    again = list(pool.run([[task("x", 9)]]))

    assert len(results) == 10
    assert errors(results) == {"x": None, "y": None}
    assert {one.attempt for one, _ in results + again} == {1}
    assert {actor["node"] for actor, _ in cluster.measured} == {"b"}
    assert pool.said == ["c: node node a is refused: data: digits differ there"]


def test_where_every_node_is_refused_the_claim_is_told_all_their_names():
    cluster = StandIn([A], {"x": ["refused"]})

    with pytest.raises(TrialError, match=r"no node .* can measure this claim: node a is refused: data: digits differ"):
        list(pool_on(cluster).run([[task("x")]]))


def test_a_node_that_is_refused_for_one_claim_serves_another():
    cluster = StandIn([A], {"x": ["refused"]})
    pool = pool_on(cluster)
    with pytest.raises(TrialError):
        list(pool.run([[task("x")]]))
    other = replace(task("y"), experiment=Path("/project/claims/d/other/experiment.py"))

    assert errors(pool.run([[other]])) == {"y": None}


def test_a_cluster_without_room_says_what_it_lacks():
    with pytest.raises(TrialError, match="none has room for a GPU"):
        list(pool_on(StandIn([A])).run([[task("x", settings={"device": "cuda"})]]))


def test_workers_that_cannot_be_started_end_the_claim_with_their_words():
    assert errors(pool_on(StandIn(unborn=2)).run([[task("x")]])) == {"x": None}
    with pytest.raises(TrialError, match="cannot be started on the cluster: No module named 'numpy'"):
        list(pool_on(StandIn(unborn=3)).run([[task("x")]]))


def test_workers_outlive_a_run_and_end_with_the_pool():
    cluster = StandIn()
    pool = pool_on(cluster)
    list(pool.run([[task("x")]]))
    list(pool.run([[task("y")]]))
    assert (len(cluster.hired), cluster.dismissed) == (1, [])

    pool.close()

    assert cluster.dismissed == cluster.hired
    assert cluster.closed


def test_durations_take_the_first_node_whole_and_others_give_it_back():
    cluster = StandIn()
    pool = pool_on(cluster)
    list(pool.run([[task("x", i)] for i in range(4)]))
    beside = list(cluster.hired)
    list(pool.run([[task("x", i, alone=True)] for i in range(3)], at_once={"cpu": 1}))

    assert cluster.dismissed == beside
    assert [actor["need"].whole for actor in cluster.hired[len(beside) :]] == [A]
    list(pool.run([[task("x")]]))
    assert cluster.hired[-1]["need"].whole is None


@pytest.mark.parametrize(
    ("need", "slots"),
    [
        (Need("cpu"), 2),
        (Need("cuda"), 1),
        (Need("cpu", memory=5 * 2**30), 1),
        (Need("cpu", memory=9 * 2**30), 0),
        (Need("cpu", whole=B), 1),
        (Need("cpu", whole=A), 0),
    ],
)
def test_room_on_a_node_is_counted_in_cores_gpus_and_memory(need, slots):
    assert need.slots(B) == slots


def test_memory_is_asked_for_where_it_and_not_cores_sets_the_limit():
    for peak, memory, workers in ((0, 0, 4), (3 * 2**30, 0, 4), (4 * 2**30 + 1, 5 * 2**30, 2)):
        cluster = StandIn()
        list(pool_on(cluster).run([[task("x", i)] for i in range(9)], peaks={"cpu": peak}))
        assert {actor["need"].memory for actor in cluster.hired} == {memory}
        assert len(cluster.hired) == workers


def test_cores_and_gpus_are_used_at_the_same_time_each_to_its_own_limit():
    cluster = StandIn()
    jobs = [
        [task(arm, i, settings={"device": device})] for arm, device in (("x", "cpu"), ("y", "cuda")) for i in range(5)
    ]

    results = list(pool_on(cluster).run(jobs))

    assert len(results) == 10
    assert sorted(actor["need"].device for actor in cluster.hired) == ["cpu"] * 4 + ["cuda"]
    assert {(actor["need"].device, one.arm) for actor, one in cluster.measured} == {("cpu", "x"), ("cuda", "y")}


def test_durations_of_a_claim_with_arms_on_both_devices_are_of_one_node():
    cluster = StandIn()
    pool = pool_on(cluster)
    for device in ("cpu", "cuda"):
        one = task("x", settings={"device": device}, alone=True, environment={"device": "cuda"})
        list(pool.run([[one]], {device: 1}))

    assert [actor["need"].whole for actor in cluster.hired] == [B, B]


def test_no_more_workers_than_are_asked_for():
    for most, at_once, hired in ((3, None, 3), (0, {"cpu": 1}, 1), (3, {"cpu": 2}, 2)):
        cluster = StandIn()
        list(pool_on(cluster, most).run([[task("x", i)] for i in range(9)], at_once))
        assert len(cluster.hired) == hired


def test_stopped_it_finishes_what_runs_and_begins_nothing():
    cluster = StandIn()
    pool = pool_on(cluster)
    results = pool.run([[task("x", i), task("y", i), task("z", i)] for i in range(9)])
    first = next(results)
    pool.stop()
    begun = len(cluster.measured)
    found = [first, *results]

    assert begun <= len(found) <= begun + 4, "what four workers were at"


def test_left_early_it_ends_the_workers_that_are_busy():
    cluster = StandIn()
    pool = pool_on(cluster)
    results = pool.run([[task("x", i), task("y", i)] for i in range(4)])
    next(results)
    results.close()
    busy = {actor["number"] for actor, _ in cluster.measured}

    assert busy <= {actor["number"] for actor in cluster.dismissed}


def test_of_what_ray_says_the_last_line_is_told_without_guesses():
    said = (
        "ray::Remote.measure()\n  a frame\nWorker exit type: SYSTEM_ERROR. Some common causes include: (1) the moon\n\n"
    )

    assert _line(RuntimeError(said)) == "Worker exit type: SYSTEM_ERROR."
    assert _line(RuntimeError()) == "RuntimeError"
    assert len(_line(RuntimeError("x" * 10**6))) <= 2000
