"""The report as HTML, read by a parser; tests/browser looks at it in a browser."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from html.parser import HTMLParser

import pytest

from harness.report.html.claim_page import claim_pages
from harness.report.html.front import front_page
from harness.report.html.history_page import timeline
from harness.report.sections import section
from harness.retrospect.run_history import chronicle_of
from harness.running.results import run_of
from harness.store.records.parsing import plain
from harness.trials.options import Options
from tests.reported import altered, pages, saved_claim
from tests.test_pictures import DRAWS
from tests.tiny_project import MACHINE, write_claim

HOSTILE = "</title><script>alert(1)</script><img src=x onerror=alert(2)> \u202etxt.exe\u202c \x1b[31mred"

VOID = {"meta", "input", "img", "br", "link"}


class Reader(HTMLParser):
    """What a page holds: its elements, the words that a reader sees, and what is wrong with its nesting."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words, self.open, self.wrong = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def runs(tmp_path, run, store):
    """Run tiny claims and return the run as reports see it, and its past."""

    def make(*claims, profile="quick", run_id="run"):
        store.start_run(run_id, Options(profile=profile).record(), MACHINE)
        for index, claim in enumerate(claims):
            run(write_claim(tmp_path, f"claim_{index}", **claim), profile=profile, run_id=run_id)
        found = run_of(store, run_id)
        return found, chronicle_of(store, found)

    return make


def all_of(run, past=None):
    """Return all pages of a run, one after the other."""
    return "\n".join(pages(run, past))


def test_the_pages_say_everything_of_a_claim(runs):
    run, past = runs({"pictures": DRAWS})
    for text in pages(run, past):
        assert not Reader(text).wrong
        assert not Reader(text).open
    read = Reader(all_of(run, past))
    for words in (
        "1 of 1 readings came out as expected",
        "Notes on numbers",
        "Warm numbers exceed cold ones",
        "Numbers drawn around 1.0 exceed numbers drawn around zero.",
        "Anything about other numbers.",
        "Reading “as documented”",
        "Expected VERIFIED because the centres differ as the arms say",
        "This band because half of the documented gap",
        "band at least 0.5; the source says 1",
        "Broke what it must break. Changed: centre 0.0. Without a difference of centres there is none of numbers.",
        "control: same centre",
        "What it looks like (one seed, an illustration; no verdict reads it)",
        "level by arm",
        "claims run claim_0 --claims-profile quick --claims-base-seed 0 --claims-fresh",
        "a processor",
    ):
        assert words in read.text, words


def test_every_seed_is_a_number_in_the_page(runs):
    run, past = runs({})
    values = run.judged[0].readings["as_documented"].expectations["warm_exceeds_cold"].values.values()
    text = Reader(all_of(run, past)).text

    assert len(values) == 6
    assert ", ".join(f"{value:.4g}" for value in values) in text


def test_why_trials_were_not_reused_stands_with_how_they_were_measured(runs):
    run, past = runs({})
    run = altered(run, {"claims.0.measured_again": ["train.py was changed: 3 trials are measured again"]})

    assert "not reused train.py was changed: 3 trials are measured again" in Reader(all_of(run, past)).text


def test_a_table_of_confusions_says_every_count_and_shades_the_share_of_its_row(runs):
    run, past = runs({})
    rows = [{"name": "three", "counts": [90, 10, 0]}, {"name": "none", "counts": [0, 0, 0]}]
    matrix = {"title": "Confusions", "down": "digit", "across": "taken for", "columns": ["a", "b", "c"], "rows": rows}
    text = all_of(altered(run, {"claims.0.illustrations": [{"kind": "matrix", **matrix}]}), past)

    assert "digit, taken for a b c three 90 10 0 none 0 0 0" in Reader(text).text
    cells = re.findall(r'<td class="d(\d)">(\d+)</td>', text)
    assert cells == [("9", "90"), ("1", "10"), ("0", "0"), *[("0", "0")] * 3]


def test_what_was_not_expected_needs_attention_and_comes_first(runs):
    text = front_page(*runs({}, {"gap": -1.0}))

    attention, documents = text.index('id="attention"'), text.index('id="documents"')
    assert "REFUTED, expected VERIFIED" in text[attention:documents]
    assert text.index('data-claim="claim_1"') < text.index('data-claim="claim_0"')


def test_all_as_expected_needs_no_attention(runs):
    assert "What needs attention" not in front_page(*runs({}))


def test_what_changed_since_the_run_before_is_said(runs):
    runs({}, run_id="before")
    again = Reader(front_page(*runs({}, run_id="now"))).text
    worse = Reader(front_page(*runs({"gap": -1.0}, run_id="worse"))).text

    assert "no verdicts changed; of the estimates 1 same to the last digit." in again
    assert "1 verdict changed" in worse
    assert "as documented: VERIFIED -> REFUTED, expected VERIFIED; regression" in worse


def test_nothing_in_a_page_comes_from_elsewhere_and_one_script_alone_may_run(runs):
    front, *others = pages(*runs({}))
    read = Reader(front)
    script = re.search(r"<script>(.*?)</script>", front, re.DOTALL).group(1)
    policy = next(a["content"] for tag, a in read.elements if a.get("http-equiv") == "Content-Security-Policy")

    assert f"script-src 'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in policy
    assert "default-src 'none'" in policy
    own = r"#|data:image/png;base64,|history\.html$|report\.json$|(\.\./)?(index|claims/claim_0|documents/notes)\.html$"
    for text in (front, *others):
        assert "Content-Security-Policy" in text
        links = [a.get("src") or a.get("href") for _, a in Reader(text).elements if a.get("src") or a.get("href")]
        assert links
        assert all(re.match(own, link) for link in links)
        assert "http://" not in text
        assert "https://" not in text
    assert not any("<script" in text for text in others)


def test_links_within_the_page_lead_somewhere_and_no_id_stands_twice(runs):
    for text in pages(*runs({}, {"gap": -1.0})):
        read = Reader(text)
        ids = [a["id"] for _, a in read.elements if "id" in a]

        assert len(ids) == len(set(ids))
        assert {a["href"][1:] for tag, a in read.elements if tag == "a" and a["href"].startswith("#")} <= set(ids)
        assert {a["aria-labelledby"] for _, a in read.elements if "aria-labelledby" in a} <= set(ids)


def test_hostile_words_stay_words(runs):
    run, past = runs({})
    words = (
        "title",
        "statement",
        "does_not_show",
        "document.title",
        "document.summary",
        "readings.as_documented.means",
    )
    matrix = {"columns": [HOSTILE], "rows": [{"name": HOSTILE, "counts": [1]}]}
    told = {
        **dict.fromkeys(words, HOSTILE),
        "source.reported": {"gap": HOSTILE},
        "readings.as_documented.expectations.warm_exceeds_cold.because": HOSTILE,
        "illustrations": [
            {"kind": "error", "title": HOSTILE},
            {"kind": "matrix", "title": HOSTILE, "down": HOSTILE, "across": HOSTILE, **matrix},
        ],
        "errors": [HOSTILE],
        "arms": {HOSTILE: {HOSTILE: HOSTILE}},
    }
    run = altered(run, {f"claims.0.{path}": value for path, value in told.items()})
    for text in (*pages(run, past), timeline(run, past)):
        read = Reader(text)

        assert not read.wrong
        assert sum(tag == "script" for tag, _ in read.elements) <= 1
        assert not [a for tag, a in read.elements if tag == "img"]
        assert not [name for _, a in read.elements for name in a if name.startswith("on")]
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "<script>alert" not in text


def test_the_page_of_a_claim_that_would_be_too_large_goes_without_its_pictures(runs, monkeypatch):
    run, _ = runs({"pictures": DRAWS}, {})
    whole = claim_pages(run)
    monkeypatch.setattr(sys.modules["harness.report.html.claim_page"], "LARGEST", len(whole["claim_0"].encode()) - 1)
    brief = claim_pages(run)

    assert "What it looks like" in whole["claim_0"]
    assert "What it looks like" not in brief["claim_0"]
    assert "are left out to keep this file small" in brief["claim_0"]
    assert brief["claim_1"] == whole["claim_1"], "the smaller one is shown whole"
    assert not Reader(brief["claim_0"]).wrong


def test_a_smoke_run_gives_no_verdict(runs):
    assert "the smoke profile gives no verdict" in Reader(front_page(*runs({}, profile="smoke"))).text


def test_a_claim_that_could_not_be_run_needs_attention(runs):
    run, past = runs({})
    problem = {"kind": "specification", "lines": ["claim.yaml:3:1: no"]}
    broken = {"id": "broken", "document": {"id": "notes"}, "problem": problem, "finished": ""}
    run = altered(run, {"claims": [*plain(run)["claims"], broken]})

    assert "broken : could not be run (specification): claim.yaml:3:1: no" in Reader(all_of(run, past)).text


def test_timings_of_a_benchmark_are_shown(runs):
    run, past = runs({})
    timing = {"what": "training", "arm": "warm", "median": 1.25, "iqr": 0.1, "rounds": 3, "condition": {"width": "8"}}
    timing |= {"device": "cpu", "processor": "p", "finished": "2026-01-02T03:04"}
    run = altered(run, {"claims.0.timings": [timing]})

    assert (
        "training of warm 1.25 s (median of 3, interquartile range 0.1 s), width 8, cpu, 2026-01-02"
        in Reader(all_of(run, past)).text
    )


def test_broken_versions_stand_in_how_it_was_measured(runs):
    run, past = runs({})
    score = plain(saved_claim().mutants)
    version = {**score["versions"][0], "file": "experiment.py", "change": "experiment.py measure: 1 -> <b>"}
    versions = [{**version, "noticed": noticed} for noticed in ("reading a is REFUTED", "")]
    told = {"noticed": 1, "counted": 2, "by": {}, "versions": versions}
    run = altered(run, {"claims.0.mutants": {**score, **told}})
    score, survivor = (
        "notices 1 of 2 broken versions of its experiment",
        "experiment.py:9: measure: 1 -> <b> (not noticed)",
    )

    text = Reader(all_of(run, past)).text
    assert f"broken versions {score} broken versions {survivor}" in text
    assert (
        f"- Broken versions: {score}\n- Broken versions: experiment.py:9: measure: 1 -&gt; &lt;b&gt; (not noticed)\n"
        in section(run.judged[0])
    )


def test_history_shows_every_run_its_verdict_and_its_numbers(runs):
    runs({}, run_id="before")
    read = Reader(timeline(*runs({"gap": -1.0}, run_id="now")))

    assert not read.wrong
    cells = [a["class"] for tag, a in read.elements if tag == "span" and a.get("class", "").startswith("cell")]
    assert cells == ["cell VERIFIED", "cell REFUTED other"]
    assert "2 runs; no step changes" in read.text
    assert read.text.count("base seed") == 1
