"""The documents: their links lead somewhere, and what they name exists."""

from __future__ import annotations

import ast
import re
from functools import lru_cache

import pytest

from harness.cli.main import main
from harness.report import wording
from harness.specification.models import Claim
from tests.outside import PROJECT
from tests.test_architecture import FOLDERS

PAGES = [
    PROJECT / "README.md",
    PROJECT / "CHANGELOG.md",
    PROJECT / "reports/README.md",
    *sorted((PROJECT / "docs").glob("*.md")),
]

EXAMPLES = {"claims/digits"}
"""Paths of the tutorial's own project."""

GLOSSARY = (PROJECT / "docs/glossary.md").read_text()


def name_of(path):
    return str(path.relative_to(PROJECT))


@lru_cache
def prose(path):
    """Return a page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(path):
    """Return the anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page

        assert there.exists(), target
        assert there.is_relative_to(PROJECT), target
        assert not anchor or anchor in anchors(there), target


def test_the_index_names_every_page():
    index = PROJECT / "docs/index.md"
    linked = {(index.parent / target).resolve() for target in re.findall(r"\]\(([^)]+)\)", index.read_text())}

    assert set(PAGES) - {index} <= linked


@lru_cache
def names_in(path):
    """Return the names that a module defines at its top, or a package gives to others, and those within its classes."""
    tree = ast.parse(path.read_text())
    found = set()
    for node in tree.body:
        found |= _defined(node)
        if isinstance(node, ast.ClassDef):
            found |= {name for inner in node.body for name in _defined(inner)}
            found |= {f"{node.name}.{name}" for inner in node.body for name in _defined(inner)}
    return found


def _defined(node):
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").startswith("harness.training."):
        return {alias.name for alias in node.names}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


MODULES = {
    ".".join(path.relative_to(PROJECT / "harness").with_suffix("").parts).removesuffix(".__init__"): path
    for path in (PROJECT / "harness").rglob("*.py")
}

DOTTED = re.compile(r"`(?:harness\.)?([a-z_]+(?:\.[A-Za-z_]\w*)+)(?:\([^`]*\))?`")


SUFFIXES = {"html", "json", "md", "py", "xml", "yaml"}


def named(page):
    """Return the dotted names of the harness that a page writes in backquotes."""
    found = DOTTED.findall(prose(page))
    return [name for name in found if name.split(".")[0] in MODULES and name.split(".")[-1] not in SUFFIXES]


def parts_of(name):
    """Return the module of the harness that a dotted name begins with, and what is named in it."""
    parts = name.split(".")
    module = next(".".join(parts[:n]) for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in MODULES)
    return module, name[len(module) + 1 :]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_function_that_is_named_exists(page):
    for name in named(page):
        module, inside = parts_of(name)
        assert not inside or inside in names_in(MODULES[module]), name


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_that_is_named_exists(page):
    for path in re.findall(r"(?<![\w./-])((?:harness|tests|docs|fixtures|claims)/[\w./-]+\.\w+)", prose(page)):
        assert (PROJECT / path).exists() or any(path.startswith(own) for own in EXAMPLES), path


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_and_option_that_is_named_exists(page, request, capsys):
    for name in set(re.findall(r"`claims ([a-z]+)\b", page.read_text())):
        with pytest.raises(SystemExit) as stop:
            main([name, "--help"])
        assert stop.value.code == 0, capsys.readouterr().err
    for option in set(re.findall(r"--(claims-[a-z-]+)", page.read_text())):
        request.config.getoption(option.replace("-", "_"))


def test_the_walk_through_a_run_is_numbered_and_names_its_functions():
    page = PROJECT / "docs/how-it-works.md"
    _, _, walk = page.read_text().partition("\n## From claim.yaml to the page\n")
    walk = walk.split("\n## ")[0]
    steps = re.findall(r"^(\d+)\. \*\*", walk, re.MULTILINE)

    assert [int(number) for number in steps] == list(range(1, len(steps) + 1))
    assert 9 <= len(steps) <= 12
    for step in re.split(r"^\d+\. ", walk, flags=re.MULTILINE)[1:]:
        assert DOTTED.search(step), step


def test_the_table_of_verdicts_is_complete():
    page = (PROJECT / "docs/reading-a-report.md").read_text()

    for verdict, symbol in wording.SYMBOL.items():
        assert f"| {symbol} {verdict} |" in page
        assert verdict in GLOSSARY


WORDS = [
    "document",
    "claim",
    "arm",
    "condition",
    "seed",
    "trial",
    "metric",
    "contrast",
    "estimate",
    "band",
    "expectation",
    "reading",
    "verdict",
    "control",
    "profile",
    "provenance",
    "run",
    "evidence",
]
"""The words of the design, one meaning each."""


@pytest.mark.parametrize("word", WORDS)
def test_the_glossary_has_every_word_of_the_design(word):
    assert f"\n| {word} |" in GLOSSARY


def test_the_glossary_has_every_part_of_a_specification():
    """Whatever stands in claim.yaml is a word that a reader may look up."""
    plain = {"id", "title", "timings", "settings"}
    for name in Claim.model_fields.keys() - plain:
        words = {name.replace("_", " "), name.removesuffix("s").replace("_", " ")}
        assert any(f"\n| {word} |" in GLOSSARY for word in words), name


def test_the_glossary_says_each_word_once():
    words = re.findall(r"^\| ([^|]+) \|", GLOSSARY, re.MULTILINE)

    assert len(words) == len(set(words)) > 40


def test_the_tree_of_the_house_is_that_of_the_folders():
    tree = (PROJECT / "docs/how-it-works.md").read_text().split("```")[1]

    assert tuple(re.findall(r"^  (\w+)/", tree, re.MULTILINE)) == FOLDERS
