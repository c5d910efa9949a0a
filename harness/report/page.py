"""The report as one HTML file that loads nothing: it opens from a disk, offline, on paper and on a telephone."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from harness import explain, waiver
from harness.options import NO_VERDICT_PROFILE
from harness.plaintext import visible
from harness.report import charts
from harness.report.noise import BROKEN, detail_lines
from harness.report.rows import (
    as_expected,
    doubtful,
    fallen,
    found,
    judged,
    left,
    problems,
    reused,
    rows,
    verdict_counts,
    waivers,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jinja2 import Environment

    from harness.record import Record
    from harness.report import Run

Context = dict[str, Any]

LARGEST = 2 * 2**20
"""Bytes of the page, above which claims that came out as expected are shown in short."""

STRENGTH = {
    "same_setting": "the source's own setting",
    "scaled_down": "the source's setting, scaled down",
    "analogue": "an analogue of the source's setting",
}

MEANINGS = {
    "VERIFIED": "hold",
    "REFUTED": "do not hold",
    "INCONCLUSIVE": "are not decided",
    "INVALID": "cannot be judged",
    "NOT_RUN": "were not run",
}

VERDICTS = {
    "VERIFIED": "the whole interval of the estimate lies inside the band: the reading holds",
    "REFUTED": "the whole interval lies outside the band: the reading does not hold",
    "INCONCLUSIVE": "the interval reaches over an edge of the band: not decided with the seeds allowed",
    "INVALID": "the instrument cannot be trusted: a control did not fail, or a number is undefined",
    "NOT_RUN": "nothing was measured, or the profile gives no verdict",
}


def page(run: Run, past: Record | None = None) -> str:
    """Return the front page and a section for every claim, as HTML.

    Were it larger than 2 MiB, the sections of claims that came out as expected are short ones.

    Args:
        run: the run, as report.json holds it.
        past: what the store knows of earlier runs (`chronicle`), None if nobody looked.
    """
    whole = _page(run, past, brief=False)
    return whole if len(whole.encode()) <= LARGEST else _page(run, past, brief=True)


def _page(run: Run, past: Record | None, *, brief: bool) -> str:
    script = _asset("page.js")
    claims = [_claim(claim, brief=brief and _good(claim)) for claim in _sorted(judged(run))]
    documents = _documents(run, claims)
    return render(
        "index.html",
        script=script,
        script_hash=_sha256(script),
        head=_head(run),
        attention=list(_attention(run)),
        changes=_changes(past, {claim["id"]: claim["title"] for claim in judged(run)}),
        documents=documents,
        claims=claims,
        tags=sorted({tag for claim in claims for tag in claim["tags"]}),
        strip_width=charts.STRIP,
        verdicts=VERDICTS,
        budget=_budget(run),
        run=_provenance(run),
        history=past is not None,
    )


def render(template: str, **context: Any) -> str:
    """Return a template of harness/report/templates filled with plain values; every value is shown as text."""
    return (
        _environment()
        .get_template(template)
        .render(style=_asset("style.css"), symbol=explain.SYMBOL, meanings=MEANINGS, **context)
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    def shown(value: object) -> object:
        """Return text without what moves a cursor or turns the direction of writing; markup is our own."""
        return value if isinstance(value, Markup) else visible(value, "\n") if isinstance(value, str) else value

    made = Environment(
        loader=PackageLoader("harness.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"symbol": explain.SYMBOL}
    made.filters |= {"moves": charts.moves, "path": charts.path}
    return made


@lru_cache(maxsize=4)
def _asset(name: str) -> Any:
    """Return a style sheet or script of this package, to be put into a page as it is."""
    from markupsafe import Markup

    return Markup(files("harness.report").joinpath("templates", name).read_text(encoding="utf-8"))  # noqa: S704


def _sha256(script: str) -> str:
    """Return what a page's security policy calls a script by, so that no other runs in it."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def anchor(name: str) -> str:
    """Return the name that links within a page use for a claim or document."""
    return re.sub(r"[^a-z0-9]", "-", name.lower())


def _sorted(claims: list[Record]) -> list[Record]:
    """Return claims with those that came out otherwise than expected first, then document by document."""
    return sorted(claims, key=lambda c: (_good(c), c["document"]["id"], c["id"]))


def _good(claim: Record) -> bool:
    return all(reading["as_expected"] for reading in claim["readings"].values())


def _words(name: object) -> str:
    return str(name).replace("_", " ")


def _head(run: Run) -> Context:
    good, total = as_expected(run)
    again, trials = reused(run)
    claims, machine, budget = judged(run), run["machine"], run["error_budget"]
    wall = sum(claim["cost"]["wall_seconds"] for claim in claims)
    compute = sum(claim["cost"]["compute_seconds"] for claim in claims)
    return {
        "good": good,
        "total": total,
        "waivers": waivers(run),
        "counts": verdict_counts(run),
        "smoke": run["options"]["profile"] == NO_VERDICT_PROFILE,
        "date": run["started"][:16].replace("T", " ") + " UTC",
        "profile": run["options"]["profile"],
        "base_seed": run["options"]["base_seed"],
        "processor": machine["processor"],
        "cores": machine["cores"],
        "version": machine["packages"].get("claims-harness", ""),
        "facts": [
            ("claims", len(claims), f"of {len({c['document']['id'] for c in claims})} documents"),
            ("trials", f"{trials:,}", f"{again:,} reused"),
            ("time of this run", *_duration(wall)),
            ("computing behind it", *_duration(compute)),
            ("false verdicts to expect", f"{budget['expected_false_verdicts']:.2g}", "at most"),
        ],
    }


def _duration(seconds: float) -> tuple[str, str]:
    if seconds < 90:
        return f"{seconds:.0f}", "s"
    return (f"{seconds / 60:.1f}", "min") if seconds < 5400 else (f"{seconds / 3600:.1f}", "h")


def _attention(run: Run) -> Iterator[Context]:
    """Yield what needs attention: an anchor if there is a section, a title, and what to say."""
    for claim in problems(run):
        yield _line(
            "", claim["id"], f"could not be run ({claim['problem']['kind']}): {'; '.join(claim['problem']['lines'])}"
        )
    for row in rows(run):
        if not row.reading["as_expected"] and row.claim["profile"] != NO_VERDICT_PROFILE:
            yield _unexpected(row.claim, row.name, row.reading)
    for claim in judged(run):
        head = (anchor(claim["id"]), claim["title"])
        if waiver.note(claim):
            yield _line(*head, waiver.note(claim))
        for error in claim["errors"][:3]:
            yield _line(*head, f"trial failed: {error}")
        if (claim.get("noise") or {}).get("verdict") == "DIFFERENT":
            yield _line(*head, f"A/A run: {BROKEN}")
    for claim in left(run):
        yield _line(anchor(claim["id"]), claim["title"], f"left for lack of time: {explain.left_words(claim)}")
    for row, name, forecast in doubtful(run):
        words = explain.forecast_words(forecast, row.claim["seeds"]["cap"])
        yield _line(anchor(row.claim["id"]), row.claim["title"], f"“{_words(name)}” {words}")


def _unexpected(claim: Record, name: str, reading: Record) -> Context:
    leave = f" {waiver.words(claim)}." if waiver.covers(reading) else ""
    return _line(
        anchor(claim["id"]),
        claim["title"],
        f"reading “{_words(name)}” {reading['verdict']}, expected {reading['expected']}: {reading['reason']}.{leave} "
        f"{explain.WOULD_CHANGE[reading['verdict']]}",
    )


def _line(name: str, title: str, text: str) -> Context:
    return {"anchor": name, "title": title, "text": text}


def _changes(past: Record | None, titles: dict[str, str]) -> Context | None:
    """Return what changed since each claim's run before; None if nobody looked."""
    if past is None:
        return None
    changes = past["changes"]
    lines = [_line(anchor(row["claim"]), titles[row["claim"]], row["words"]) for row in changes["rows"]]
    return {"words": changes["words"], "lines": lines}


def _documents(run: Run, claims: list[Context]) -> list[Context]:
    documents = {claim["document"]["id"]: claim["document"] for claim in judged(run)}
    return [
        {**documents[key], "anchor": anchor(key), "claims": [claim for claim in claims if claim["document"] == key]}
        for key in sorted(documents)
    ]


def _claim(claim: Record, *, brief: bool) -> Context:
    head, rest = found(claim)
    source = claim["source"]
    tags = [claim["strength"], *(claim.get("tags") or [])]
    unexpected = [] if _good(claim) else ["unexpected"]
    words = " ".join((claim["id"], claim["title"], claim["statement"], claim["document"]["title"], *tags))
    return {
        "anchor": anchor(claim["id"]),
        "title": claim["title"],
        "document": claim["document"]["id"],
        "document_title": claim["document"]["title"],
        "section": source["section"],
        "strength": STRENGTH[claim["strength"]],
        "tags": tags,
        "search": " ".join(words.lower().split()),
        "verdicts": " ".join([*dict.fromkeys(r["verdict"] for r in claim["readings"].values()), *unexpected]),
        "found": f"{head[:1].upper()}{head[1:]}{rest}.",
        "statement": claim["statement"],
        "paper": source["paper"],
        "reported": [(_words(name), value) for name, value in source["reported"].items()],
        "does_not_show": _sentence(claim["does_not_show"]),
        "arms": [(_words(name), _settings(settings)) for name, settings in claim["arms"].items()],
        "conditions": [(_words(name), ", ".join(map(str, values))) for name, values in claim["conditions"].items()],
        "brief": brief,
        "pictures": [] if brief else charts.phenomena(claim),
        "illustrations": [] if brief else [charts.illustration(drawn) for drawn in claim.get("illustrations", [])],
        "readings": [_reading(claim, number, name) for number, name in enumerate(claim["readings"])],
        "controls": [_control(claim, name) for name in claim["controls"]],
        "details": list(_details(claim)),
        "command": _command(claim),
    }


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def _settings(settings: Record) -> str:
    return ", ".join(f"{_words(name)} {value}" for name, value in settings.items()) or "as the settings say"


def _reading(claim: Record, number: int, name: str) -> Context:
    reading = claim["readings"][name]
    return {
        "number": number,
        "name": _words(name),
        "verdict": reading["verdict"],
        "expected": reading["expected"],
        "unexpected": not reading["as_expected"] and claim["profile"] != NO_VERDICT_PROFILE,
        "leave": waiver.mark(claim) if waiver.covers(reading) else "",
        "means": _sentence(reading["means"]) if reading["means"] else "",
        "because": reading["because"],
        "expectations": [_expectation(claim, key, e) for key, e in reading["expectations"].items()],
    }


def _expectation(claim: Record, name: str, e: Record) -> Context:
    controls = {key: c["expectations"][name] for key, c in claim["controls"].items() if name in c["expectations"]}
    return {
        "name": _words(name),
        "words": _words(name),
        "contrast": explain.contrast_words(e["contrast"]).replace("_", " "),
        "unit": e["unit"],
        "verdict": e["verdict"],
        "estimate": explain.number(e["estimate"]),
        "short": explain.number(e["estimate"], 3),
        "short_span": "" if e["exact"] else explain.span(e, 2),
        "span": "in every instance" if e["exact"] else explain.span(e),
        "seeds": f"{e['n']} seeds" + (f", {e['earlier']} of them of earlier nights" if e.get("earlier") else ""),
        "band": e["band"]["text"],
        "said": "" if e["reported"] is None else explain.number(e["reported"]),
        "band_because": f"This band because {e['because']}",
        "reason": "" if e["verdict"] in ("VERIFIED", "REFUTED") else e["reason"],
        "rate": f"{e['alpha']:g}" + (f", adjusted p {e['adjusted_p']:.1g}" if e.get("adjusted_p") is not None else ""),
        "values": ", ".join(explain.number(value) for value in e["values"].values()) or "none",
        "looks": "; ".join(f"{look['n']} seeds {explain.span(look)}" for look in e["looks"]),
        "controls": [
            (_words(key), f"{explain.number(c['estimate'])} {explain.span(c)}, {c['n']} seeds, {c['verdict']}")
            for key, c in controls.items()
        ],
        "nights": [explain.night_words(night) for night in e.get("nights", [])],
        "strip": charts.strip(e),
        "panel": charts.panel(name, e, claim["controls"]),
    }


def _control(claim: Record, name: str) -> Context:
    control = claim["controls"][name]
    of = f" (for {', '.join(map(_words, control['arms']))} alone)" if control["arms"] else ""
    state = "Broke what it must break" if control["behaves"] else "Did NOT break what it must break"
    return {
        "name": _words(name),
        "state": state if control["finished"] else "Was not run to its end",
        "change": _settings(control["change"]) + of,
        "because": _sentence(control["because"]),
    }


def _details(claim: Record) -> Iterator[tuple[str, str]]:
    """Yield what a stranger needs to know of how a claim was measured."""
    plan, trials, cost = claim["seeds"], claim["trials"], claim["cost"]
    for arm, seconds in claim.get("seconds_per_trial", {}).items():
        yield f"a trial of {_words(arm)}", f"{explain.number(seconds)} s (median; data, training and tests together)"
    for timing in claim.get("timings", []):
        yield f"{timing['what']} of {_words(timing['arm'])}", explain.timing_words(timing)
    total = sum(trials.values())
    yield "trials", f"{total}, of which {trials['reused']} reused and {trials['failed']} failed"
    yield "time", f"{cost['wall_seconds']:.1f} s in this run, {cost['compute_seconds']:.1f} s of computing behind it"
    yield "seeds", f"a look after {plan['first']}, then every {plan['step']}, at most {plan['cap']}"
    yield "profile", f"{claim['profile']}, base seed {claim['base_seed']}, on {claim['device']}"
    if explain.series_words(claim):
        yield "evidence", explain.series_words(claim)
    yield "settings", _settings(claim["settings"])
    data = (f"{d['name']}, {d['size']:,} examples, sha256 {d['sha256'][:16]}…, {d['source']}" for d in claim["data"])
    yield "data", "; ".join(data) or "generated by the experiment"
    yield "environment", ", ".join(f"{name} {value}" for name, value in claim["environment"].items())
    yield "code", f"{claim['code']['digest'][:16]}… over {', '.join(claim['code']['modules'])}"
    chosen = claim.get("strategies") or {}
    if chosen:
        yield "seeds trained", ", ".join(f"{_words(arm)} {' and '.join(names)}" for arm, names in chosen.items())
    for line in detail_lines(claim.get("noise")):
        yield "noise", line


def _command(claim: Record) -> str:
    """Return the command that measures a claim again."""
    return f"claims run {claim['id']} --claims-profile {claim['profile']} --claims-base-seed {claim['base_seed']} --claims-fresh"


def _budget(run: Run) -> str:
    """Return what all verdicts of the run together may get wrong."""
    budget, lost = run["error_budget"], fallen(run)
    names = "; ".join(f"{row.claim['id']} “{_words(row.name)}” ({row.reading['adjusted_verdict']})" for row in lost)
    after = f"these readings would not be decided: {names}" if lost else "every verdict stands"
    return (
        "Each interval may miss the truth with the error rate stated beside it; over the whole run at most "
        f"{budget['expected_false_verdicts']:.3g} false verdicts are to be expected, and in its controls at most "
        f"{budget['expected_false_controls']:.3g}. Adjusted by Holm's procedure over its {budget['expectations']} "
        f"expectations, so that even one false verdict has a chance of at most {budget['family_wise_rate']:g}, {after}."
    )


def _provenance(run: Run) -> list[tuple[str, str]]:
    machine = run["machine"]
    changes = " with uncommitted changes" if machine["uncommitted_changes"] else ""
    return [
        ("run", f"{run['id']}, begun {run['started']}"),
        ("commit", f"{machine['commit'] or 'unknown'}{changes}"),
        ("machine", f"{machine['processor']}, {machine['cores']} cores, {machine['platform']}"),
        ("packages", ", ".join([f"Python {machine['python']}", *(f"{n} {v}" for n, v in machine["packages"].items())])),
        (
            "options",
            ", ".join(f"{_words(name)} {value}" for name, value in run["options"].items() if name != "sources"),
        ),
    ]
