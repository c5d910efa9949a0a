"""Whatever a store or a report holds, every field of it lacking or of another kind: it is read, or refused in one line.

Every field is tried with every replacement, in a fixed order. Where records enter, most of them are refused; what is let
in is read by all that read records, in one run whose claims are each broken in one place, which is as good as one after
the other and takes seconds.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from harness.cli.main import main
from harness.errors import UsageError
from harness.report import claim_text, comparison_text, junit, markdown
from harness.report.html import claim_section, front
from harness.retrospect.compare import compare
from harness.running.results import run_of
from harness.store.database import TABLES
from harness.store.records.claim import ProblemRecord
from harness.store.records.parsing import parse, parse_claim, plain
from harness.store.records.run import Head, Run
from harness.store.store import Store
from harness.trials.catalogue import load_claim
from tests.reported import make_reports
from tests.store.test_schema import DROP, FREE, places, spoil

REPLACEMENTS = [
    DROP, None, True, 0, -1, 7, 1.5, -1e308, 1e308, 10**30, "", "x", "\x1b[31m", "../x", "2026-01-01",
    [], [1], ["x"], [None], {}, {"x": 1}, {"x": {}},
]  # fmt: skip

RUN, CLAIM = "night", "holds"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A project of claims that came out in every way, with its store in the usual place."""
    made = tmp_path_factory.mktemp("stored")
    make_reports(made)
    (made / ".claims").mkdir()
    (made / "store.sqlite3").rename(made / ".claims/store.sqlite3")
    return made


@pytest.fixture
def project(root):
    """The project, its store to be broken: afterwards it is what it was."""
    path = root / ".claims/store.sqlite3"
    sound = path.read_bytes()
    yield root
    path.write_bytes(sound)


@pytest.fixture(scope="module")
def night(root):
    """The run of a night as report.json has it."""
    with closing(Store(root / ".claims/store.sqlite3")) as store:
        return plain(run_of(store, RUN))


def generic(path):
    """Return a path as one of a field: positions and names of the project's own (arms, seeds) count for nothing."""
    shown, free = [], False
    for key in path:
        shown.append("#" if isinstance(key, int) else "*" if free else key)
        free = not free and key in FREE | {"point", "x", "seconds_per_trial", "condition"}
    return tuple(shown)


def fields(claims):
    """Return every field of some claims: of those with the same name the first, as (claim, path)."""
    found = {}
    for claim in claims:
        for path in places(claim):
            # Of a contrast, each kind has fields of its own.
            found.setdefault(("problem" in claim, generic(path)), (claim, path))
    return list(found.values())


def read(value, reader, *more):
    """Return the record that plain values are read as, or the line by which they are refused."""
    try:
        return reader(value, "store", *more)
    except UsageError as error:
        line = str(error)
    assert line.isprintable()
    return line


def as_head(value, where):
    return parse(Head, value, where)


def as_run(value, where):
    return parse(Run, value, where)


@pytest.fixture(scope="module")
def let_in(night):
    """Every spoilt record that is let in, as (path, replacement, record), and how many were refused."""
    found, refusals = [], []
    for claim, path in fields(night["claims"]):
        for new in REPLACEMENTS:
            record = read(spoil(claim, path, new), parse_claim, claim["id"])
            if isinstance(record, str):
                refusals.append(record)
            else:
                found.append((path, new, record))
    return found, refusals


def test_most_is_refused_where_it_enters_and_each_refusal_is_a_line_that_names_the_remedy(let_in):
    found, refusals = let_in

    assert len({path for path, _, _ in found}) > 150
    assert 0.6 < len(refusals) / (len(refusals) + len(found)) < 0.95
    for line in refusals:
        assert line.startswith("store: ")
        assert line.endswith("run the claim again, or put a sound copy there")


def put(project, run, claims):
    """Make a run hold these records, as an editor would."""
    with closing(sqlite3.connect(project / ".claims/store.sqlite3")) as database, database:
        database.execute("DELETE FROM record WHERE run = ?", (run,))
        rows = [(run, claim["id"], json.dumps(claim), "2026-01-01") for claim in claims]
        database.executemany("INSERT INTO record VALUES (?, ?, ?, ?)", rows)


def told(project, capsys, *words):
    """Call a command; return its exit code and what it said of errors: nothing, or lines without a traceback."""
    code = main(["--root", str(project), *words])
    shown = capsys.readouterr()
    assert code in (0, 1, 2, 3, 4), (words, shown.err)
    assert "Traceback" not in shown.out + shown.err
    return code, shown.err


@pytest.fixture(scope="module")
def spoilt(let_in):
    """All that is let in as claims of one run, each under an id of its own."""
    found, _ = let_in
    return [{**plain(record), "id": f"claim_{number}"} for number, (_, _, record) in enumerate(found)]


def test_what_is_let_in_is_read_by_every_command(project, capsys, spoilt):
    put(project, RUN, spoilt)
    # Of a record that another run has too, a history is told.
    put(project, "first night", spoilt[::5])
    expected = {"list": 2, "index": 2, "history": 2}  # a specification of the project cannot be loaded

    for words in (
        ["report", "--into", str(project / "out")],
        ["list"],
        ["list", "--json"],
        ["index"],
        ["history"],
        ["compare", "first night", RUN, "--mixed"],
        ["compare", "first night", RUN, "--mixed", "--format", "markdown"],
        ["compare", "first night", RUN, "--mixed", "--format", "json"],
        ["export", "--tensorboard", str(project / "events")],
    ):
        code, error = told(project, capsys, *words)
        assert code == expected.get(words[0], 0), (words, error)
    assert (project / "out/history.html").is_file()


def test_what_is_let_in_is_shown_claim_by_claim(root, let_in):
    """`claims show` reads the record of a claim that the project has; a page of few claims shows each with its pictures."""
    folder = load_claim(root / "claims/notes" / CLAIM)

    for path, new, record in let_in[0]:
        if not isinstance(record, ProblemRecord):
            assert list(claim_text.lines(folder, record, "store", 80)), (path, new)
            assert claim_section.article_of(record, brief=False), (path, new)


READERS = {
    "report": ["report", "--into", "out"],
    "list": ["list"],
    "show": ["show", CLAIM],
    "index": ["index"],
    "history": ["history"],
    "history of one": ["history", CLAIM],
    "compare": ["compare", "first night", RUN],
    "judge": ["judge", CLAIM, "--base-seed", "2"],
    "plan": ["plan", CLAIM],
    "repro": ["repro"],
    "gc": ["gc"],
    "tensorboard": ["export", "--tensorboard", "events"],
    "doctor": ["doctor"],
}


def one_line(project, capsys, words, *, refused=None):
    """Call a command: it succeeds, or says in a line what is wrong with the store; return whether it refused."""
    words = [str(project / word) if word in ("out", "events") else word for word in words]
    code, error = told(project, capsys, *words)
    of_store = [line for line in error.splitlines() if "store.sqlite3" in line or "trial" in line]
    if code == 2 and of_store:
        assert len(of_store) == 1, error
    assert refused in (None, bool(of_store)), (words, code, error)
    return bool(of_store)


@pytest.mark.parametrize("name", ["report", "show", "history", "compare", "tensorboard"])
@pytest.mark.parametrize(
    "path", [("id",), ("readings",), ("trials", "failed"), ("readings", "as_documented", "verdict")]
)
@pytest.mark.parametrize("new", ["", None])
def test_what_is_refused_is_refused_by_every_command_that_reads_records(project, capsys, night, name, path, new):
    claims = [spoil(claim, path, new) if claim["id"] == CLAIM else claim for claim in night["claims"]]
    ids = [claim["id"] for claim in night["claims"]]
    with closing(sqlite3.connect(project / ".claims/store.sqlite3")) as database, database:
        for one, claim in zip(ids, claims, strict=True):
            database.execute("UPDATE record SET record = ? WHERE claim = ?", (json.dumps(claim), one))

    # A record without readings, or whose only verdict is none, has no verdict to show.
    nothing = name == "show" and new is None and path[0] == "readings"
    one_line(project, capsys, READERS[name], refused=None if nothing else True)


# The run's own fields.


def test_options_and_machine_with_any_field_spoilt(project, capsys, night):
    head = {name: night[name] for name in ("id", "started", "finished", "options", "machine")}
    let_in = 0
    for path in dict.fromkeys(map(generic, places({"options": head["options"], "machine": head["machine"]}))):
        if "*" in path or "#" in path:
            continue
        for new in REPLACEMENTS:
            spoilt_head = spoil(head, path, new)
            if isinstance(read(spoilt_head, as_head), str):
                continue
            let_in += 1
            run = as_run({**night, **spoilt_head, "claims": night["claims"][:1]}, "store")
            assert compare(run, run).regressions == []
            front.front_page(run)
            markdown.markdown(run)
            junit.junit(run)
    assert let_in > 50


# report.json.


def test_a_report_with_any_field_spoilt_is_read_or_refused_in_one_line(night):
    """What `claims compare` does with a file; its formats are told from what is let in."""
    refused = let_in = 0
    sound = as_run(night, "store")
    for new in REPLACEMENTS:
        for path in [path for path in places({key: night[key] for key in night if key != "claims"}) if len(path) < 3]:
            spoilt_run = read(spoil(night, path, new), as_run)
            if isinstance(spoilt_run, str):
                refused += 1
                continue
            found = compare(spoilt_run, sound, mixed=True)
            assert comparison_text.as_markdown(found)
            assert list(comparison_text.lines(found))
            let_in += 1
    assert refused > let_in > 20


def test_a_report_has_each_claim_once(night):
    with pytest.raises(UsageError, match=r"should have each claim once, and has '.*' twice"):
        as_run({**night, "claims": [*night["claims"], *night["claims"]]}, "report.json")


# Cells of tables.

WORDS = ("", "x", "\x1b[31m", None)
OBJECTS = ("", "x", "{", "[]", "{}", "null", "NaN", "7", '{"x":{}}', '{"x":NaN}', '{"level":"x"}', "[-1]", None)
NUMBERS = (-1, 0, 2**62, None)

OF_COLUMN = {
    **dict.fromkeys(
        ("options", "machine", "record", "condition", "settings", "metrics", "environment", "batch_seeds"), OBJECTS
    ),
    **dict.fromkeys(("base_seed", "seed", "peak_bytes"), NUMBERS),
    "seconds": (-1.0, 1e308, None),
    "status": ("failed", "x"),
}

READ_BY = {
    "run": ("report", "history", "compare", "tensorboard", "repro of one"),
    "record": ("report", "list", "show", "history", "compare", "tensorboard"),
    "trial": ("history of one", "judge", "plan", "repro", "repro of one", "gc", "tensorboard", "import"),
    "beside": ("judge",),
    "inputs": ("history of one", "judge", "plan", "repro of one", "gc", "import"),
    "place": ("history of one", "judge", "plan", "repro", "repro of one", "import"),
}


def cells():
    for table, columns in TABLES.items():
        yield from ((table, column) for column in columns)


@pytest.fixture(scope="module")
def keys(root):
    """The key of a trial of the claim under base seed 2."""
    with closing(sqlite3.connect(root / ".claims/store.sqlite3")) as database:
        query = "SELECT key FROM trial WHERE claim = ? AND base_seed = 2 AND status = 'finished' ORDER BY rowid LIMIT 1"
        return [key for (key,) in database.execute(query, (CLAIM,))]


@pytest.mark.parametrize(("table", "column"), list(cells()), ids=lambda name: name)
def test_a_table_with_any_cell_of_another_kind_is_read_or_refused_in_one_line(project, capsys, keys, table, column):
    path = project / ".claims/store.sqlite3"
    sound = path.read_bytes()
    where = {
        "trial": f"key = '{keys[0]}'",
        "run": f"id = '{RUN}'",
        "record": f"claim = '{CLAIM}' AND run = '{RUN}'",
        "inputs": "rowid = (SELECT min(rowid) FROM inputs)",
        "place": f"digest = (SELECT place FROM trial WHERE key = '{keys[0]}')",
        # What lies beside a claim's trials must stay of different kinds.
        "beside": f"rowid = (SELECT min(rowid) FROM beside WHERE claim = '{CLAIM}')",
    }.get(table, f"claim = '{CLAIM}'")
    # One row of a claim alone can be of any other kind.
    where += " AND kind = 'noise'" * ((table, column) == ("beside", "kind"))
    (project / "claims/notes/is_broken/claim.yaml").rename(project / "is_broken.yaml")
    tried = 0
    try:
        for new in OF_COLUMN.get(column, WORDS):
            path.write_bytes(sound)
            try:
                with closing(sqlite3.connect(path)) as database, database:
                    database.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (new,))
            except sqlite3.IntegrityError:
                # What the column cannot hold is kept out by SQLite itself.
                continue
            tried += 1
            for name in READ_BY[table]:
                if name == "import":
                    words = ["import", str(path), "--store", f"new/{tried}.sqlite3"]
                    told(project, capsys, *words)
                else:
                    words = ["repro", keys[0][:20]] if name == "repro of one" else READERS[name]
                    one_line(project, capsys, words)
    finally:
        (project / "is_broken.yaml").rename(project / "claims/notes/is_broken/claim.yaml")
    assert tried
