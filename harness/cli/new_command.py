"""A claim about a script of one's own: its command is run once, and claim.yaml written around what it leaves."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import TrialError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ARM = "as_given"

KNOWN = ("seed", "seed_index", "out")
"""Placeholders that a command may have before anything else is said of it."""

NUMBER = r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?"

BETTER = {
    "lower": r"loss|error|err|rmse|mse|mae|perplexity|seconds|latency",
    "higher": r"acc|accuracy|return|reward|score|f1|auc|success|r2",
}
"""Which direction is an improvement, by a word of a metric's name; neither for all others."""

TRAINS = ("epochs", "steps", "updates", "episodes", "iterations", "lr", "learning_rate")
"""Settings without which nothing is learned: what a control changes first."""


LARGEST = sys.float_info.max


def words_of(
    project: Path, name: str, text: str, arm: str = ARM, value: tuple[str, str] | None = None
) -> dict[str, str]:
    """Run a command once under the first seed of a claim; return what its claim.yaml says of it, by the template's names.

    Args:
        project: where it is started.
        name: of the claim.
        text: the command, as a shell would be given it.
        arm: what `{arm}` stands for.
        value: a condition, by a name that the command has as a placeholder, and a value of it.

    Raises:
        UsageError: it is no command, has placeholders of which nothing is known yet, fails, or leaves no number.
    """
    fixed = {"arm": arm, **dict([value] if value else [])}
    words, settings = _settings(_split(text, (*KNOWN, *fixed)), fixed)
    output, found = _measured(project, name, words, {**settings, **fixed})
    names = {name_of(key): key for key in found if name_of(key) not in (*KNOWN, *settings)}
    if not names:
        raise UsageError(
            f"--command: {text}: left no number of its own; let it print json.dumps({{...}}) as its last line"
        )
    better = {metric: better_of(metric) for metric in names}
    metric = next((one for one in names if better[one] != "neither"), next(iter(names)))
    keys = {one: key for one, key in names.items() if one != key}
    more = [f"\n  output: {json.dumps(output)}"] if output else []
    more += [f"\n  metrics: {json.dumps(keys, ensure_ascii=False)}"] if keys else []
    run = f"[{', '.join(map(quoted, words))}]"
    expectation = f"{metric[:68]}_as_claimed"
    given = ", ".join(f"{one}: {value}" for one, value in settings.items())
    return {
        "command": f"\n  run: {run}{''.join(more)}" if more else f" {run}",
        "inputs": json.dumps(_files(project, words), ensure_ascii=False),
        "settings": f"settings: {{{given}}}\n" if given else "",
        "metrics": "\n".join(f"  {one}: {{unit: as printed, better: {better[one]}}}" for one in names),
        "metric": metric,
        "arms": f"  {arm}: {{}}\n",
        "asked": READING.format(
            expectation=expectation, metric=metric, arm=arm, side="at_most" if better[metric] == "lower" else "at_least"
        ),
        "conditions": "",
        "controls": controls(settings, expectation),
    }


READING = """\
readings:
  as_documented:
    expectations:
      {expectation}:
        contrast: {{mean: {metric}, at: {{arm: {arm}}}}}
        band: {{{side}: TODO}}  # a number, from the source or from a reason, never from a run
        because:  # where that number comes from
"""


def _split(text: str, known: tuple[str, ...]) -> list[str]:
    from harness.specification.placeholders import names_in

    try:
        words = shlex.split(text)
        named = [name for word in words for name in names_in(word)]
    except ValueError as error:
        raise UsageError(f"--command: {error}: {text}") from None
    for name in named:
        if name not in known:
            raise UsageError(
                f"--command: {{{name}}} has no value yet; write one in its place, such as --{name} 0.1, which becomes a setting"
            )
    if not words or "seed" not in named:
        raise UsageError(f"--command: {text!r} does not name {{seed}}, from which the script is to draw; add it")
    return words


def _settings(words: list[str], fixed: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Make settings of numbers that are given by name: `--lr 0.1`, `--lr=0.1`, `lr=0.1`."""
    from harness.judging.names import RESERVED

    found: dict[str, str] = {}
    result, before = [], ""
    for word in words:
        head, value = (before, word) if before.startswith("-") else word.rpartition("=")[::2]
        name = head.lstrip("-").replace("-", "_")
        free = re.fullmatch(r"[a-z][a-z0-9_]*", name) and name not in {*RESERVED, *KNOWN, *fixed, *found, "command"}
        is_setting = free and re.fullmatch(NUMBER, value) is not None
        if is_setting:
            found[name] = value
        before = f"{word.removesuffix(value)}{{{name}}}" if is_setting else word
        result.append(before)
    return result, found


def _measured(project: Path, name: str, words: list[str], given: Mapping[str, str]) -> tuple[str, dict[str, float]]:
    """Return the file that holds numbers (none: standard output), and the numbers by their paths of keys."""
    arm = given["arm"]
    from harness.seeds import Seed
    from harness.specification.command import FILE, Command
    from harness.trials.command import start, values_of
    from harness.trials.command_output import last_object, rows_of

    with tempfile.TemporaryDirectory(prefix="claims-", ignore_cleanup_errors=True) as place:
        values = {**given, **values_of(arm, Seed(0, name, 0), Path(place))}
        try:
            ended = start(Command(run=words).of(arm, ()), values, project.resolve(), Path(place))
        except TrialError as error:
            raise UsageError(str(error)) from None
        if wrong := ended.failure():
            raise UsageError(wrong)
        if printed := last_object(ended.output):
            return "", dict(finite(printed))
        for path in sorted(Path(values["out"]).rglob("*")):
            # A name may hold the seed, which others have not.
            file = f"{{out}}/{path.relative_to(values['out'])}".replace(str(values["seed"]), "{seed}")
            with contextlib.suppress(ValueError):
                if FILE.fullmatch(file) and (found := dict(finite(rows_of(path)[-1]))):
                    return file, found
    how = "left neither JSON on the last line of its output nor a file of numbers in {out}; let it print json.dumps({...})"
    raise UsageError(f"--command: {ended.words(how)}")


def finite(value: Any, head: str = "") -> Iterator[tuple[str, float]]:
    """Yield the finite numbers of a row, each with its path of keys."""
    for key, inner in value.items() if isinstance(value, dict) else ():
        if isinstance(inner, dict):
            yield from finite(inner, f"{head}{key}.")
        elif isinstance(inner, int | float) and not isinstance(inner, bool) and -LARGEST < inner < LARGEST:
            yield f"{head}{key}", inner


def name_of(key: str, kind: str = "metric") -> str:
    """Return a key as a name in claim.yaml; where it begins with no letter its kind comes first."""
    name = re.sub(r"[^a-z0-9]+", "_", key.lower()).strip("_")[:80]
    return name if name[:1].isalpha() else f"{kind}_{name}"[:80]


def better_of(metric: str) -> str:
    """Return which direction of a metric is an improvement, as far as its name tells."""
    return next((way for way, words in BETTER.items() if re.search(rf"(?:^|_)(?:{words})(?:_|$)", metric)), "neither")


def _files(project: Path, words: Iterable[str]) -> list[str]:
    """Return the files of a project that a command names, and the modules that its scripts import."""
    from harness.trials.modules import modules_of

    found: dict[str, None] = {}
    for word in words:
        for name in (word, f"{word.replace('.', '/')}.py", f"src/{word.replace('.', '/')}.py"):
            path = project / name
            if not path.is_file() or Path(name).is_absolute():
                continue
            found[name] = None
            for home in (project, path.parent) if path.suffix == ".py" else ():
                reached = (each for each in modules_of([path], home) if each.is_relative_to(project))
                found |= dict.fromkeys(str(each.relative_to(project)) for each in reached)
    return list(found)


def quoted(word: str) -> str:
    """Return a word as YAML reads it back, without quotes where it needs none."""
    plain = re.fullmatch(r"(?:--?|\.\.?/)?[A-Za-z_/][\w./-]*", word) and word.lower() not in ("null", "true", "false")
    return word if plain else json.dumps(word, ensure_ascii=False)


def controls(settings: Mapping[str, str], expectation: str) -> str:
    """Return what could break the expectation: another value of a setting, or the reason why nothing could."""
    changed = next((one for one in (*TRAINS, *settings) if one in settings), None)
    if changed is None:
        return (
            "        # Nothing in the command can be changed yet: make a word of it a setting and add a control, or say\n"
            "        no_control:  # why nothing could break it\n\ncontrols: {}\n"
        )
    way, other = ("with", 1) if float(settings[changed]) == 0 else ("without", 0)
    return (
        "\n# A change under which the expectation must not come out as expected: it shows that it could have failed.\n"
        f"controls:\n  {way}_{changed[:72]}:\n    change: {{{changed}: {other}}}\n    breaks: [{expectation}]\n"
        "    because:  # why it must fail then\n"
    )
