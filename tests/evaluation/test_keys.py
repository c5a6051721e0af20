"""What changes a record's key, and what does not: ten harmless edits, and ten harmful ones."""

from __future__ import annotations

import functools
import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness.evaluation import keys
from harness.metrics.interface import Metric
from harness.plugins.loader import load_plugins
from harness.results import code_changes
from harness.system.code_hash import walk

PACKAGE = Path(harness.__file__).parent
HELPER = "def score(similarity):\n    return similarity > 0.9\n"
PLUGIN = '''"""Do cats sit?"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import helper_mod
from cats_base.questions import Questions
from strict import limit
import topiclib

from harness import Dataset, Predictions, hookimpl, mean_metric

SHARE = 1000


class Sits(Questions):
    """Asks about cats."""

    name, kind, tags = "withhelper", "p", frozenset({"p"})
    metrics = (mean_metric("accuracy", "correct"),)

    def predict(self, model, dataset, least=0.5):
        from only_here import late

        near = model.pairwise_similarity(model.encode(dataset["a"]), model.encode(dataset["b"]))
        if near.max() <= least:
            raise ValueError("none is near")
        return Predictions(dataset, correct=[float(helper_mod.score(one)) for one in late(near)])


@hookimpl
def harness_tasks():
    return [Sits()]
'''
FILES = {
    "plugin.py": PLUGIN,
    "helper_mod.py": HELPER,
    "strict.py": "limit = 1\n",
    "lenient.py": "limit = 1\n",
    "only_here.py": "import behind\n\n\ndef late(values):\n    return behind.same(values)\n",
    "behind.py": "def same(values):\n    return list(values)\n",
    "cats_base/__init__.py": "",
    "cats_base/questions.py": """from harness import Dataset, Task


class Questions(Task):
    def load(self, source):
        rows = range(40)
        return Dataset({"a": [f"cat {row} sat on a mat" for row in rows], "b": ["a cat sat"] * 40})
""",
    "cats_base/unused.py": "x = 1\n",
    "site/topiclib/__init__.py": "",
    "site/topics-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: topics\nVersion: 1.0\n",
    "site/topics-1.0.dist-info/RECORD": "topiclib/__init__.py,,\ntopics-1.0.dist-info/METADATA,,\n",
}


@pytest.fixture(autouse=True)
def no_bytecode(monkeypatch):
    """Bytecode is checked by size and whole seconds: an edit within one would run the old code."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")


LOADED = (walk.PLUGIN_FILE, "helper_mod", "cats_base", "strict", "topiclib")
"""What loading the plugin leaves in a process."""


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A plugin's file, what lies beside it, and a distribution that it imports."""
    for name, source in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    before = set(sys.modules)
    monkeypatch.setenv("HARNESS_PLUGINS", "")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr(walk, "_distributions", functools.cache(walk._distributions.__wrapped__))
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def edit(root, name, old, new):
    """Edit a file: what is edited is there, and another text afterwards."""
    path = root / name
    before = path.read_text()
    assert before.count(old) == 1, name
    path.write_text(before.replace(old, new))
    assert path.read_text() != before


def code(root):
    """The code of the plugin's task, as a new process finds it."""
    importlib.invalidate_caches()
    for name in [name for name in sys.modules if name.startswith(LOADED)]:
        del sys.modules[name]
    (task,) = load_plugins([root / "plugin.py"]).tasks().values()
    assert keys.source_hash(task) == walk.digest(keys.task_code(task))
    return keys.task_code(task)


def test_the_code_of_a_task_is_what_it_reaches_and_no_more(world):
    assert list(code(world)) == [
        "behind", "cats_base", "cats_base.questions", "distribution topics", "harness_file_plugin",
        "helper_mod", "only_here", "strict",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        pytest.param("plugin.py", "SHARE = 1000", "# of all\nSHARE = 1000  # cats", id="a comment"),
        pytest.param("plugin.py", "Asks about cats.", "Asks of\n\n    cats.", id="a docstring reworded"),
        pytest.param(
            "plugin.py", "def harness_tasks():", 'def harness_tasks():\n    "One."', id="a docstring added"
        ),
        pytest.param("plugin.py", "least=0.5):", "\n        least=0.5,\n    ):", id="formatting"),
        pytest.param("plugin.py", '"none is near"', "'none is near'", id="quotes"),
        pytest.param("plugin.py", "return [Sits()]", "return ([(Sits())])", id="parentheses"),
        pytest.param("plugin.py", "1000", "1_000", id="a number's spelling"),
        pytest.param(
            "plugin.py",
            "from strict import limit\nimport topiclib",
            "import topiclib\nfrom strict import limit",
            id="order of imports",
        ),
        pytest.param(
            "plugin.py",
            "import topiclib\n",
            "import topiclib\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import lenient\n",
            id="an import for the type checker",
        ),
        pytest.param("plugin.py", "SHARE", "\n\n\n\nSHARE", id="blank lines"),
        pytest.param("helper_mod.py", "def score", "# Is it near?\ndef score", id="a comment in a helper"),
        pytest.param(
            "plugin.py",
            "import Dataset, Predictions, hookimpl, mean_metric",
            "import Dataset, Predictions\nfrom harness import hookimpl, mean_metric",
            id="an import in two",
        ),
        pytest.param("cats_base/unused.py", "x = 1", "x = 2", id="a module that is not imported"),
        pytest.param(
            "lenient.py", "limit = 1", "limit = 2", id="a file beside the plugin that it does not use"
        ),
        pytest.param("site/topiclib/__init__.py", "", "x = 1", id="what a version stands for"),
    ],
)
def test_a_harmless_edit_changes_no_key(world, name, old, new):
    before = code(world)
    if old:
        edit(world, name, old, new)
    else:
        (world / name).write_text(new)
    assert code(world) == before


@pytest.mark.parametrize(
    ("name", "old", "new", "changed"),
    [
        pytest.param("plugin.py", "SHARE = 1000", "SHARE = 1001", "harness_file_plugin", id="a constant"),
        pytest.param("helper_mod.py", "0.9", "0.8", "helper_mod", id="a threshold in a helper"),
        pytest.param("cats_base/questions.py", "(40)", "(39)", "cats_base.questions", id="a base class"),
        pytest.param("cats_base/__init__.py", None, "x = 1", "cats_base", id="a package on the way"),
        pytest.param("plugin.py", "from strict", "from lenient", "harness_file_plugin", id="only an import"),
        pytest.param("plugin.py", "least=0.5", "least=0.6", "harness_file_plugin", id="a default"),
        pytest.param("plugin.py", "<= least", "< least", "harness_file_plugin", id="an operator"),
        pytest.param(
            "plugin.py", "    def pre", "    @staticmethod\n    def pre", "harness_file_plugin",
            id="a decorator",
        ),
        pytest.param("only_here.py", "(values)\n", "([])\n", "only_here", id="an import in a function"),
        pytest.param("behind.py", "list(values)", "sorted(values)", "behind", id="a helper of a helper"),
        pytest.param(
            "site/topics-1.0.dist-info/METADATA", "Version: 1.0", "Version: 1.1", "distribution topics",
            id="another version of a distribution",
        ),
    ],
)  # fmt: skip
def test_a_harmful_edit_changes_the_key_and_is_named(world, name, old, new, changed):
    before = code(world)
    if old is None:
        (world / name).write_text(new)
    else:
        edit(world, name, old, new)
    after = code(world)
    assert walk.digest(after) != walk.digest(before)
    assert changed in {name for name in {*before, *after} if before.get(name) != after.get(name)}


def test_another_import_brings_another_module(world):
    before = code(world)
    edit(world, "plugin.py", "from strict import limit", "from lenient import limit")
    told = code_changes.task_changes(before, code(world))
    assert told == ["code of the task: plugin changed, lenient added, strict removed"]


def test_options_and_the_module_that_makes_the_task_count(world):
    (world / "makes_it.py").write_text(
        "from cats_plugin import Sits\nfrom harness import hookimpl\n\n\n@hookimpl\ndef harness_tasks():\n"
        "    task = Sits()\n    task.options = {'threshold': 0.5}\n    return [task]\n"
    )
    shutil.move(world / "plugin.py", world / "cats_plugin.py")
    edit(world, "cats_plugin.py", "@hookimpl\ndef harness_tasks():\n    return [Sits()]\n", "")
    shutil.move(world / "makes_it.py", world / "plugin.py")
    sys.path.insert(0, str(world))
    try:
        before = code(world)
        assert {"cats_plugin", "harness_file_plugin"} < set(before)
        edit(world, "plugin.py", "0.5", "0.6")
        assert code_changes.task_changes(before, code(world)) == [
            "code of the task: plugin changed",
            "options of the task changed",
        ]
    finally:
        sys.path.remove(str(world))


@pytest.mark.parametrize("wrapped", [False, True])
def test_the_module_of_a_metric_counts_also_where_the_task_does_not_import_it(world, letters, wrapped):
    from evaluation.test_run import Twins

    sys.path.insert(0, str(world))
    try:
        score = importlib.import_module("helper_mod").score
    finally:
        sys.path.remove(str(world))
    task = Twins()
    task.metrics = (Metric("near", functools.partial(score) if wrapped else score),)
    assert "helper_mod" in keys.task_code(task)
    assert "helper_mod" not in keys.task_code(Twins())


def test_a_metric_of_a_library_counts_by_its_version_and_one_that_uses_it_does_not():
    from evaluation.test_run import Twins

    numpy = importlib.import_module("numpy")
    task = Twins()
    before = keys.task_code(task)
    task.metrics = (Metric("mean", numpy.mean, columns=("value",)),)
    assert keys.task_code(task) == {**before, "distribution numpy": numpy.__version__}


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [{"stop": {"a", "b", "c", "d"}}, {1: 2, "a": 3}, {"o": object()}],
    ids=["set", "keys", "object"],
)
def test_any_options_give_the_same_key_in_every_process(options):
    script = "import sys\nfrom evaluation.test_run import Twins\nfrom harness.evaluation import keys\n"
    script += "task = Twins()\ntask.options = OPTIONS\nprint(keys.source_hash(task))"
    source = "{'o': object()}" if "o" in options else repr(options)
    path = os.pathsep.join([str(Path(__file__).parents[1]), str(PACKAGE.parent), *sys.path])
    hashes = {
        subprocess.run(
            [sys.executable, "-c", script.replace("OPTIONS", source)], capture_output=True, text=True,
            check=True, env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert len(hashes) == 1


def test_a_base_class_of_a_module_that_was_loaded_by_path_counts(tmp_path):
    from importlib.util import module_from_spec, spec_from_file_location

    from evaluation.test_run import Twins

    def code(limit):
        path = tmp_path / "by_path_here.py"
        path.write_text(f"class Base:\n    def limit(self):\n        return {limit}\n")
        spec = spec_from_file_location("by_path_here", path)
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return keys.task_code(type("Loaded", (Twins, module.Base), {})())["by_path_here"]

    assert code(1) != code(2)


def test_a_task_whose_code_cannot_be_hashed_is_one_error(monkeypatch):
    from evaluation.test_run import Twins
    from harness import DataSource
    from harness.evaluation.evaluate import load_task

    def fail(_task):
        raise ValueError("no such code")

    monkeypatch.setattr("harness.evaluation.evaluate.task_code", fail)
    task = Twins()
    loaded = load_task(task, DataSource.of(task, None))
    assert str(loaded.error) == "no such code"


# --- our own scoring code -------------------------------------------------------------------------------


@pytest.fixture
def copied(tmp_path):
    """A copy of harness, and what its own scoring hash is."""
    shutil.copytree(PACKAGE, tmp_path / "harness", ignore=shutil.ignore_patterns("__pycache__"))

    def hashes():
        script = "import harness, json\nfrom harness.models import computation\n"
        script += "from harness.evaluation import keys\n"
        script += "print(json.dumps([keys.scoring_hash(), computation._encoding_hash(), harness.__file__]))"
        process = subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
        )  # fmt: skip
        *found, file = json.loads(process.stdout)
        assert Path(file).is_relative_to(tmp_path)
        return found

    return tmp_path / "harness", hashes


def test_of_our_own_code_only_scoring_counts(copied):
    root, hashes = copied
    before = hashes()
    assert before[0] == keys.scoring_hash()
    edit(root, "__init__.py", '__version__ = "', '__version__ = "9.')
    words = (root / "metrics/standard.py").read_text().splitlines()[0].strip('"')
    edit(root, "metrics/standard.py", words, f"Reworded: {words}")
    with (root / "metrics/standard.py").open("a") as file:
        file.write("\n# A comment.\n")
    for quiet in ("errors.py", "system/paths.py", "plugins/loader.py", "cli/run.py"):
        with (root / quiet).open("a") as file:
            file.write("\nCHANGED = 1\n")
    assert hashes() == before
    with (root / "metrics/standard.py").open("a") as file:
        file.write("\nfrom harness import brand_new\n")
    (root / "brand_new.py").write_text("LIMIT = 1\n")
    first = hashes()
    (root / "brand_new.py").write_text("LIMIT = 2\n")
    second = hashes()
    assert len({before[0], first[0], second[0]}) == 3
    assert first[1] == second[1] == before[1]
    with (root / "models/backends/packed.py").open("a") as file:
        file.write("\nCHANGED = 1\n")
    third = hashes()
    assert third[0] != second[0]
    assert third[1] != second[1]


def test_every_module_that_does_not_count_exists():
    for name in (*keys._SCORING, *keys._MOVES_NO_SCORE):
        path = PACKAGE / name.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__init__.py").is_file(), name


def test_every_backend_and_every_metric_is_scoring_code():
    found = set(keys.scoring_code())
    backends = {path.stem for path in (PACKAGE / "models" / "backends").glob("[!_]*.py")}
    assert {f"harness.models.backends.{name}" for name in backends} < found
    metrics = {path.stem for path in (PACKAGE / "metrics").glob("[!_]*.py")}
    assert {f"harness.metrics.{name}" for name in metrics} < found
    named = "encoding.table encoding.cached_model models.sentence_transformer models.lexical stats.intervals"
    assert {f"harness.{name}" for name in (*named.split(), "tasks.dataset", "evaluation.evaluate")} < found


# --- end to end -----------------------------------------------------------------------------------------


@pytest.fixture
def command(world):
    """Call `python -m harness` beside the plugin, in a process of its own."""

    def calling(*words):
        path = os.pathsep.join([str(world / "site"), str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")])
        process = subprocess.run(
            [sys.executable, "-m", "harness", *words], cwd=world, capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
        assert process.returncode in (0, 1), process.stderr
        return process.stdout

    def run():
        words = "run --plugin plugin.py --model lexical --tasks p --no-throughput --no-cache --out out"
        return calling(*words.split())

    def status():
        document = json.loads(calling("status", "out", "--plugin", "plugin.py", "--json"))
        return [(pair["state"], pair["why"]) for pair in document["pairs"]]

    return run, status


def records(root):
    return {path.name: path.read_bytes() for path in root.glob("out/records/*/*.json")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "old", "new", "why"),
    [
        pytest.param("helper_mod.py", "0.9", "0.2", "code of the task: helper_mod changed", id="a helper"),
        pytest.param(
            "site/topics-1.0.dist-info/METADATA", "Version: 1.0", "Version: 1.1",
            "distribution topics 1.0 → 1.1", id="a distribution", marks=pytest.mark.slow,
        ),
    ],
)  # fmt: skip
def test_a_run_keeps_its_record_after_a_comment_and_computes_it_again_after_a_change(
    world, command, name, old, new, why
):
    run, status = command
    run()
    (before,) = records(world).values()
    assert status() == [("done", "")]
    edit(world, "helper_mod.py", "def score", "# How near?\ndef score")
    assert status() == [("done", "")]
    edit(world, name, old, new)
    assert status() == [("stale", why)]
    run()
    assert status() == [("done", "")]
    (after,) = records(world).values()
    assert after != before
    scores = [json.loads(record)["scores"][0]["score"] for record in (before, after)]
    assert (scores[0] != scores[1]) is (name == "helper_mod.py")
