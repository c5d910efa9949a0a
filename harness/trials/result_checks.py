"""Whether a claim's results can be read as it says: known before anything is judged, each mistake with where it stands."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from harness.errors import DataError, TrialError
from harness.judging.caps import located
from harness.judging.points import cells_of as cells_in
from harness.judging.points import kind_of, metric_of
from harness.specification.kinds import Difference, Exact, Mean, Median, Quantile, Rate, Ratio
from harness.specification.models import ALL, EXTERNAL, MOST_SEEDS, SeedPlan
from harness.specification.parsing import suggestion
from harness.specification.placeholders import filled
from harness.specification.yaml12 import MOST_PROBLEMS
from harness.trials import result_cells
from harness.trials.commands import named_settings
from harness.trials.result_files import as_text, read_rows
from harness.trials.results import cell_of, number_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness.judging.caps import Problem
    from harness.specification.models import Claim, Profile
    from harness.specification.yaml12 import YamlFile
    from harness.trials.result_files import Row, Rows

SLACK = 1e-9
"""What a metric may lie beyond its bounds, relative: rounding."""


def problems_of(claim: Claim, file: YamlFile) -> Iterator[Problem]:
    """Yield what is wrong with how a claim names results, whatever stands in them."""
    results = claim.results
    for name, profile in file.value.get("profiles", {}).items():
        if results is None and isinstance(profile, dict) and profile.get("seeds") == ALL:
            yield ("profiles", name, "seeds"), "'all' is of `results:`; give a number, or {first, step, cap}"
    if results is None:
        return
    if claim.evidence != EXTERNAL:
        yield ("evidence",), "is of what is drawn, and results lie there already; leave it out"
    for name in results.metrics:
        if name not in claim.metrics:
            yield ("results", "metrics", name), f"no metric {name!r}; {suggestion(name, claim.metrics)}"
    for name, condition in claim.conditions.items():
        if condition.together:
            yield ("conditions", name, "together"), "is for measure(): a row has one value; leave it out"
    for where, names in named_settings(claim):
        if "results" in names:
            yield (*where, "results"), "the name 'results' is taken: rows are found by it; choose another"
    for name, control in claim.controls.items():
        if control.arms and control.change.get("shuffle"):
            yield ("controls", name, "arms"), "are all where labels are permuted; leave them out"
    if not results.paired:
        yield from _not_of_groups(claim)


def _not_of_groups(claim: Claim) -> Iterator[Problem]:
    """Find what cannot be asked of arms whose rows are not paired."""
    for where, expectation in located(claim):
        contrast = expectation.contrast
        if isinstance(contrast, Mean | Median | Quantile | Rate | Exact):
            continue
        here = (*where, "contrast", kind_of(contrast))
        two_means = isinstance(contrast, Difference | Ratio) and contrast.over_seeds is None
        if not two_means or claim.metrics[metric_of(contrast)].two_valued:
            yield (
                here,
                "is of pairs; of groups (`pairing: none`) ask for the difference or ratio of two means, or for one group",
            )
        elif any("take" in cell for cell in cells_in(contrast)):
            yield here, "reduces rows that belong together, and `pairing: none` says that none do; name one value"


def resolved(claim: Claim, project: Path) -> tuple[Claim, list[Problem | str]]:
    """Return the claim with as many seeds as there are where it says `all`, and what is wrong with its rows: MOST_PROBLEMS or so.

    A problem of a row is a line that says where that stands.
    """
    assert claim.results is not None
    try:
        table = read_rows(claim.results.files, project)
    except DataError as error:
        return claim, [(("results", "files"), str(error))]
    profiles = {}
    for name, declared in claim.profiles.items():
        profile, setting = declared, result_cells.setting_of(claim, declared)
        if found := list(dict.fromkeys(islice(_wrong(claim, profile, table, setting), MOST_PROBLEMS + 1))):
            return claim, found
        n = result_cells.seeds_of(table, setting, paired=claim.paired)
        if profile.seeds.cap == MOST_SEEDS or not claim.paired:
            profile = profile.model_copy(update={"seeds": SeedPlan(first=max(n, 1), cap=max(n, 1))})
        if n < profile.seeds.cap:
            message = f"{result_cells.record_of(claim, table, setting).source}; give {n} seeds at most, or `all`"
            return claim, [
                (("profiles", name, "seeds"), f"asks for {profile.seeds.cap} seeds, and there are {n}: {message}")
            ]
        profiles[name] = profile
    return claim.model_copy(update={"profiles": profiles}), []


def _wrong(claim: Claim, profile: Profile, table: Rows, results: Mapping[str, Any]) -> Iterator[Problem | str]:
    """Yield what is wrong with the rows that a profile reads."""
    reads = list(result_cells.reads_of(claim, profile))
    columns = {name for cell in results["cells"] for name in cell} | ({results["pairing"]} if claim.paired else set())
    lacking = [name for name in sorted(columns) if not table.values(name)]
    known = {name for row in table.rows[:1] for name in row.values}
    for name in lacking:
        yield (
            ("results",),
            f"no column {name!r} in {results['files']}, whose rows it is to tell apart; {suggestion(name, known)}",
        )
    for arm, settings in reads if not lacking else ():
        yield from _wrong_rows(claim, arm, settings, table, results)


def _wrong_rows(
    claim: Claim, arm: str, settings: Mapping[str, Any], table: Rows, results: Mapping[str, Any]
) -> Iterator[Problem | str]:
    cell = cell_of(results, arm, settings)
    rows, seen, words = table.where(cell), dict[str, str](), result_cells.cell_words(cell)
    if not rows:
        name = next((name for name, value in cell.items() if as_text(value) not in table.values(name)), None)
        there = f"; {name}: {suggestion(as_text(cell[name]), table.values(name))}" if name else ""
        yield ("arms", arm), f"no row of {results['files']} has {words}{there}"
    for row in rows:
        key = as_text(row.values.get(results["pairing"]))
        if claim.paired and key in ("", "nan"):
            yield f"{row.place}: {results['pairing']}: is empty; say which pair the row belongs to, or take it out"
        elif claim.paired and key in seen:
            yield (
                f"{row.place}: {results['pairing']}: {key} stands in {seen[key]} already, for {words}; give one row: what "
                "tells them apart is a condition or a setting, and repeats are averaged beforehand"
            )
        seen[key] = row.place
        for name in claim.metrics_of(arm):
            yield from _wrong_number(claim, arm, settings, name, row)


def _wrong_number(claim: Claim, arm: str, settings: Mapping[str, Any], name: str, row: Row) -> Iterator[Problem | str]:
    """Say of a row that it has no number for a metric, or one that the metric cannot have."""
    assert claim.results is not None
    metric = claim.metrics[name]
    try:
        value = number_of(row, filled(claim.results.column(name), {**settings, "arm": arm}))
    except KeyError as error:
        yield ("results", "metrics", name), f"{{{error.args[0]}}} has no value for arm {arm!r}; give it there"
        return
    except TrialError as error:
        yield str(error)
        return
    low, high = metric.bounds
    slack = SLACK * max(1.0, abs(value)) + (metric.resolution if isinstance(metric.resolution, float) else 0.0)
    if (low is not None and value < low - slack) or (high is not None and value > high + slack):
        yield f"{row.place}: {name}: is {value:g}, beyond its bounds [{low}, {high}]; give all rows one unit, or the metric its bounds"
