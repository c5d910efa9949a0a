"""The modules that an experiment reaches, read and not run."""

from __future__ import annotations

import os

from harness.trials.modules import HARNESS, imports_in, modules_of
from harness.trials.provenance import code_of


def write(project, **texts):
    for name, text in texts.items():
        path = project / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def test_modules_are_those_that_a_trials_code_is_made_of(tmp_path):
    write(
        tmp_path,
        experiment="from shared import one\nfrom harness.seeds import Seed\n\ndef measure():\n    import late\n",
        shared__one="from . import two\nimport numpy\n",
        shared__two="raise RuntimeError('read, not run')\n",
        late="",
        other="",
    )
    found = modules_of([tmp_path / "experiment.py"], tmp_path)

    own = {str(path.relative_to(tmp_path)) for path in found if path.is_relative_to(tmp_path)}
    assert own == {"experiment.py", "shared/one.py", "shared/two.py", "late.py"}
    assert HARNESS / "seeds.py" in found
    assert len(found) == len(code_of(tmp_path / "experiment.py", tmp_path).modules)


def test_what_a_module_imports_is_read_again_when_it_changes(tmp_path):
    path = tmp_path / "experiment.py"
    path.write_text("import a\nif True:\n    import b.c\n")
    assert imports_in(path) == ({"a", "b.c"}, {"a"}, False, False)

    path.write_text("from . import d\n__import__('e')\n")
    os.utime(path, ns=(1, 1))
    assert imports_in(path) == (set(), set(), True, True)
