"""YAML to models, with every error of a file at once, each with its remedy."""

from __future__ import annotations

import difflib
import re
import types
import typing
from bisect import bisect
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ValidationError

from harness._text import shortened
from harness.errors import SpecError
from harness.specification.kinds import KINDS, Contrast
from harness.specification.yaml12 import LONGEST_NAME, MOST_PROBLEMS, first_of

if typing.TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.specification.yaml12 import Location, YamlFile

M = TypeVar("M", bound=BaseModel)

NEAR = 50
"""Names before and after a misspelt one, in alphabetical order, that it is compared with: comparing is slow."""

MOST_SHOWN = 20
"""Names that a message lists."""

MOST_ERRORS = 5 * MOST_PROBLEMS
"""Errors of pydantic that are placed; of one value it may give one for each type that was possible."""


def parse(model: type[M], file: YamlFile) -> M:
    """Validate the value of a YAML file.

    Raises:
        SpecError: every error of the file at once.
    """
    try:
        return model.model_validate(file.value)
    except ValidationError as error:
        found = [_Found.of(model, file.value, e) for e in error.errors(include_url=False)[:MOST_ERRORS]]
        problems = dict.fromkeys(file.problem(*line) for line in _lines(found))
        raise SpecError(first_of(by_position(problems), file.path)) from None


def by_position(problems: Iterable[str]) -> list[str]:
    """Return problem lines of one file in the order in which a reader meets them."""

    def position(problem: str) -> tuple[int, int]:
        found = re.search(r":(\d+):(\d+): ", problem)
        return (int(found[1]), int(found[2])) if found else (0, 0)

    return sorted(problems, key=position)


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return `did you mean 'x'?`, or the list of what is known."""
    choices = sorted(known)
    at = bisect(choices, word)
    near = [name for name in choices[max(0, at - NEAR) : at + NEAR] if max(len(name), len(word)) <= LONGEST_NAME]
    close = difflib.get_close_matches(word, near, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    shown = [shortened(name, LONGEST_NAME) for name in choices[:MOST_SHOWN]]
    more = [f"and {len(choices) - MOST_SHOWN:,} more"] if len(choices) > MOST_SHOWN else []
    return f"known here: {', '.join([*shown, *more]) or 'nothing'}"


@dataclass(frozen=True)
class _Found:
    """An error of pydantic, placed in the file.

    Attributes:
        location: where it stands in the file.
        union: where the value stands of which pydantic tried several types in turn; None for a plain field.
        message: what, which value, what to do.
        given: the value, shown; empty where the message needs none.
    """

    location: Location
    union: Location | None
    message: str
    given: str = ""

    @staticmethod
    def of(model: type[BaseModel], value: Any, error: Any) -> _Found:
        """Place one error of pydantic."""
        kind, raw = error["type"], error["loc"]
        if kind in ("extra_forbidden", "missing"):
            above, parent, _ = _placed(model, value, raw[:-1])
            name = str(raw[-1])
            message = f"is missing; add it{_about(parent, name)}" if kind == "missing" else _unknown(parent, name)
            return _Found((*above, raw[-1]), None, message)
        location, _, union = _placed(model, value, raw)
        if kind == "union_tag_not_found":
            return _Found(location, None, f"names no kind of contrast; give one of {', '.join(KINDS)}")
        return _Found(location, union, sentence(error), shown(error["input"]))


def _lines(found: list[_Found]) -> Iterable[tuple[Location, str]]:
    """Return one line per error, and one for all types of a union that a value fails to be."""
    groups: dict[tuple[Location, bool], list[_Found]] = {}
    for one in found:
        groups.setdefault((one.location, False) if one.union is None else (one.union, True), []).append(one)
    for (_, is_union), group in groups.items():
        if not is_union:
            yield from (
                (one.location, f"{one.message}, not {one.given}" if one.given else one.message) for one in group
            )
            continue
        # Of a bad element in a list, say what is wrong with the element, not that a list is no number.
        deepest = max(len(one.location) for one in group)
        for location in dict.fromkeys(one.location for one in group if len(one.location) == deepest):
            members = [one for one in group if one.location == location]
            sentences = [one.message for one in members]
            *most, last = dict.fromkeys(sentence.removeprefix("should be ") for sentence in sentences)
            choice = f"{', '.join(most)} or {last}" if most else last
            yield location, f"should be {choice}, not {members[0].given}"


def _unknown(parent: type[BaseModel] | None, name: str) -> str:
    return f"unknown key {shortened(repr(name), LONGEST_NAME)}; {suggestion(name, parent.model_fields if parent is not None else [])}"


def _about(parent: type[BaseModel] | None, name: str) -> str:
    field = parent.model_fields.get(name) if parent is not None else None
    return f" ({field.description})" if field is not None and field.description else ""


def sentence(error: Any) -> str:
    """Return what an error of pydantic says should be, without a capital first."""
    if error["type"] == "string_pattern_mismatch":
        return f"should match {error['ctx']['pattern']}"
    if error["type"] in ("model_type", "dict_type"):
        return "should be a mapping, `name: value`"
    if error["type"] in ("too_short", "too_long"):
        limit = error["ctx"].get("min_length") or error["ctx"].get("max_length")
        return f"should have at {'least' if error['type'] == 'too_short' else 'most'} {limit} item{'s' * (limit > 1)}"
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return message[0].lower() + message[1:]


def shown(value: Any) -> str:
    """Return a value as a problem shows it, cut short."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _placed(
    model: type[BaseModel], value: Any, raw: Location
) -> tuple[Location, type[BaseModel] | None, Location | None]:
    """Return a location of pydantic as the file has it, the model there, and the union above it.

    Pydantic names in its locations which kind of contrast, and which type of a union, it tried.
    """
    kept: list[str | int] = []
    union: Location | None = None
    current: Any = model
    for part in raw:
        current = _plain(current)
        if current is _CONTRAST:
            current = KINDS[str(part)]
        elif _holds(value, part):
            value, current = value[part], _step(current, part)
            kept.append(part)
        elif _is_model(current):
            # A short form (`seeds: 6`, `width: [1, 2]`): the file has no such key.
            current = _step(current, part)
        elif part != "[key]" and union is None:
            union = tuple(kept)
    current = _plain(current)
    return tuple(kept), current if _is_model(current) else None, union


def _holds(value: Any, part: str | int) -> bool:
    return part in value if isinstance(value, dict) else isinstance(value, list) and isinstance(part, int)


def _step(annotation: Any, part: str | int) -> Any:
    if _is_model(annotation):
        field = annotation.model_fields.get(str(part))
        return None if field is None else field.annotation
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (dict, list):
        return arguments[-1]
    return None


def _plain(annotation: Any) -> Any:
    """Strip `Annotated` and `| None` from an annotation."""
    if typing.get_origin(annotation) is Annotated:
        return _plain(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        rest = [a for a in typing.get_args(annotation) if a is not type(None)]
        return _plain(rest[0]) if len(rest) == 1 else annotation
    return annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


_CONTRAST = _plain(Contrast)
