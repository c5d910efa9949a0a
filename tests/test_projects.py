"""Other people's projects: with this tool installed and claims begun, their own tests are what they were."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from harness.cli.main import main
from harness.cli.neighbours import notes, refuse_namesake
from harness.cli.new import PYTEST, start_project
from harness.errors import UsageError
from tests.tiny_project import write_claim

pytestmark = pytest.mark.slow

OWN = "def test_own():\n    assert True\n\n\ndef test_wrong():\n    assert 1 == 2\n"
OF_PACKAGE = "from numbers_pkg import TWO\n\n\ndef test_two():\n    assert TWO == 2\n"
PACKAGE = {"numbers_pkg/__init__.py": "TWO = 2\n", "tests/test_two.py": OF_PACKAGE}
IN_SRC = {"src/numbers_pkg/__init__.py": "TWO = 2\n", "tests/test_two.py": OF_PACKAGE}
BASIC = {"tests/test_own.py": OWN}

FIXTURES = """
    import pytest

    @pytest.fixture
    def claim():
        return "theirs"

    @pytest.fixture
    def reading():
        return 7
"""
USING = "def test_theirs(claim, reading):\n    assert (claim, reading) == ('theirs', 7)\n"

PROJECTS = {
    "no configuration": BASIC,
    "flat, a conftest.py at the root": {**PACKAGE, "conftest.py": ""},
    "modules beside the tests": {
        "tests/numbers_of_mine.py": "TWO = 2\n",
        "tests/test_two.py": OF_PACKAGE.replace("numbers_pkg", "numbers_of_mine"),
        "tests/deeper/test_own.py": OWN,
    },
    "test files of one name in packages": {
        "tests/__init__.py": "",
        "tests/a/__init__.py": "",
        "tests/a/test_own.py": OWN,
        "tests/b/__init__.py": "",
        "tests/b/test_own.py": OWN,
    },
    "pytest.ini": {**IN_SRC, "pytest.ini": "[pytest]\ntestpaths = tests\npythonpath = src\naddopts = -ra\n"},
    "setup.cfg": {**PACKAGE, "conftest.py": "", "setup.cfg": "[tool:pytest]\naddopts = --strict-markers\n"},
    "tox.ini": {**BASIC, "tox.ini": "[tox]\n[pytest]\npython_files = test_*.py check_*.py\n", "check_it.py": OWN},
    "pyproject with ini_options": {
        **IN_SRC,
        "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["src"]\naddopts = "--strict-markers --strict-config"\n'
        'filterwarnings = ["error"]\nmarkers = ["slow: their own"]\n',
    },
    "pyproject with pytest 9's table": {**IN_SRC, "pyproject.toml": '[tool.pytest]\nstrict = true\npythonpath = ["src"]\n'},
    "pyproject without pytest": {**BASIC, "pyproject.toml": '[project]\nname = "x"\nversion = "1"\n'},
    "fixtures of our names": {"conftest.py": dedent(FIXTURES), "tests/test_theirs.py": USING},
    "tests in claims/, a package": {
        "claims/__init__.py": "",
        "claims/forms.py": "TWO = 2\n",
        "claims/test_forms.py": "from claims.forms import TWO\n\n\ndef test_two():\n    assert TWO == 2\n",
        "claims/tests/test_own.py": OWN,
        "tests/test_own_too.py": OWN,
    },
    "packages called claims and fixtures": {
        "src/claims/__init__.py": "TWO = 2\n",
        "fixtures/__init__.py": "THREE = 3\n",
        "conftest.py": "",
        "pytest.ini": "[pytest]\npythonpath = src\n",
        "tests/test_two.py": OF_PACKAGE.replace("numbers_pkg", "claims") + "\n\ndef test_three():\n    import fixtures\n"
        "    assert fixtures.THREE == 3\n",
    },
    "other names, other plugins": {
        "pytest.ini": "[pytest]\npython_files = check_*.py\npython_functions = check_*\naddopts = -p no:claims -p no:benchmark "
        "--doctest-modules\n",
        "tests/check_own.py": OWN.replace("def test_", "def check_"),
    },
}  # fmt: skip


@pytest.fixture(params=PROJECTS, ids=lambda name: re.sub(r"\W+", "_", name))
def project(request, tmp_path):
    for name, text in PROJECTS[request.param].items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


QUICKER = [f"-pno:{name}" for name in ("cacheprovider", "xdist", "hypothesispytest", "benchmark")]


def shown(project, command, *words):
    """Return all that a command prints, but for times and the list of plugins, and its exit code."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [*command, "-v", *QUICKER, *words], cwd=project, capture_output=True, text=True, check=False,
        env={**bare, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    text = re.sub(r"=+ (.*) in [\d.]+s.* =+", r"\1", done.stdout + done.stderr)
    return re.sub(r"^plugins: .*\n", "", text, flags=re.MULTILINE), done.returncode


RUNNING = ("-p", "benchmark", "--benchmark-skip", "--claims-workers=1")

BARE = [sys.executable, "-c", "import sys; sys.path.pop(0); from pytest import main; sys.exit(main())"]
"""The command `pytest`: unlike `python -m pytest`, it leaves the folder it is called in out of sys.path."""


def test_pytest_collects_imports_and_prints_what_it_did_without_this_tool(project):
    """Before: as if the tool were not installed. After: with it, `claims init`, and a claim."""
    commands = [BARE, [*BARE, "tests"]]
    before = [shown(project, command, "-p", "no:claims") for command in commands]

    lines = start_project(project)
    write_claim(project)

    assert [shown(project, command) for command in commands] == before
    assert all(re.search(r"(test|check)_\w+ (PASSED|FAILED)", text) for text, _ in before)
    assert PYTEST in lines


def claims(project, *words):
    """Run claims by the command line; return what was printed, and the exit code."""
    done = subprocess.run(
        [sys.executable, "-c", "from harness.cli.main import main; raise SystemExit(main())", *words],
        cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr, done.returncode


def test_claims_run_in_every_project_and_run_nothing_else(project):
    start_project(project)
    write_claim(project)

    text, code = claims(project, "run", "--workers", "1")

    assert code == 0, text
    assert "1 of 1 readings as expected" in text
    assert "2 passed, 1 skipped" in text
    assert (project / ".claims/store.sqlite3").is_file()
    assert (project / "reports/latest/report.json").is_file()
    assert not (project / "claims/.claims").exists()


@pytest.mark.parametrize("where", [("claims",), ("claims/notes/warm_exceeds_cold/test_claim.py::test_reading",)])
def test_pytest_runs_claims_that_it_is_given_and_keeps_their_trials_where_the_commands_look(tmp_path, where):
    write_claim(tmp_path)
    # Without any configuration pytest takes the folder it is given for the root.
    text, code = shown(tmp_path, BARE, *where, *RUNNING)

    assert code == 0, text
    assert (tmp_path / ".claims/store.sqlite3").is_file()
    assert "1 of 1 readings as expected" in text


def test_a_project_below_another_keeps_its_trials_to_itself(tmp_path):
    """In a repository of several projects pytest's root is that of the whole."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    write_claim(tmp_path / "one")

    for project, words in ((tmp_path / "one", BARE), (tmp_path, [*BARE, "one/claims"])):
        given = [] if project == tmp_path else ["claims"]
        text, code = shown(project, words, *given, *RUNNING)
        assert code == 0, text
    assert (tmp_path / "one/.claims/store.sqlite3").is_file()
    assert not (tmp_path / ".claims").exists()


def test_the_folder_of_the_claims_is_given_by_testpaths_too(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = claims\n")
    write_claim(tmp_path)

    text, code = shown(tmp_path, BARE, *RUNNING)

    assert code == 0, text
    assert "1 of 1 readings as expected" in text


def test_a_session_without_claims_imports_next_to_nothing_of_this_tool(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import sys\n\ndef test_it():\n    print(sorted(n for n in sys.modules if n.split('.')[0] in {'harness', 'numpy', 'pydantic'}))\n"
    )

    text, code = shown(tmp_path, BARE, "-s")

    assert code == 0, text
    assert (
        "['harness', 'harness.errors', 'harness.pytest_plugin', 'harness.pytest_plugin.plugin', 'harness.trials', 'harness.trials.options', 'harness.trials.project']"
        in text
    )


@pytest.mark.parametrize("words", ["--markers", "--fixtures"])
def test_a_session_without_claims_has_the_markers_and_fixtures_of_pytest_alone(tmp_path, words):
    (tmp_path / "test_it.py").write_text(OWN)

    assert shown(tmp_path, BARE, words) == shown(tmp_path, BARE, words, "-p", "no:claims")


def test_every_option_of_the_plugin_says_whose_it_is(tmp_path):
    """What `pytest --help` says with the plugin and not without it."""
    with_it, without = (
        set(re.findall(r"--[a-z][\w-]*", shown(tmp_path, BARE, "--help", *more)[0]))
        for more in ((), ("-p", "no:claims"))
    )

    assert len(with_it - without) > 8
    assert all(option.startswith("--claims-") for option in with_it - without)
    assert without <= with_it


def test_under_xdist_other_tests_are_handed_out_as_ever(pytester):
    """The tests of a claim belong in one process; those of others may well be spread."""
    pytester.makepyfile(
        test_many="import os, pytest\n\n@pytest.mark.parametrize('n', range(8))\ndef test_it(n): pass\n"
    )
    pytester.makeconftest("def pytest_sessionfinish(session):\n    print('dist is', session.config.option.dist)\n")

    result = pytester.runpytest_subprocess("-n", "2", "-s")

    result.stdout.fnmatch_lines(["*dist is load"])


# What meets the claims.


def test_a_package_of_this_tools_name_is_refused_before_anything_is_written(tmp_path):
    for place in ("harness/__init__.py", "src/harness/__init__.py", "harness.py"):
        project = tmp_path / place.replace("/", "_")
        (project / place).parent.mkdir(parents=True)
        (project / place).write_text("")

        with pytest.raises(UsageError, match=r"is a package of the name of this tool's own.*nothing was written"):
            start_project(project)
        assert not (project / "claims").exists()


def test_this_project_itself_is_not_refused():
    here = Path(__file__).parents[1]
    refuse_namesake(here)
    assert [line.split()[1] for line in notes(here)] == [str(here / "fixtures")]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["claims/__init__.py"], "it will hold the claims, too"),
        (["src/claims/__init__.py"], "`import claims` means that package, as before"),
        (["fixtures/__init__.py"], "claims may import it"),
        (["src/fixtures.py"], "claims may import it"),
        (["notes/__init__.py"], None),
    ],
)
def test_packages_of_the_names_that_claims_use_are_told(tmp_path, files, words):
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("")

    told = [line for line in start_project(tmp_path) if line.startswith("note:")]

    assert len(told) == (words is not None)
    assert words is None or words in told[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[project]\nname = "x"\n', True),
        ('[build-system]\nbuild-backend = "setuptools.build_meta"\n[project]\nname = "x"\n', True),
        ('[build-system]\nbuild-backend = "hatchling.build"\n[project]\nname = "x"\n', False),
        ('[project]\nname = "x"\n[tool.setuptools]\npackages = ["x"]\n', False),
        ("[tool.ruff]\n", False),
        ("no toml", False),
    ],
)
def test_a_build_that_would_refuse_a_second_folder_is_told(tmp_path, text, told):
    (tmp_path / "pyproject.toml").write_text(text)

    assert any("Multiple top-level packages" in line for line in start_project(tmp_path)) is told


def test_init_below_a_repository_of_git(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    below = tmp_path / "one"

    start_project(below)

    ignored = subprocess.run(
        ["git", "check-ignore", ".claims/store.sqlite3", "reports/latest/index.html"], cwd=below, check=False
    )
    assert ignored.returncode == 0
    assert not (tmp_path / ".gitignore").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc takes no folder, from root either")
def test_a_folder_that_cannot_be_written_is_one_clear_line(capsys):
    assert main(["--root", "/proc", "init", "project"]) == 2

    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "give a folder that can be written to" in error
