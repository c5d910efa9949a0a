"""YAML files as plain values that remember where they stood.

YAML 1.2 core scalars only: `1e-3` is a number, `on` and `no` are strings, `012`
is twelve. Duplicate keys, aliases and tags are refused; nothing is ever executed.
"""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from yaml.resolver import Resolver

from harness._text import shortened
from harness.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Location = tuple[str | int, ...]
"""A path of keys and positions from the root of a file to a value."""

LARGEST_FILE = 100_000
"""Bytes; a specification is read by people, the longest here has a tenth of it, and a larger file is a mistake."""

MOST_NODES = 3000
"""Keys and values; four times those of the longest claim here. What a small file can make the loader do stays small."""

MOST_PROBLEMS = 50
"""Problems that are told of one file at once."""

LONGEST_NAME = 80
"""Characters of a key that a problem shows."""

DEEPEST_NESTING = 32
"""Levels; a specification needs eight, and libyaml's composer overflows the stack at some thousands."""

LARGEST_INTEGER = 2**63 - 1
"""What JSON, SQLite and NumPy can all hold."""


class _Resolver(Resolver):
    """Implicit types of the YAML 1.2 core schema, instead of YAML 1.1's."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - as PyYAML declares it


_NUMBER_START = list("-+0123456789.")
_Resolver.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Resolver.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Resolver.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), _NUMBER_START)
_Resolver.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    _NUMBER_START,
)

if hasattr(yaml, "CLoader"):
    from yaml.cyaml import CParser  # type: ignore[attr-defined]

    class _Composer(CParser, _Resolver):  # type: ignore[misc,unused-ignore]
        """Text to nodes, by libyaml."""

        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)
            _Resolver.__init__(self)
else:  # pragma: no cover - wheels of PyYAML carry libyaml
    from yaml.composer import Composer
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class _Composer(Reader, Scanner, Parser, Composer, _Resolver):  # type: ignore[no-redef]
        """Text to nodes, in Python."""

        def __init__(self, text: str) -> None:
            Reader.__init__(self, text)
            Scanner.__init__(self)
            Parser.__init__(self)
            Composer.__init__(self)
            _Resolver.__init__(self)


@dataclass(frozen=True)
class YamlFile:
    """A file read: its plain value, and the position of every part of it."""

    path: Path
    value: Any
    root: yaml.Node

    def position(self, location: Location) -> tuple[int, int]:
        """Return line and column (from 1) of the deepest part of `location` that exists."""
        *_, mark = self._marks(location)
        return mark.line + 1, mark.column + 1

    def problem(self, location: Location, message: str) -> str:
        """Return one line: `file:line:column: field: message`."""
        line, column = self.position(location)
        return f"{self.path}:{line}:{column}: {dotted(location)}: {message}"

    def _marks(self, location: Location) -> Iterator[yaml.Mark]:
        node = self.root
        yield node.start_mark
        for part in location:
            if isinstance(node, yaml.MappingNode):
                entry = next(((k, v) for k, v in node.value if k.value == str(part)), None)
                if entry is None:
                    return
                # The key is where an editor should put the cursor.
                yield entry[0].start_mark
                node = entry[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                yield node.start_mark
            else:
                return


def dotted(location: Location) -> str:
    """Return `a.b[0].c` for a location, `(file)` for the root."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            # A key may hold anything; a problem is one line.
            name = shortened(part if part.isprintable() and part else repr(part), LONGEST_NAME)
            text += f".{name}" if text else name
    return text or "(file)"


def read_yaml(path: Path) -> YamlFile:
    """Read one YAML file.

    Raises:
        SpecError: the file cannot be read, is not UTF-8 or not YAML, or has
            duplicate keys, aliases or tags; all such places at once.
    """
    text = _text(path)
    try:
        _check_events(path, text)
        root = _Composer(text).get_single_node()
    except yaml.YAMLError as error:
        raise SpecError([_syntax_problem(path, error)]) from None
    if root is None:
        raise SpecError([f"{path}:1:1: (file): is empty; `claims new DOCUMENT/CLAIM` writes an example"])
    problems: list[str] = []
    value = _value(path, root, (), set(), problems)
    if problems:
        raise SpecError(first_of(problems, path))
    return YamlFile(path, value, root)


def first_of(problems: list[str], path: Path) -> list[str]:
    """Return the problems that are told at once: as many as people mend in one go, and how many more there are."""
    if len(problems) <= MOST_PROBLEMS:
        return problems
    rest = f"{path}:1:1: (file): has at least {len(problems) - MOST_PROBLEMS:,} more problems; mend the first ones"
    return [*problems[:MOST_PROBLEMS], rest]


def _text(path: Path) -> str:
    try:
        # Whoever reads a pipe, or a device, may wait for ever.
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise SpecError([f"{path}:1:1: (file): is no ordinary file; put the specification itself there"])
        if found.st_size > LARGEST_FILE:
            raise SpecError(
                [f"{path}:1:1: (file): has {found.st_size:,} bytes, more than {LARGEST_FILE:,}; a claim is short"]
            )
        raw = path.read_bytes()
    except OSError as error:
        raise SpecError(
            [f"{path}:1:1: (file): cannot be read: {error.strerror}; check the path and its permissions"]
        ) from None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SpecError([f"{path}:{line}:1: (file): is not UTF-8 (byte {error.start}); save it as UTF-8"]) from None


def _check_events(path: Path, text: str) -> None:
    """Refuse by the parser's events what would cost the composer time or, being recursive, its stack."""
    directive = re.search(r"^%", text, re.MULTILINE)
    if directive is not None:
        line = text.count("\n", 0, directive.start()) + 1
        raise SpecError(
            [f"{path}:{line}:1: (file): YAML directives are refused; leave the line that begins with % out"]
        )
    parser, depth, nodes = _Composer(text), 0, 0
    while parser.check_event():
        event: Any = parser.get_event()
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        nodes += isinstance(event, yaml.NodeEvent)
        if depth <= DEEPEST_NESTING and nodes <= MOST_NODES:
            continue
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        deep = f"is nested more than {DEEPEST_NESTING} levels deep; a claim is flat"
        many = f"has more than {MOST_NODES:,} keys and values; a claim is short"
        raise SpecError([f"{path}:{line}:{column}: (file): {deep if depth > DEEPEST_NESTING else many}"])


def _syntax_problem(path: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    what = " ".join(str(getattr(error, "problem", None) or error).split())
    return f"{path}:{line}:{column}: (file): is not valid YAML: {shortened(what)}"


def _value(path: Path, node: yaml.Node, where: Location, seen: set[int], problems: list[str]) -> Any:
    """Return the plain value of a node; note in `problems` what is refused."""
    mark = f"{path}:{node.start_mark.line + 1}:{node.start_mark.column + 1}: {dotted(where)}"
    refusal = _refusal(node, seen)
    if refusal:
        problems.append(f"{mark}: {refusal}")
        return None
    if isinstance(node, yaml.SequenceNode):
        return [_value(path, child, (*where, i), seen, problems) for i, child in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _mapping(path, node, where, seen, problems)
    if node.tag == _INT and (len(node.value) > 20 or abs(int(node.value)) > LARGEST_INTEGER):
        problems.append(f"{mark}: is a whole number beyond 64 bits; write it as a decimal, such as 1e30")
        return None
    return _SCALARS[node.tag](node.value)


def _refusal(node: yaml.Node, seen: set[int]) -> str | None:
    """Return why a node may not stand in a specification, None if it may."""
    if id(node) in seen:
        return "aliases are refused; write the value out"
    seen.add(id(node))
    if node.tag != _plain_tag(node):
        return f"the tag {shortened(repr(node.tag), LONGEST_NAME)} is refused; YAML here is data, never code"
    return None


def _plain_tag(node: yaml.Node) -> str:
    """Return the tag that a node has if none is written."""
    if isinstance(node, yaml.ScalarNode):
        plain = not node.style
        tag: str = _RESOLVER.resolve(yaml.ScalarNode, node.value, (plain, not plain))  # type: ignore[no-untyped-call]
        return tag
    return "tag:yaml.org,2002:seq" if isinstance(node, yaml.SequenceNode) else "tag:yaml.org,2002:map"


def _mapping(
    path: Path, node: yaml.MappingNode, where: Location, seen: set[int], problems: list[str]
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for key, child in node.value:
        line = key.start_mark.line + 1
        here = f"{path}:{line}:{key.start_mark.column + 1}"
        if not isinstance(key, yaml.ScalarNode):
            problems.append(f"{here}: {dotted(where)}: a key must be plain text; write `name: value`")
            continue
        name = str(key.value)
        refusal = _refusal(key, seen)
        if refusal:
            problems.append(f"{here}: {dotted((*where, name))}: {refusal}")
            continue
        if name in lines:
            problems.append(
                f"{here}: {dotted((*where, name))}: duplicate key {shortened(repr(name), LONGEST_NAME)}, first at line {lines[name]}; keep one"
            )
            continue
        lines[name] = line
        result[name] = _value(path, child, (*where, name), seen, problems)
    return result


_RESOLVER = _Resolver()
_INT = "tag:yaml.org,2002:int"
_SCALARS: dict[str, Any] = {
    "tag:yaml.org,2002:str": str,
    _INT: int,
    "tag:yaml.org,2002:float": lambda text: float(text.lower().replace(".inf", "inf").replace(".nan", "nan")),
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:null": lambda _: None,
}
