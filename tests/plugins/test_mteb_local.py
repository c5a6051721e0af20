"""A class of mteb's tasks in a single file is a task: `--plugin FILE.py`, `mteb:NAME`."""

from __future__ import annotations

import pytest

from harness import HarnessError
from harness.evaluation.keys import source_hash
from harness.plugins.loader import load_plugins
from harness.tasks.interface import DataSource
from harness.tasks.selection import select_tasks

FILE = """
import datasets
from mteb.abstasks import AbsTaskSTS
from mteb.abstasks.task_metadata import TaskMetadata

class Base(AbsTaskSTS):
    min_score, max_score = 0, 5

class Ours(Base):
    metadata = TaskMetadata(
        name="Ours", description="pairs of ours", type="STS", main_score="cosine_spearman",
        dataset={"path": "local", "revision": "1"}, eval_langs=["eng-Latn"],
    )

    def load_data(self, num_proc=None, **_):
        rows = {"sentence1": ["a dog", "a cat", "a bird"], "sentence2": ["the dog", "a house", "two birds"],
                "score": [4.0, 1.0, 3.0]}
        self.dataset = datasets.DatasetDict({"test": datasets.Dataset.from_dict(rows)})
        self.data_loaded = True
"""


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    """Load a single file with this code, as `--plugin` does."""
    monkeypatch.setenv("HARNESS_PLUGINS", "mteb")

    def loading(code, name="ours"):
        file = tmp_path / f"{name}.py"
        file.write_text(code, encoding="utf-8")
        plugins = load_plugins([file])
        plugins.refuse_broken_files()
        return plugins

    return loading


def test_a_class_in_a_file_without_hooks_is_a_task_of_mtebs_prefix(loaded, letters):
    plugins = loaded(FILE)
    (selected,) = select_tasks(["mteb:Ours"], plugins.tasks(), plugins.task_schemes())
    dataset = selected.task.load(DataSource("sample", None))
    assert next(iter(selected.task.score(letters, dataset))) == "cosine_spearman"
    assert plugins.origin("harness_tasks", "mteb:Ours") == "ours"
    assert [*plugins.tasks()] == ["mteb:Ours"]


def test_the_code_of_the_file_counts_in_the_tasks_hash(loaded):
    one, same, other = (
        source_hash(loaded(code).tasks()["mteb:Ours"])
        for code in (FILE, f"{FILE}# a comment\n", FILE.replace("max_score = 0, 5", "max_score = 0, 4"))
    )
    assert one == same != other


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        pytest.param(
            FILE.replace('"Ours"', '"STS12"'), "named 'STS12', as a task of mteb is", id="mteb's name"
        ),
        pytest.param(f"{FILE}\nclass Twin(Ours): pass\n", "two tasks of mteb are named 'Ours'", id="twice"),
        pytest.param(FILE.partition("class Ours")[0], "Base has no `metadata`", id="no metadata"),
        pytest.param("class Alone: pass", "implements no hook", id="no class of mteb's"),
        pytest.param("from mteb.abstasks import AbsTaskSTS", "implements no hook", id="only imported"),
    ],
)
def test_a_file_without_a_task_or_with_a_taken_name_is_refused(code, fault, loaded):
    with pytest.raises(HarnessError, match=fault):
        loaded(code)


def test_two_files_with_a_task_of_one_name_are_refused(loaded, tmp_path):
    loaded(FILE)
    (tmp_path / "others.py").write_text(FILE, encoding="utf-8")
    with pytest.raises(HarnessError, match=r"'mteb:Ours' is provided by ours .* and others"):
        load_plugins([tmp_path / "ours.py", tmp_path / "others.py"]).refuse_broken_files()
