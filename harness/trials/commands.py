"""Whether a claim's command can be filled in and read: known when the claim is loaded."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from harness.judging.caps import settings_of
from harness.specification.kinds import Exact
from harness.specification.models import EXTERNAL
from harness.specification.parsing import suggestion
from harness.specification.placeholders import names_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.judging.caps import Problem
    from harness.specification.command import Command
    from harness.specification.models import Claim
    from harness.specification.yaml12 import Location

OWN = ("arm", "seed", "seed_index", "out")
"""Placeholders that the tool itself fills in."""

Named = dict[str, dict[str, "Location"]]
"""Arm -> placeholder -> where it stands."""


def problems_of(claim: Claim) -> list[Problem]:
    """Return what is wrong with a claim's command: where, and what to do; nothing for a claim without one."""
    command = claim.command
    if command is None:
        return []
    named = _named(claim, command)
    found = list(chain(_names(claim, command), _files(claim, command, named), _not_for_commands(claim)))
    # Placeholders are looked up arm by arm, so these must be right first.
    return found or list(chain(_placeholders(claim, named), _unused(claim, named), _seedless(claim, named)))


def as_written(where: Location, value: Any) -> Location:
    """Return where something stands in a file whose command may be a list, which has no key `run`."""
    short = isinstance(value, dict) and isinstance(value.get("command"), list)
    return ("command", *where[2:]) if short and where[:2] == ("command", "run") else where


def _named(claim: Claim, command: Command) -> Named:
    """Return arm -> placeholder that its command is given -> where it stands first; files are read, and given nothing."""
    shared = [((("command", "environment", name), text)) for name, text in command.environment.items()]
    if isinstance(command.run, list):
        words: list[tuple[Location, str]] = [(("command", "run", at), word) for at, word in enumerate(command.run)]
        return dict.fromkeys(claim.arms, _first([*words, *shared]))
    heads = {
        arm: [(("command", "run", arm, at), word) for at, word in enumerate(command.words(arm))] for arm in claim.arms
    }
    return {arm: _first([*words, *shared]) for arm, words in heads.items()}


def _first(texts: Iterable[tuple[Location, str]]) -> dict[str, Location]:
    found: dict[str, Location] = {}
    for where, text in texts:
        for name in names_in(text):
            found.setdefault(name, where)
    return found


def _names(claim: Claim, command: Command) -> Iterator[Problem]:
    """Check the arms and metrics that a command names, and that no setting has the name of a placeholder of the tool."""
    by_arm = {} if isinstance(command.run, list) else command.run
    for arm in by_arm:
        if arm not in claim.arms:
            yield ("command", "run", arm), f"no arm {arm!r}; {suggestion(arm, claim.arms)}"
    if by_arm and (lacking := [arm for arm in claim.arms if arm not in by_arm]):
        yield ("command", "run"), f"has no command for arm {lacking[0]!r}; add one, or give all arms the same"
    for name in command.metrics:
        if name not in claim.metrics:
            yield ("command", "metrics", name), f"no metric {name!r}; {suggestion(name, claim.metrics)}"
    for where, names in named_settings(claim):
        for name in names:
            if name in (*OWN, "command"):
                yield (*where, name), f"the name {name!r} is taken: a command is given it by the tool; choose another"


def named_settings(claim: Claim) -> Iterator[tuple[Location, Iterable[str]]]:
    """Yield all places where settings are named, with the names."""
    yield ("settings",), claim.settings
    yield ("conditions",), claim.conditions
    yield from ((("arms", name), own) for name, own in claim.arms.items())
    yield from ((("profiles", name), profile.settings) for name, profile in claim.profiles.items())
    yield from ((("controls", name, "change"), control.change) for name, control in claim.controls.items())


def _files(claim: Claim, command: Command, named: Named) -> Iterator[Problem]:
    """Check that what is read of files is written to them, that their names are known, and that only rows are reduced."""
    deaf = [arm for arm in claim.arms if "out" not in named[arm]]
    for name in claim.metrics:
        place, where = command.place(name), ("command", "metrics", name)
        if place.take != "last" and (place.file is None or place.file.endswith(".json")):
            words = f"{place.take!r} is of rows; name a file of them (.jsonl, .csv or .tsv) under `file`"
            yield (*where, "take"), words
        untold = next((arm for arm in deaf if name in claim.metrics_of(arm)), None)
        here = where if name in command.metrics else ("command", "output")
        if place.file and untold:
            words = f"is in {place.file}, but arm {untold!r} is not told of {{out}}; write {{out}} where its command takes it"
            yield here, words
        for unknown in [one for one in names_in(place.file or "") if one not in OWN]:
            yield (
                here,
                f"{{{unknown}}} cannot name a file; name it by {', '.join(f'{{{one}}}' for one in OWN[:3])}, or by nothing",
            )


def _not_for_commands(claim: Claim) -> Iterator[Problem]:
    for name, condition in claim.conditions.items():
        if condition.together:
            yield ("conditions", name, "together"), "is for measure(): a command has one value at a time; leave it out"
    if claim.timings.training or claim.timings.inference:
        yield ("timings",), "are of prepare_training() and prepare_inference(), which no command has; leave them out"


def _placeholders(claim: Claim, named: Named) -> Iterator[Problem]:
    """Find placeholders that have no value, for some arm under some profile."""
    placed = ("device", "precision") if claim.precision else ()
    everything = {*OWN, *placed, *(name for _, names in named_settings(claim) for name in names)}
    told = set()
    for profile in claim.profiles.values():
        shared = {*OWN, *placed, *settings_of(claim, profile), *claim.conditions}
        for arm, own in claim.arms.items():
            for name in named[arm].keys() - shared - own.keys():
                where = named[arm][name]
                if (where, name) not in told:
                    known = f"has no value for arm {arm!r}; give it there, or under settings"
                    unknown = f"is no placeholder; {suggestion(name, everything)}"
                    yield where, f"{{{name}}} {known if name in everything else unknown}"
                told.add((where, name))


def _unused(claim: Claim, named: Named) -> Iterator[Problem]:
    """Find settings that reach nothing: a control that changes one would run the very same command."""
    counts = {str(metric.resolution).removeprefix("1/") for metric in claim.metrics.values()}
    everywhere = counts.union(*named.values())
    for where, names in named_settings(claim):
        arms = (
            [where[1]]
            if where[0] == "arms"
            else (claim.controls[str(where[1])].arms if where[0] == "controls" else None)
        )
        used = counts.union(*(named[str(arm)] for arm in arms)) if arms else everywhere
        for name in names:
            if name not in used:
                yield (
                    (*where, name),
                    f"{name!r} reaches no word of the command; write {{{name}}} there, or leave it out",
                )


def _seedless(claim: Claim, named: Named) -> Iterator[Problem]:
    """Find a command that is the same for every seed, or for every base seed, where numbers are taken to be drawn."""
    if all(isinstance(expectation.contrast, Exact) for expectation in claim.expectations.values()):
        return
    for arm, names in named.items():
        indexed = "seed_index" in names
        if "seed" in names or (indexed and claim.evidence == EXTERNAL):
            continue
        what = "counts 0, 1, 2, ... whatever the base seed" if indexed else "is the same for every seed"
        remedy = "; or say `evidence: external`" if indexed else ""
        yield ("command",), f"for arm {arm!r} it {what}: give the script {{seed}}, from which it draws{remedy}"
        return
