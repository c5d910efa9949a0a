"""When pictures are drawn: once, beside trials where any are measured, and never of a claim that was cut short."""

from __future__ import annotations

from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.running.time_budget import Budget
from harness.trials.catalogue import load_claim
from harness.trials.options import Options
from tests.running.test_claim_run import Spy
from tests.test_pictures import DRAWS
from tests.tiny_project import write_claim


def test_pictures_are_drawn_beside_trials_and_alone_where_there_are_none(tmp_path, store):
    """The first of the jobs of a batch; a claim whose trials are all there has no batch."""
    folder, spy = write_claim(tmp_path, pictures=DRAWS), Spy()
    drawn = run_claim(load_claim(folder), Context(Options(workers=2), store, lambda _: spy, "a")).illustrations
    beside = [(at_once, task.pictures is not None) for at_once, task in spy.ran]
    store._write("DELETE FROM beside")
    again = Spy()
    alone = run_claim(load_claim(folder), Context(Options(workers=2), store, lambda _: again, "b")).illustrations

    assert beside[0] == (2, True)
    assert [draws for _, draws in beside].count(True) == 1
    assert [task.pictures for _, task in again.ran] == [folder / "pictures.py"]
    assert drawn == alone
    assert drawn[0].title == "level"


def test_each_base_seed_has_pictures_of_its_own(tmp_path, store):
    """That of base seed 1 is not the one of 10, which begins alike."""
    shows = DRAWS.replace('Curves("level"', 'Curves(f"base seed {seed.base}"')
    folder = load_claim(write_claim(tmp_path, pictures=shows))

    def title(base_seed):
        context = Context(Options(workers=1, base_seed=base_seed), store, lambda _: Spy(), f"of {base_seed}")
        return run_claim(folder, context).illustrations[0].title

    assert [title(base_seed) for base_seed in (10, 1, 10)] == ["base seed 10", "base seed 1", "base seed 10"]


def test_a_claim_that_was_cut_short_has_no_pictures(tmp_path, store):
    folder, spy = write_claim(tmp_path, pictures=DRAWS), Spy()

    record = run_claim(load_claim(folder), Context(Options(workers=2), store, lambda _: spy, "a", budget=Budget(0.0)))

    assert record.left is not None
    assert record.illustrations == []
    assert spy.ran == []
