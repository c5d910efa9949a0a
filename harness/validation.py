"""YAML to models, with every error of a file at once, each with its remedy."""

from __future__ import annotations

import difflib
import types
import typing
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import SpecError
from harness.spec import KINDS
from harness.yaml_nodes import dotted

if typing.TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.yaml_nodes import Location, YamlFile

M = TypeVar("M", bound=BaseModel)


def parse(model: type[M], file: YamlFile) -> M:
    """Validate the value of a YAML file.

    Raises:
        SpecError: every error of the file at once.
    """
    try:
        return model.model_validate(file.value)
    except ValidationError as error:
        problems = [_problem(model, file, e) for e in error.errors(include_url=False)]
        raise SpecError(by_position(problems)) from None


def by_position(problems: Iterable[str]) -> list[str]:
    """Return problem lines of one file in the order in which a reader meets them."""

    def position(problem: str) -> tuple[int, int]:
        _, line, column = problem.split(": ", 1)[0].rsplit(":", 2)
        return int(line), int(column)

    return sorted(problems, key=position)


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return `did you mean 'x'?`, or the list of what is known."""
    choices = sorted(known)
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(choices) or 'nothing'}"


def _problem(model: type[BaseModel], file: YamlFile, error: Any) -> str:
    """Return one line for an error of pydantic: what, which value, what to do."""
    kind, raw = error["type"], error["loc"]
    if kind == "extra_forbidden":
        location = (*_without_tags(file.value, raw[:-1]), raw[-1])
        parent = _model_at(model, raw[:-1])
        known = list(parent.model_fields) if parent is not None else []
        return file.problem(location, f"unknown key {raw[-1]!r}; {suggestion(str(raw[-1]), known)}")
    if kind == "missing":
        location = (*_without_tags(file.value, raw[:-1]), raw[-1])
        return file.problem(location, f"is missing; add it{_about(_model_at(model, raw[:-1]), str(raw[-1]))}")
    location = _without_tags(file.value, raw)
    if kind == "union_tag_not_found":
        return file.problem(location, f"names no kind of contrast; give one of {', '.join(KINDS)}")
    return file.problem(location, f"{_sentence(error)}, not {_shown(error['input'])}")


def _about(parent: type[BaseModel] | None, name: str) -> str:
    field = parent.model_fields.get(name) if parent is not None else None
    return f" ({field.description})" if field is not None and field.description else ""


def _sentence(error: Any) -> str:
    if error["type"] == "string_pattern_mismatch":
        return f"should match {error['ctx']['pattern']}"
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return message[0].lower() + message[1:]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _without_tags(value: Any, location: Location) -> Location:
    """Drop the parts that pydantic adds for unions and that the file does not have."""
    kept: list[str | int] = []
    for part in location:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            continue
        kept.append(part)
    return tuple(kept)


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    """Return the model that validates the value at `location`, if one does."""
    current: Any = model
    for part in location:
        current = _step(_plain(current), part)
    current = _plain(current)
    return current if _is_model(current) else None


def _step(annotation: Any, part: str | int) -> Any:
    if _is_model(annotation):
        field = annotation.model_fields.get(str(part))
        return None if field is None else field.annotation
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (dict, list):
        return arguments[-1]
    return KINDS.get(str(part))


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
