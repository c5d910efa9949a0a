"""Verdicts in words: what was found, why, and what would change it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.judging.points import kind_of, metric_of
from harness.specification import kinds

if TYPE_CHECKING:
    from harness.specification.kinds import Cell, Contrast
    from harness.store.records.beside import TimingRecord
    from harness.store.records.claim import ClaimRecord, ForecastRecord
    from harness.store.records.expectation import ControlRecord, ExpectationRecord, ReadingRecord, ReplicationRecord
    from harness.store.records.parts import Interval
    from harness.store.records.run import ErrorBudget

MEANING = {
    "VERIFIED": "holds",
    "REFUTED": "does not hold",
    "INCONCLUSIVE": "is not decided",
    "INVALID": "cannot be judged",
    "NOT_RUN": "was not run",
}
SYMBOL = {"VERIFIED": "✓", "REFUTED": "✗", "INCONCLUSIVE": "?", "INVALID": "!", "NOT_RUN": "-"}

SHAPES = {
    "not_normal": "the stated error rate assumes roughly normal seeds; these are not (clusters, skew, or a few far off): "
    "use `rate` or a median",
    "two_values": "the stated error rate assumes roughly normal seeds; this metric takes two values: use `rate`",
    "constant": "the same in every seed: the error rate rests on the metric's resolution alone; if a seed can fail "
    "altogether, use `rate`",
}
"""What speaks against an error rate, in words (see `normality`)."""

TRENDS = {"slope": "slope", "loglog_slope": "log-log slope", "rank_trend": "rank correlation (Kendall)"}

WOULD_CHANGE = {
    "VERIFIED": "The evidence is against the expected verdict: look for an error in the experiment first; if there is "
    "none, this is a finding, and `expected` needs a new reason from theory or source.",
    "REFUTED": "The evidence is against the reading: look for an error in the experiment first; if there is none, this "
    "is a finding about the statement. More seeds will not change it.",
    "INCONCLUSIVE": "More seeds would shrink the interval: raise `cap` in the profile, or lower the spread between "
    "seeds (more test examples, a longer training).",
    "INVALID": "No number of seeds helps: repair the experiment or the control named above.",
    "NOT_RUN": "Run it: without --claims-max-seconds, or with a profile that gives verdicts (quick, paper).",
}


def in_words(name: object) -> str:
    """Return a name of the specification as a reader says it: `as documented`."""
    return str(name).replace("_", " ")


def sentence(text: str) -> str:
    """Return text as a sentence: a capital first, a full stop last."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def minute(moment: str) -> str:
    """Return a time of ISO 8601 to the minute: `2026-11-21 18:42`."""
    return moment[:16].replace("T", " ")


def number(value: float | None, digits: int = 4) -> str:
    """Return a number with four significant digits, or as many as asked for, `-` where there is none."""
    return "-" if value is None else f"{value:.{digits}g}"


def span(interval: Interval, digits: int = 4) -> str:
    """Return the interval of an expectation, `(everything)` ends shown as infinities."""
    if interval.n == 0:
        return "-"
    low = "-inf" if interval.low is None else number(interval.low, digits)
    high = "inf" if interval.high is None else number(interval.high, digits)
    return f"[{low}, {high}]"


def series_words(claim: ClaimRecord) -> str:
    """Return how many replications a claim's evidence comes from; nothing for a run that stands alone."""
    series = claim.series
    if series is None:
        return ""
    if series.replications > 1:
        return f"{series.replications} replications since {series.since}, with {series.earlier_trials} trials of earlier ones"
    return "the first replication of a series" + (f", begun anew because {series.anew}" if series.anew else "")


def again_words(claim: ClaimRecord) -> list[str]:
    """Return why trials in the store were not reused, and which replications count once, one line each."""
    return [*claim.measured_again, *(claim.series.repeated if claim.series else [])]


def replication_words(replication: ReplicationRecord) -> str:
    """Return what a replication says of an expectation, alone and together with those before it."""
    alone, together = replication.alone, replication.accumulated
    when = f"{replication.date} (base seed {replication.base_seed})"
    own = f"{number(alone.estimate)} {span(alone)} over {alone.n} seeds"
    return f"{when}: {own}; with all before it {number(together.estimate)} {span(together)} over {together.n}"


def timing_words(timing: TimingRecord) -> str:
    """Return what pytest-benchmark measured: `1.2 s (median of 3, spread 0.1 s), scene clutter, cpu, 2026-11-21`."""
    at = "".join(f", {name} {value}" for name, value in timing.condition.items())
    spread = f"median of {timing.rounds}, interquartile range {number(timing.iqr)} s"
    return f"{number(timing.median)} s ({spread}){at}, {timing.device}, {timing.finished[:10]}"


def contrast_words(contrast: Contrast) -> str:
    """Return a contrast as a reader says it: `ratio of test_error: svm at clutter to cnn at clutter`."""
    return _over_seeds(contrast) + _per_seed(contrast)


def _over_seeds(contrast: Contrast) -> str:
    """Return what the seeds are asked for, nothing where it is the mean."""
    over = getattr(contrast, "over_seeds", None)
    if isinstance(contrast, kinds.Quantile):
        return f"{contrast.q:g}-quantile over seeds of "
    if isinstance(over, kinds.QuantileOver):
        return f"{over.quantile:g}-quantile over seeds of "
    return "median over seeds of " if over == "median" or isinstance(contrast, kinds.Median) else ""


def _per_seed(contrast: Contrast) -> str:
    metric = metric_of(contrast)
    match contrast:
        case kinds.Mean() | kinds.Median() | kinds.Quantile():
            return f"{metric}{_at(contrast.at)}"
        case kinds.Rate():
            return f"rate of {metric}{_at(contrast.at)}"
        case kinds.Exact():
            return f"{metric} in every instance{_at(contrast.at)}"
        case kinds.Linear():
            return f"{metric}: " + " ".join(f"{cell.weight:+g} x {_at(cell.at).strip()}" for cell in contrast.cells)
        case kinds.Difference():
            return f"{metric}{_at(contrast.of)} minus{_at(contrast.minus)}"
        case kinds.Ratio():
            return f"{metric}{_at(contrast.of)} divided by{_at(contrast.to)}"
        case kinds.Interaction():
            inner = f"({_cell(contrast.of)} minus {_cell(contrast.minus)})"
            return f"{metric}: {inner} at {_cell(contrast.here)} less the same at {_cell(contrast.there)}"
    among = f" ({', '.join(f'{value:g}' for value in contrast.values)})" if contrast.values else ""
    return f"{TRENDS[kind_of(contrast)]} of {metric} over {contrast.over}{among}{_at(contrast.at)}"


def _at(cell: Cell) -> str:
    return f" [{_cell(cell)}]" if cell else ""


def _cell(cell: Cell) -> str:
    take = cell.get("take")
    shown = []
    for name, value in cell.items():
        if name == "take":
            continue
        text = str(value) if name == "arm" else f"{name} {value}"
        if isinstance(value, list) and value:
            # `exact` has lists without `take`: every value counts.
            text = (
                f"{name} {value[0]} to {value[-1]}" if take is None else f"{take} over {name} {value[0]} to {value[-1]}"
            )
        shown.append(text)
    return ", ".join(shown)


def came_out(reading: ReadingRecord) -> str:
    """Return how a reading that is not as expected came out, with the expectations that flipped where it has several.

    `REFUTED as expected, but of its expectations low_error is VERIFIED, expected REFUTED`.
    """
    head = f"{reading.verdict}, expected {reading.expected}"
    odd = [expectation_came_out(name, reading.expectations[name]) for name in reading.flipped]
    if len(reading.expectations) == 1 or not odd:
        return head
    head = f"{reading.verdict} as expected, but" if reading.verdict == reading.expected else f"{head};"
    return f"{head} of its expectations {', '.join(odd)}"


def expectation_came_out(name: str, e: ExpectationRecord) -> str:
    """Return `low_error is VERIFIED, expected REFUTED`."""
    return f"{name} is {e.verdict}, expected {e.expected}"


def came_words(reading: ReadingRecord, name: str) -> str:
    """Return what stands beside an expectation's verdict if that is not the one to expect: the one to expect, or `left undecided`.

    Nothing for a reading's only expectation, whose reading says it all.
    """
    e = reading.expectations[name]
    if len(reading.expectations) == 1 or e.as_expected:
        return ""
    return "left undecided" if e.as_expected is None else f"expected {e.expected}"


def decided_words(reading: ReadingRecord, *, band: bool = False) -> str:
    """Return what decided a reading, with estimate and interval: `gap closes 0.322 [0.28, 0.37]`; nothing where nothing did.

    Of several the first that is no mathematics, as that has an interval to show.
    """
    members = [(name, e) for name, e in reading.expectations.items() if e.verdict == reading.verdict]
    for name, e in sorted(members, key=lambda found: found[1].exact)[:1]:
        found = f"{in_words(name)} {number(e.estimate, 3)}" + ("" if e.exact else f" {span(e, 2)}")
        return f"{found}, band {e.band.text}" if band else found
    return ""


def reading_words(claim: ClaimRecord, name: str) -> str:
    """Return the message of a reading that did not come out as expected."""
    reading = claim.readings[name]
    head = f"{claim.id}, reading {name}: {came_out(reading)}. The reading {MEANING[reading.verdict]}: {reading.reason}."
    lines = [head]
    for key, expectation in reading.expectations.items():
        lines += expectation_lines(key, expectation, came_words(reading, key))
    if reading.verdict == "INVALID":
        lines += [line for control in claim.controls for line in control_words(claim, control)]
    lines += [f"  trial failed: {error}" for error in claim.errors[:5]]
    lines.append(f"  What would change it: {would_change(reading)}")
    return "\n".join(lines)


def would_change(reading: ReadingRecord) -> str:
    """Return what would change how a reading came out: of one with the expected verdict, how what flipped did."""
    odd = reading.flipped if reading.verdict == reading.expected else []
    return WOULD_CHANGE[reading.expectations[odd[0]].verdict if odd else reading.verdict]


def expectation_lines(name: str, record: ExpectationRecord, came: str = "") -> list[str]:
    """Return an expectation in a few lines: estimate, interval, band and per-seed values."""
    values = ", ".join(f"{seed}: {number(value)}" for seed, value in record.values.items())
    kind = "range over instances" if record.exact else "interval"
    band = f"band {record.band.text} ({record.because})"
    return [
        f"  {name}: {record.verdict}{f' ({came})' if came else ''}, {record.reason}",
        f"    {contrast_words(record.contrast)}",
        f"    estimate {number(record.estimate)} {record.unit}, {kind} {span(record)}, {band}",
        f"    per seed: {values or 'none'}",
        *([f"    {shape_words(record)}"] if shape_words(record) else []),
    ]


def shape_words(record: ExpectationRecord) -> str:
    """Return what speaks against the error rate of an expectation; nothing where nothing does."""
    return SHAPES[record.shape] if record.shape else ""


def bound_words(budget: ErrorBudget) -> str:
    """Return which expectations the bound on false verdicts leaves out, or rests on little for; nothing if none."""
    left, constant = budget.without_bound, budget.by_resolution
    words = [f"no bound holds for {left} more, whose seeds are not roughly normal"] if left else []
    words += [f"{constant} are the same in every seed and rest on their metric's resolution"] if constant else []
    return "; ".join(words)


def left_words(claim: ClaimRecord) -> str:
    """Return what lack of time left of a claim: `ID (about 40 s)`."""
    seconds = claim.left.seconds if claim.left else None
    if seconds is None:
        return f"{claim.id} (nobody knows how long)"
    shown = f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.2g}"
    return f"{claim.id} (about {shown} s)"


def forecast_words(forecast: ForecastRecord, cap: int) -> str:
    """Return a doubtful forecast in words."""
    return f"may stay undecided: {forecast.probability:.2f} probability to decide within {cap} seeds"


def control_state(control: ControlRecord) -> str:
    """Return what became of a control: that it broke what it must break, decided or not, or why it shows nothing."""
    if not control.behaves:
        return control.reason
    undecided = [name for name, found in control.expectations.items() if found.verdict == "INCONCLUSIVE"]
    weak = f" ({', '.join(undecided)} only by staying undecided, which says little)" if undecided else ""
    return f"broke what it must break{weak}"


def control_head(control: ControlRecord) -> str:
    """Return what became of a control in a few words, without the particulars."""
    return re.split(r": | \(", control_state(control), maxsplit=1)[0]


def control_verdict(control: ControlRecord) -> str:
    """Return what a claim's readings are by a control: `behaves` if it changes nothing of them."""
    return "behaves" if control.behaves else "INVALID" if control.finished else "NOT_RUN"


def control_words(claim: ClaimRecord, name: str) -> list[str]:
    """Return a control in a few lines: what it changes, and whether it broke what it must break."""
    control = claim.controls[name]
    change = ", ".join(f"{key}: {value}" for key, value in control.change.items())
    lines = [f"  control {name} ({change}): {control_state(control)}"]
    for key, expectation in control.expectations.items():
        lines += [f"  {line}" for line in expectation_lines(key, expectation)]
    return lines
