"""The report in a real browser: opened from a disk with the network off, looked at in every size and both schemes.

`nox -s browser` runs this. It needs chromium (Debian's, or the one that CHROMIUM names) and nothing from elsewhere. The
screenshots stay in reports/browser.
"""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from harness.report.write import write_reports
from harness.retrospect.run_history import chronicle_of
from harness.running.coverage import with_coverage
from harness.running.results import run_of
from harness.store.store import Store
from tests.reported import make_reports

PROJECT = Path(__file__).parents[2]

PICTURES = PROJECT / "reports" / "browser"

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or ""

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip

HOSTILE = "</title><script>window.hurt = 1</script><img src=x onerror='window.hurt = 1'><svg onload='window.hurt = 1'>"

SIZES = {"wide": (1400, 1000), "narrow": (360, 780)}


@pytest.fixture(scope="session")
def browser():
    if not CHROMIUM:
        pytest.skip("there is no chromium here; apt-get install chromium, or name one in CHROMIUM")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Reports of real runs of claims that came out in every way."""
    root = tmp_path_factory.mktemp("browser")
    make_reports(root)
    with closing(Store(root / "store.sqlite3")) as store:
        run = with_coverage(run_of(store, "night"), root / "claims")
        text = "\n".join(f"line {number} of the document" for number in range(1, 60))
        write_reports(run, root / "report", chronicle_of(store, run), {"notes": text})
        words = dict.fromkeys(("title", "statement", "does_not_show"), HOSTILE)
        hostile = [claim.model_copy(update=words) for claim in run.judged]
        many = [run.judged[n % len(hostile)].model_copy(update={"id": f"claim_{n}"}) for n in range(1000)]
        for name, claims in (("hostile", [*hostile, *run.problems]), ("many", many)):
            write_reports(run.model_copy(update={"claims": claims}), root / name)
    return root


@pytest.fixture
def opened(browser, folder):
    """Open a page as a file with the network off; whatever it asks for or complains of is noted."""
    contexts = []

    def open_page(name, size="wide", scheme="light", **more):
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            offline=True,
            **{"reduced_motion": "reduce", **more},
        )
        contexts.append(context)
        page = context.new_page()
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto((folder / name).as_uri())
        page.asked = [url for url in page.asked[1:] if not url.startswith("data:")]
        return page

    yield open_page
    for context in contexts:
        context.close()


PAGES = [
    "report/index.html",
    "report/history.html",
    "report/claims/is_of_every_kind.html",
    "report/documents/notes.html",
    "report/documents/notes-text.html",
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PAGES)
def browser_a_page_opens_alone_and_fits(opened, name, size, scheme):
    page = opened(name, size, scheme)
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{Path(name).stem}-{size}-{scheme}.png")

    assert page.said == []
    assert page.asked == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing sticks out sideways"
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 22, 26)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def browser_axe_finds_no_violation(opened, name, scheme):
    page = opened(name, scheme=scheme)
    # What is folded is read too.
    page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))")

    found = Axe().run(page)

    assert [
        f"{v['id']}: {v['nodes'][0]['target']} {v['nodes'][0]['html'][:200]}" for v in found.response["violations"]
    ] == []


CLAIMS = [
    "does_not_hold",
    "holds",
    "is_invalid",
    "is_of_every_kind",
    "is_out_of_bounds",
    "is_undecided",
    "is_waived",
    "raises",
]


def browser_every_claim_is_listed_and_its_link_opens_its_page(opened):
    page = opened("report/index.html")
    rows = page.locator("[data-claim]")
    assert sorted(rows.evaluate_all("found => found.map((one) => one.dataset.claim)")) == CLAIMS

    page.locator("[data-claim='does_not_hold'] a").click()
    page.wait_for_load_state()

    assert page.url.endswith("report/claims/does_not_hold.html")
    assert page.locator("h1").is_visible()
    page.get_by_text("All documents").click()
    page.wait_for_load_state()
    assert page.url.endswith("report/index.html")


def browser_every_link_from_page_to_page_leads_to_a_file_and_a_place_in_it(opened, folder):
    report = folder / "report"
    pages = sorted(path.relative_to(folder).as_posix() for path in report.rglob("*.html"))
    ids, links = {}, []
    for name in pages:
        page = opened(name)
        ids[folder / name] = set(page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)"))
        links += [
            (folder / name, link) for link in page.evaluate("[...document.links].map((a) => a.getAttribute('href'))")
        ]

    lost = []
    for source, link in links:
        path, _, place = link.partition("#")
        target = (source.parent / path).resolve() if path else source
        if not target.is_file() or (place and place not in ids.get(target, set())):
            lost.append((source.name, link))
    assert len(pages) == 2 + len(CLAIMS) + 2
    assert len(links) > 60
    assert lost == []


SETTLED = """() => new Promise((done) => {
  let last = NaN, same = 0;
  const look = () => {
    same = scrollY === last ? same + 1 : 0;
    last = scrollY;
    if (same > 5) done(); else requestAnimationFrame(look);
  };
  look();
})"""
"""Ends when the page has not moved for some frames."""

WHERE = """(id) => {
  const target = document.getElementById(id), box = target.getBoundingClientRect();
  const seen = document.elementFromPoint(box.left + 3, Math.max(box.top, 0) + 3);
  return {
    top: box.top,
    atTheEnd: scrollY + innerHeight >= document.documentElement.scrollHeight - 1,
    within: box.top >= -1 && box.top < innerHeight,
    uncovered: target.contains(seen) || (seen !== null && seen.contains(target)),
  };
}"""

AFTER = """(id) => {
  const target = document.getElementById(id), now = document.activeElement;
  const all = [...document.querySelectorAll("a[href], summary, input, select, pre[tabindex], [tabindex='0']")]
    .filter((one) => one.checkVisibility({visibilityProperty: true}));
  const first = all.find((one) => target.contains(one)
    || target.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING);
  return first === undefined || first === now;
}"""
"""Whether the first thing that the keyboard reaches at or after a target is the one that has the focus."""


def follow(page, link):
    """Follow a link of the page as a reader does, and return where its target is once nothing moves any more."""
    page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
    page.evaluate(SETTLED)
    if "skip" in (link.get_attribute("class") or ""):
        link.focus()
        page.keyboard.press("Enter")
    else:
        link.click()
    page.evaluate(SETTLED)
    return page.evaluate(WHERE, link.get_attribute("href").partition("#")[2])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("name", "step"), [("report/index.html", 1), ("report/history.html", 1), ("report/documents/notes.html", 1)]
)
def browser_every_link_within_a_page_leads_to_where_it_says(opened, name, step, size):
    # As most readers have it: with motion.
    page = opened(name, size, reduced_motion="no-preference")
    links = page.locator("a[href^='#']")
    wrong = []
    for index in range(0, links.count(), step):
        link = links.nth(index)
        target = link.get_attribute("href")[1:]
        found = follow(page, link)
        right = abs(found["top"]) <= 1 or (found["atTheEnd"] and found["within"])
        page.keyboard.press("Tab")
        if not (right and found["uncovered"] and page.evaluate(AFTER, target)):
            wrong.append((target, found, page.evaluate("document.activeElement.outerHTML.slice(0, 80)")))

    assert links.count() > 1
    assert wrong == []


def browser_the_filter_finds_by_words_verdict_document_and_tag(opened):
    page = opened("report/index.html")
    shown = page.locator("[data-claim]:visible")
    told = page.locator("form output")

    def names():
        return sorted(shown.evaluate_all("found => found.map((one) => one.dataset.claim)"))

    assert names() == CLAIMS
    assert told.inner_text() == "8 of 8 claims"

    page.get_by_label("Search claims").fill("does_not_hold")
    assert names() == ["does_not_hold"]
    assert told.inner_text() == "1 of 8 claims"
    page.get_by_label("Search claims").fill("")

    page.get_by_label("Verdict", exact=True).select_option("REFUTED")
    assert names() == ["does_not_hold", "is_waived"]
    page.get_by_label("Verdict", exact=True).select_option("")

    page.get_by_label("Tag").select_option("numbers")
    assert names() == ["holds"]
    page.get_by_label("Document", exact=True).select_option("notes")
    assert names() == ["holds"]


def browser_the_filter_unfolds_what_it_finds(opened):
    page = opened("many/index.html")
    assert page.locator("[data-claim]:visible").count() == 0, "so many are folded"

    page.get_by_label("Search claims").fill("claim_77")

    assert page.locator("[data-claim='claim_77']").is_visible()
    assert page.locator("[data-claim]:visible").count() == 11, "claim_77 and claim_770 to claim_779"


def browser_without_scripting_all_is_there_but_the_filter(opened):
    page = opened("report/index.html", java_script_enabled=False)

    assert page.locator("[data-claim]:visible").count() == 8
    assert not page.locator("form.filter").is_visible()
    assert page.locator("details summary").first.is_visible()


def browser_the_keyboard_reaches_the_claims(opened):
    page = opened("report/index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the claims"
    assert page.locator(".skip").is_visible()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


@pytest.mark.parametrize("name", ["index.html", "claims/holds.html", "documents/notes.html"])
def browser_hostile_words_do_nothing(opened, name):
    page = opened(f"hostile/{name}")

    assert page.evaluate("window.hurt") is None
    assert page.asked == []
    assert page.said == []
    assert "<script>window.hurt = 1</script>" in page.locator("main").text_content()


def browser_a_thousand_claims_are_there_within_a_second(opened, folder):
    pages = [folder / "many/index.html", *(folder / "many").rglob("*.html")]
    sizes = {path: path.stat().st_size for path in pages}
    page = opened("many/index.html")
    loaded = page.evaluate("performance.timing.loadEventEnd - performance.timing.navigationStart")
    height = page.evaluate("document.documentElement.scrollHeight")

    print(f"1,000 claims: {sizes[pages[0]] / 2**20:.2f} MiB, loaded after {loaded} ms, {height} px high")
    assert page.locator("[data-claim]").count() == 1000
    assert sizes[pages[0]] < 2 * 2**20
    assert max(size for path, size in sizes.items() if path.parent.name != "documents") < 2 * 2**20
    assert loaded < 1000


def browser_it_prints(opened, folder):
    page = opened("report/index.html")
    page.pdf(path=folder / "report.pdf")

    assert (folder / "report.pdf").stat().st_size > 20_000
    page.emulate_media(media="print")
    assert not page.locator("form.filter").is_visible()
